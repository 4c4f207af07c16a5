package reports

import (
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"cutover/harness/result"
)

// decision is what a change board wants to hear.
type decision string

// The decisions. A run that could not tell never says go.
const (
	decisionGo     decision = "GO"
	decisionWaived decision = "GO with waivers"
	decisionNoGo   decision = "NO-GO"
	decisionNone   decision = "NO DECISION"
)

// tone is the decision's colour on the page.
func (d decision) tone() string {
	switch d {
	case decisionGo, decisionWaived:
		return "pass"
	case decisionNoGo:
		return "fail"
	}
	return "inconclusive"
}

// workload is one scenario in an operator's words.
type workload struct {
	Name     string
	Decision decision
	Tone     string
	Words    []string
}

// readiness is the page as data, the same for both forms.
type readiness struct {
	R         *result.Result
	Policy    string
	Style     template.CSS
	Simulated bool
	Decision  decision
	Tone      string
	Workloads []workload
	Reasons   []string
	When      string
}

// strongest is how many reasons the page gives.
const strongest = 5

func newReadiness(r *result.Result) readiness {
	p := readiness{R: r, Simulated: simulated(r), When: r.Started.UTC().Format("2 January 2006, 15:04 UTC")}
	p.Decision = decide(r.Findings, judged(r))
	p.Tone = p.Decision.tone()
	for _, name := range scenarioNames(r) {
		p.Workloads = append(p.Workloads, newWorkload(r, name))
	}
	p.Reasons = strongestReasons(r)
	return p
}

// decide takes the verdict as it stands and adds whether waivers carry it.
func decide(findings []result.Finding, v result.Verdict) decision {
	switch v {
	case result.Fail:
		return decisionNoGo
	case result.Pass:
	default:
		return decisionNone
	}
	for _, f := range findings {
		unwaived := f
		unwaived.Waived = false
		if f.Waived && unwaived.Blocks() {
			return decisionWaived
		}
	}
	return decisionGo
}

// judged is the verdict as far as it carries a decision: a run that compared
// nothing carries none, however well it went.
func judged(r *result.Result) result.Verdict {
	if r.Verdict == result.Pass && r.Comparison.Compared == 0 {
		return result.Inconclusive
	}
	return r.Verdict
}

// newWorkload judges one scenario by its own differences. A gate speaks of the
// run as a whole; when it failed, no workload is a go.
func newWorkload(r *result.Result, name string) workload {
	var own []result.Finding
	verdict := judged(r)
	blocking := 0
	for _, f := range r.Findings {
		if f.Scenario == name {
			own = append(own, f)
			if f.Blocks() {
				blocking++
			}
		}
	}
	if verdict == result.Fail && blocking == 0 && !gateFailed(r) {
		verdict = result.Pass
	}
	w := workload{Name: name, Decision: decide(own, verdict)}
	w.Tone = w.Decision.tone()
	if blocking > 0 {
		w.Words = append(w.Words, plural(uint64(blocking), "difference breaks", "differences break")+" applications")
	}
	if gateFailed(r) {
		w.Words = append(w.Words, "a gate of the run did not hold")
	}
	for _, op := range operations(r) {
		if op.Scenario == name && (op.Whole() || !hasWhole(r, name)) {
			w.Words = append(w.Words, feltWords(r, op))
		}
	}
	if len(own) > blocking {
		w.Words = append(w.Words, plural(uint64(len(own)-blocking), "other difference", "other differences"))
	}
	return w
}

func gateFailed(r *result.Result) bool {
	for _, g := range r.Gates {
		if g.Verdict == result.Fail && !g.Implicit {
			return true
		}
	}
	return false
}

func hasWhole(r *result.Result, scenario string) bool {
	for _, s := range r.Steps {
		if s.Scenario == scenario && s.Step == result.WholeLeg {
			return true
		}
	}
	return false
}

// feltWords says an operation's shift as an operator would: "open-inbox: 52 ms
// slower on cloud (48 – 57), 93 ms instead of 41".
func feltWords(r *result.Result, op operation) string {
	what := op.Step
	if op.Whole() {
		what = "as a whole"
	}
	if op.Left == nil || op.Right == nil || op.Left.Response.P50 == nil || op.Right.Response.P50 == nil {
		for _, row := range op.rows() {
			if row.Response.P50 != nil {
				return fmt.Sprintf("%s: %s on %s, half of the time", what, withUnit(*row.Response.P50), row.Path)
			}
		}
		return what + ": not measured"
	}
	left, right := *op.Left.Response.P50, *op.Right.Response.P50
	by, word := right-left, "slower"
	if by < 0 {
		by, word = -by, "faster"
	}
	bounds := ""
	if s := op.Shift; s != nil && s.P50.Low != nil && s.P50.High != nil {
		if *s.P50.Low <= 0 && *s.P50.High >= 0 {
			return fmt.Sprintf("%s: as fast on %s as on %s (%s against %s; the difference is within its error)", what, op.Right.Path, op.Left.Path, withUnit(right), withUnit(left))
		}
		low, high := *s.P50.Low, *s.P50.High
		if word == "faster" {
			low, high = -high, -low
		}
		bounds = fmt.Sprintf(" (%s to %s)", sig3(low), sig3(high))
	}
	return fmt.Sprintf("%s: %s %s on %s%s, %s instead of %s", what, withUnit(by), word, pathName(r, result.Right), bounds, withUnit(right), withUnit(left))
}

// strongestReasons gives up to five reasons for the decision: what speaks
// against a go first, then what supports it.
func strongestReasons(r *result.Result) []string {
	var out []string
	for _, f := range worst(r) {
		if f.Blocks() {
			out = append(out, fmt.Sprintf("%s in %s: %s on %s, %s on %s (%s of the answers)", orElse(f.Title, f.ID), f.Scenario+"/"+f.Step,
				shown(f.Left), pathName(r, result.Left), shown(f.Right), pathName(r, result.Right), share(f.Share)))
		}
	}
	for _, g := range r.Gates {
		if g.Verdict == result.Fail && !g.Implicit {
			out = append(out, fmt.Sprintf("%s did not hold: %s", g.Gate, observed(g)))
		}
	}
	if r.Verdict == result.Inconclusive {
		out = append(out, r.Reasons...)
	}
	if r.Comparison.Compared == 0 {
		out = append(out, nothingNoticed(r))
	}
	held, unsure := 0, 0
	for _, g := range r.Gates {
		switch g.Verdict {
		case result.Pass:
			held++
		case result.NoData:
			unsure++
		}
	}
	if held > 0 {
		text := plural(uint64(held), "gate held", "gates held")
		if unsure > 0 {
			text += ", " + strconv.Itoa(unsure) + " had too little data"
		}
		out = append(out, text)
	}
	if c := r.Comparison; c.Compared > 0 {
		out = append(out, fmt.Sprintf("%s of %s compared pairs were equal once representation is folded away", count(c.Equal), count(c.Compared)))
	}
	if b := r.Buckets; b.Planned > 0 {
		out = append(out, fmt.Sprintf("%s of %s completed (%s)", count(b.Completed), plural(b.Planned, "leg", "legs"), share(float64(b.Completed)/float64(b.Planned))))
	}
	return out[:min(strongest, len(out))]
}

func worst(r *result.Result) []result.Finding {
	fs := append([]result.Finding(nil), r.Findings...)
	worstFirst(fs)
	return fs
}

// writeReadiness writes the page for a change board. It has no script.
func writeReadiness(w io.Writer, r *result.Result, _ Options) error {
	style, err := pageFile("page.css")
	if err != nil {
		return err
	}
	p := newReadiness(r)
	p.Style = trustedStyle(style)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", digest(style))
	return writePage(w, p, readinessPage)
}

// writeReadinessMarkdown writes the same as Markdown.
func writeReadinessMarkdown(w io.Writer, r *result.Result, _ Options) error {
	p := newReadiness(r)
	var b strings.Builder
	sim := ""
	if p.Simulated {
		sim = " (simulated)"
	}
	fmt.Fprintf(&b, "# %s%s\n\n%s on %s, %s.\n\n", p.Decision, sim, md(r.Suite), md(r.Profile), p.When)
	b.WriteString("## Why\n\n")
	for _, reason := range p.Reasons {
		fmt.Fprintf(&b, "- %s\n", md(reason))
	}
	b.WriteString("\n## By workload\n\n| workload | decision | in an operator's words |\n|---|---|---|\n")
	for _, l := range p.Workloads {
		words := make([]string, len(l.Words))
		for i, word := range l.Words {
			words[i] = md(word)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", md(l.Name), l.Decision, strings.Join(words, "<br>"))
	}
	b.WriteString("\n## Not tested\n\n")
	for _, n := range r.NotTested {
		fmt.Fprintf(&b, "- %s\n", md(n))
	}
	if len(r.NotTested) == 0 {
		b.WriteString("Nothing is known to be left out.\n")
	}
	if len(r.Waivers) > 0 {
		b.WriteString("\n## Waivers\n\n| difference | reason | owner | expires |\n|---|---|---|---|\n")
		for _, wv := range r.Waivers {
			expired := ""
			if wv.Expired {
				expired = " (expired)"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s%s |\n", md(wv.Finding), md(wv.Reason), md(wv.Owner), wv.Expires.Format("2006-01-02"), expired)
		}
	}
	if line := consentWords(r); line != "" {
		fmt.Fprintf(&b, "\n%s.\n", md(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
