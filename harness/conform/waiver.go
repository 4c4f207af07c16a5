package conform

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutover/harness/result"
	"cutover/suites/strictyaml"
)

// Waiver accepts a difference for a while: which, why, who answers for it and until when.
type Waiver struct {
	Pos      strictyaml.Pos      `yaml:"-"`
	Finding  string              `yaml:"finding,required" doc:"Rule id (value.string) or fingerprint (16 hexadecimal digits) of the difference."`
	Where    string              `yaml:"where" doc:"Only at this scenario, scenario/step, or scenario/step with a pointer behind a space; * stands for any text."`
	Reason   string              `yaml:"reason,required" doc:"Why the difference is accepted; printed in every report."`
	Owner    string              `yaml:"owner,required" doc:"Who answers for it."`
	Ticket   string              `yaml:"ticket" doc:"Where it is followed up."`
	Expires  string              `yaml:"expires,required" doc:"Last day on which the waiver counts, such as 2027-01-31."`
	MaxShare *strictyaml.Percent `yaml:"max_share" doc:"The waiver counts as long as no more of a step's pairs show the difference."`

	until time.Time
}

// Waivers is a file of waivers.
type Waivers struct {
	Waivers []Waiver `yaml:"waivers,required" doc:"Accepted differences."`
}

// ParseWaivers reads a file of waivers. Its error is strictyaml.Problems.
func ParseWaivers(file string, data []byte) (*Waivers, error) {
	var w Waivers
	problems := strictyaml.Decode(file, data, &w)
	for i := range w.Waivers {
		one := &w.Waivers[i]
		day, err := time.Parse(time.DateOnly, one.Expires)
		if err != nil && one.Expires != "" {
			problems.Add(one.Pos, "expires: %q is no date; write 2027-01-31", one.Expires)
		}
		one.until = day.AddDate(0, 0, 1)
		if one.Finding == "" || fingerprintForm.MatchString(one.Finding) {
			continue
		}
		if _, known := Explain(one.Finding); !known {
			problems.Add(one.Pos, "finding: %q is no rule and no fingerprint%s", one.Finding, strictyaml.Suggest(one.Finding, ruleIDs()))
		}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &w, nil
}

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

func ruleIDs() []string {
	var ids []string
	for _, r := range ruleTable() {
		ids = append(ids, r.ID)
	}
	return ids
}

// Apply marks the findings that a waiver accepts on that day. A waiver that has expired, or whose
// difference has grown past its largest share, accepts nothing: the finding counts as if it were new.
// The second result lists all waivers with what became of them.
func (w *Waivers) Apply(findings []result.Finding, now time.Time) ([]result.Finding, []result.Waiver) {
	out := slices.Clone(findings)
	told := make([]result.Waiver, len(w.Waivers))
	for i, one := range w.Waivers {
		told[i] = result.Waiver{
			Finding: one.Finding, Where: one.Where, Reason: one.Reason, Owner: one.Owner,
			Expires: one.until.AddDate(0, 0, -1), Expired: !now.Before(one.until), Unused: true,
		}
	}
	for f := range out {
		for i := range w.Waivers {
			if !w.Waivers[i].covers(out[f]) {
				continue
			}
			told[i].Unused = false
			if told[i].Expired || out[f].Waived {
				continue
			}
			if most := w.Waivers[i].MaxShare; most != nil && out[f].Share > float64(*most) {
				told[i].Outgrown = true
				out[f].Cause = fmt.Sprintf("grew past the %s that %s accepted", *most, w.Waivers[i].Owner)
				continue
			}
			waiver := told[i]
			out[f].Waived, out[f].Waiver = true, &waiver
		}
	}
	for f := range out {
		if out[f].Waived {
			waiver := *out[f].Waiver
			waiver.Unused = false
			out[f].Waiver = &waiver
		}
	}
	return out, told
}

// covers reports whether a waiver is about a finding.
func (w Waiver) covers(f result.Finding) bool {
	if w.Finding != f.ID && w.Finding != f.Fingerprint {
		return false
	}
	if w.Where == "" {
		return true
	}
	step := f.Scenario + "/" + f.Step
	for _, place := range []string{f.Scenario, step, step + " " + f.Pointer} {
		if globbed(w.Where, place) {
			return true
		}
	}
	return false
}

// globbed matches a text in which * stands for any text.
func globbed(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, first)
	if !ok || !star {
		return ok && s == ""
	}
	for i := range len(s) + 1 {
		if globbed(rest, s[i:]) {
			return true
		}
	}
	return false
}

// Draft is the text that waives a finding: what `cutover waive` appends to the file of waivers. The
// finding is named by its fingerprint, so that only this difference at this place is accepted.
func Draft(f result.Finding, reason, owner string, expires time.Time) string {
	share := min(1, f.Share*1.5)
	return fmt.Sprintf("  # %s: %s, at %s/%s %s\n  - finding: %s\n    reason: %s\n    owner: %s\n    expires: %s\n    max_share: %s%%\n",
		f.ID, f.Title, f.Scenario, f.Step, f.Pointer, f.Fingerprint, strconv.Quote(reason), strconv.Quote(owner), expires.Format(time.DateOnly),
		strconv.FormatFloat(math.Ceil(1e4*share)/100, 'f', -1, 64))
}
