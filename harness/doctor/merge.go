package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"cutover/harness/result"
	"cutover/reports"
)

// Where an examination was seen from.
const (
	Internal = "internal"
	Internet = "internet"
	// twoSides is the vantage of what a merged report says once for the two.
	twoSides = "internal, internet"
)

// maxReport bounds a report that is read: one of a thousand mailboxes has some 2 MiB.
const maxReport = 32 << 20

// Read reads a report as --json wrote it.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReport+1))
	if err != nil {
		return nil, err
	}
	var report Report
	if len(data) > maxReport || json.Unmarshal(data, &report) != nil || report.Profile == "" || report.Checks == nil {
		return nil, errors.New("it is no report of `cutover doctor --json`")
	}
	return &report, nil
}

// Merge joins a report seen from inside and one seen from the Internet, in any
// order. What both saw alike stands once. Where they differ, the check's own
// vantage decides which one counts, the worse one where both do; the evidence
// names both.
func Merge(a, b *Report) (*Report, error) {
	inside, outside := a, b
	if a.Vantage == Internet {
		inside, outside = b, a
	}
	switch {
	case inside.Vantage != Internal || outside.Vantage != Internet:
		return nil, fmt.Errorf("one report must be seen from inside and one from the Internet, not from %q and %q: run the doctor with --vantage on each side", a.Vantage, b.Vantage)
	case a.Profile != b.Profile:
		return nil, fmt.Errorf("the reports are of two profiles, %s and %s", a.Profile, b.Profile)
	}
	m := &Report{Profile: a.Profile, Simulated: a.Simulated || b.Simulated, Vantage: twoSides, Paths: slices.Clone(inside.Paths)}
	for _, p := range outside.Paths {
		if !slices.ContainsFunc(m.Paths, func(q Path) bool { return q.Name == p.Name }) {
			m.Paths = append(m.Paths, p)
		}
	}
	m.Hidden = hiddenFrom(m.Paths)
	for _, in := range inside.Checks {
		if i := outside.index(in); i >= 0 {
			m.Checks = append(m.Checks, joined(in, outside.Checks[i]))
		} else {
			m.Checks = append(m.Checks, in)
		}
	}
	for _, out := range outside.Checks {
		if inside.index(out) < 0 {
			m.Checks = append(m.Checks, out)
		}
	}
	var boxes []string
	for _, ready := range slices.Concat(inside.Ready, outside.Ready) {
		if !slices.Contains(boxes, ready.Mailbox) {
			boxes = append(boxes, ready.Mailbox)
		}
	}
	m.ready(boxes)
	return m, nil
}

// index finds the same check on the same path for the same mailbox.
func (r *Report) index(o Outcome) int {
	return slices.IndexFunc(r.Checks, func(p Outcome) bool { return p.ID == o.ID && p.Path == o.Path && p.Mailbox == o.Mailbox })
}

// joined is one check seen from both sides.
func joined(in, out Outcome) Outcome {
	if in.Verdict == out.Verdict {
		one := out
		if in.Evidence != out.Evidence {
			one.Evidence = "inside: " + in.Evidence + "; outside: " + out.Evidence
		}
		one.Vantage = twoSides
		return one
	}
	switch {
	case out.Verdict == result.Skip:
		return in
	case in.Verdict == result.Skip:
		return out
	}
	rank := []result.Verdict{result.Pass, result.Warn, result.Fail}
	counts := out // what only the Internet's view decides, or the worse of the two
	if c, _ := Explain(in.ID); c.Vantage != Internet && slices.Index(rank, in.Verdict) > slices.Index(rank, out.Verdict) {
		counts = in
	}
	counts.Evidence = fmt.Sprintf("inside (%s): %s; outside (%s): %s", in.Verdict, in.Evidence, out.Verdict, out.Evidence)
	if in.Verdict == result.Pass {
		counts.Cause = "inside it passes: what stands between the Internet and the servers is the cause (public DNS, firewall, reverse proxy). Otherwise: " + counts.Cause
	}
	return counts
}

// Examination is the report as HTML and JUnit show it.
func (r *Report) Examination() reports.Examination {
	x := reports.Examination{Profile: r.Profile, Simulated: r.Simulated, Vantage: r.Vantage, Sum: r.sum(), Ready: !r.Failed()}
	for _, group := range groups {
		g := reports.ExaminedGroup{Blocks: group}
		for _, c := range r.Checks {
			if c.Blocks == group {
				g.Checks = append(g.Checks, reports.ExaminedCheck{Check: c.Check, Mailbox: c.Mailbox, Vantage: c.Vantage, Cause: c.Cause})
			}
		}
		if len(g.Checks) > 0 {
			x.Groups = append(x.Groups, g)
		}
	}
	for _, m := range r.Ready {
		x.Mailboxes = append(x.Mailboxes, reports.ExaminedMailbox{Name: m.Mailbox, Path: m.Path, Blocking: m.Blocking})
	}
	for _, h := range r.Hidden {
		x.Hidden = append(x.Hidden, reports.ExaminedHidden{What: h.What, Shows: h.Shows, Expect: h.Expect})
	}
	return x
}

// WriteHTML writes the report as one offline page.
func (r *Report) WriteHTML(w io.Writer) error {
	return reports.WriteExaminationHTML(w, r.Examination())
}

// WriteJUnit writes the report as test cases.
func (r *Report) WriteJUnit(w io.Writer) error {
	return reports.WriteExaminationJUnit(w, r.Examination())
}
