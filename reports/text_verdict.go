package reports

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"cutover/harness/result"
)

// checks lists preflight checks that did not pass; a line says how many did.
func (t *textReport) checks() {
	if len(t.r.Checks) == 0 {
		return
	}
	passed := 0
	var rows [][]cell
	for _, c := range t.r.Checks {
		if c.Verdict == result.Pass {
			passed++
			continue
		}
		text := c.Title
		if c.Evidence != "" {
			text += ": " + c.Evidence
		}
		rows = append(rows, []cell{{text: string(c.Verdict), paint: verdictPaint(c.Verdict)}, {text: clean(c.Path)}, {text: clean(text)}})
	}
	t.section("Preflight", fmt.Sprintf("%d of %d checks passed", passed, len(t.r.Checks)))
	t.b.WriteString(table(fitted(rows, t.width-2), "  ", t.o.Color))
}

// verdict states the answer, its reasons and each gate.
func (t *textReport) verdict() {
	r := t.r
	t.section("Verdict", "")
	word := strings.ToUpper(string(r.Verdict))
	if simulated(r) {
		word += " (simulated)"
	}
	t.line("  ", t.paint(word, verdictPaint(r.Verdict))+fmt.Sprintf(", exit code %d", r.ExitCode))
	for _, reason := range r.Reasons {
		t.wrapped("    · ", reason, plain)
	}
	var rows [][]cell
	for _, g := range r.Gates {
		rows = append(rows, []cell{
			{text: string(g.Verdict), paint: verdictPaint(g.Verdict)}, {text: clean(g.Gate)},
			{text: clean(observed(g)), right: true}, {text: clean(margin(g))},
		})
	}
	t.b.WriteString(table(fitted(rows, t.width-2), "  ", t.o.Color))
}

// observed is what a gate saw, or that it saw too little.
func observed(g result.Outcome) string {
	if g.Verdict == result.NoData && g.Observed == "" {
		return "no data"
	}
	return g.Observed
}

// margin says how far from its limit a gate is.
func margin(g result.Outcome) string {
	switch {
	case g.Note != "":
		return g.Note
	case g.Margin == "":
		return ""
	case g.Verdict == result.Pass:
		return g.Margin + " to spare"
	}
	return strings.TrimLeft(g.Margin, "-−") + " beyond"
}

func verdictPaint(v result.Verdict) paint {
	switch v {
	case result.Pass:
		return good
	case result.Fail:
		return alarm
	}
	return unsure
}

// health says whether the numbers can be trusted.
func (t *textReport) health() {
	g := t.r.Generator
	held, color := "held its schedule", green
	if len(g.Bent) > 0 {
		held, color = "did not hold its schedule", alarm
	}
	if t.r.SealedByHand {
		held, color = "was not judged, the run was killed", unsure
	}
	text := fmt.Sprintf(": lag p99 %s, CPU %s, memory %s", withUnit(g.LagP99), share(g.CPU), size(g.RSSBytes))
	if g.InProcess {
		text += "; it shared its process with the lab"
	}
	t.section("Generator", "")
	for i, line := range wrap(held+text, t.width-2) {
		if i == 0 {
			line = strings.Replace(line, held, t.paint(held, color), 1)
		}
		t.line("  ", line)
	}
	for _, bent := range g.Bent {
		t.wrapped("    · ", bent, plain)
	}
}

func (t *textReport) notTested() {
	if len(t.r.NotTested) == 0 {
		return
	}
	t.section("Not tested", "")
	for _, n := range t.r.NotTested {
		t.wrapped("  · ", n, plain)
	}
}

// sent accounts for every request and every item created.
func (t *textReport) sent() {
	r := t.r
	t.section("Sent and removed", "")
	names := make([]string, 0, len(r.Traffic))
	for name := range r.Traffic {
		names = append(names, name)
	}
	sort.Strings(names)
	var rows [][]cell
	for _, name := range names {
		var parts []string
		for _, l := range trafficWords(r.Traffic[name]) {
			parts = append(parts, count(l.N)+" "+l.Label)
		}
		rows = append(rows, []cell{{text: clean(name)}, {text: plural(r.Traffic[name].Sum(), "request", "requests"), right: true},
			{text: strings.Join(parts, ", ")}})
	}
	t.b.WriteString(table(fitted(rows, t.width-2), "  ", t.o.Color))
	for _, line := range append(connectionWords(r), signInWords(r)...) {
		t.wrapped("  ", line, plain)
	}
	t.wrapped("  ", cleanupWords(r.Cleanup), plain)
	for _, line := range safetyWords(r) {
		t.wrapped("  ", line, plain)
	}
}

// cleanupWords says what became of the items that the run created.
func cleanupWords(c result.Cleanup) string {
	if c.Created+c.Unknown == 0 {
		return "nothing was created"
	}
	text := fmt.Sprintf("%s created, %s removed, %s left", plural(c.Created, "item", "items"), count(c.Removed), count(c.Left))
	if c.Unknown > 0 {
		text += fmt.Sprintf(", %s perhaps created (no answer came)", count(c.Unknown))
	}
	if c.Proof != "" {
		text += "; " + c.Proof
	}
	return text
}

// next says where the report is and which three commands lead on.
func (t *textReport) next() {
	t.section("Next", "")
	if t.o.ReportPath != "" {
		t.b.WriteString("  report: " + clean(t.o.ReportPath) + "\n")
	}
	var rows [][]cell
	for _, n := range nextCommands(t.r, t.o) {
		rows = append(rows, []cell{{text: clean(n[0]), paint: bold}, {text: n[1]}})
	}
	t.b.WriteString(table(rows, "  ", t.o.Color))
}

// firstStorey are the commands that are offered when nobody says which there
// are.
var firstStorey = []string{"run", "check", "plan", "lab", "report", "explain", "list", "clean", "schema", "version"}

// nextCommands picks three commands that fit what happened, each with what it
// is for.
func nextCommands(r *result.Result, o Options) [][2]string {
	var out [][2]string
	there := o.Commands
	if there == nil {
		there = firstStorey
	}
	offer := func(name, rest, why string) {
		if len(out) < 3 && slices.Contains(there, name) {
			out = append(out, [2]string{"cutover " + name + " " + rest, why})
		}
	}
	if id := telling(r); id != "" {
		offer("explain", id, "what that difference means, its source and remedy")
	}
	if r.Cleanup.Left+r.Cleanup.Unknown > 0 {
		offer("clean", "--run "+word(cmp.Or(o.RunDir, r.RunID)), "remove what the run left behind")
	}
	if simulated(r) {
		if strings.Contains(r.Command, "lab.quirks") {
			offer("list", "quirks", "what the lab can imitate, each with its source")
		} else {
			offer("run", word(cmp.Or(r.SuiteFile, r.Suite))+" --set lab.quirks=all", "the same lab with every known quirk: a NO-GO, explained")
		}
		offer("doctor", "--profile FILE", "is your own deployment ready to be asked?")
		offer("check", "FILE", "your own suite or profile: every problem with its line")
	}
	if o.RunDir != "" {
		offer("compare", "BASE "+word(o.RunDir), "what changed against an earlier run")
		offer("report", word(o.RunDir)+" --format readiness-md", "one page for the change board")
	}
	offer("list", "suites", "what else can be asked")
	return out
}

// word is a name as a shell takes it for one: quoted when it holds a blank.
func word(name string) string {
	if strings.ContainsAny(name, " \t'\"$&;()") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// telling picks the finding most worth an explanation.
func telling(r *result.Result) string {
	for _, g := range byClass(r) {
		return g.Findings[0].ID
	}
	return ""
}
