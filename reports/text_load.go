package reports

import (
	"fmt"
	"strings"

	"cutover/harness/result"
)

// pushback says how the paths asked the run to slow down.
func (t *textReport) pushback() {
	if len(t.r.Pushback) == 0 {
		return
	}
	t.section("Pushback", "throttling answers, policy "+clean(t.r.Pushback[0].Policy))
	for _, p := range t.r.Pushback {
		t.line("  ", t.paint(clean(p.Path), bold))
		if p.First != nil {
			t.wrapped("    ", firstThrottle(p.First), plain)
		}
		share := share(float64(p.Answers) / float64(max(p.Requests, 1)))
		t.wrapped("    ", fmt.Sprintf("%s of %s throttled (%s): %s", count(p.Answers), plural(p.Requests, "request", "requests"), share, limits(p)), plain)
		t.wrapped("    ", keptStill(p), plain)
		if words := goodput(t.r, p.Path); words != "" {
			t.wrapped("    ", words, plain)
		}
		if p.Knee != nil || len(p.Points) > 1 {
			t.wrapped("    ", "throttling begins "+kneeWords(p), plain)
		}
	}
}

// firstThrottle says when it began, and at what.
func firstThrottle(f *result.FirstThrottle) string {
	words := fmt.Sprintf("first throttle at request %s, %s: %s", count(f.Request), withUnit(f.AtMS), f.Bucket)
	if f.Mailbox != "" {
		words += " of " + f.Mailbox
	}
	words += fmt.Sprintf("; %s/%s answered %d", f.Scenario, f.Step, f.Status)
	if f.Evidence != "" && f.Evidence != fmt.Sprint(f.Status) {
		words += " (" + f.Evidence + ")"
	}
	if f.RetryMS > 0 {
		return words + ", to be asked again after " + withUnit(f.RetryMS)
	}
	return words + ", without saying when to ask again"
}

// keptStill says how well the run kept to what the server asked for.
func keptStill(p result.Pushback) string {
	inside := "no request left inside a window that a Retry-After had closed"
	if p.Violated > 0 {
		inside = plural(p.Violated, "request", "requests") + " left inside a window that a Retry-After had closed"
	}
	if p.Waits == 0 {
		return inside
	}
	words := "kept still " + plural(p.Waits, "time", "times")
	if p.LongestMS > 0 {
		words += ", as asked for up to " + withUnit(p.LongestMS)
	}
	return words + "; " + inside
}

// searches lists the highest rates that were found, and every trial.
func (t *textReport) searches() {
	if len(t.r.Search) == 0 {
		return
	}
	t.section("Highest rate at which the gates hold", "iterations per second")
	for _, s := range t.r.Search {
		color := plain
		if s.Result != result.SearchFound {
			color = unsure
		}
		t.wrapped("  ", clean(s.Path)+"  "+searchWords(s), color)
		var rows [][]cell
		for _, trial := range s.Trials {
			rows = append(rows, []cell{{text: "at " + seconds(trial.StartS), right: true}, {text: "asked " + sig3(trial.AskedPS) + "/s", right: true},
				{text: "got " + sig3(trial.GotPS) + "/s", right: true}, {text: trialWords(trial)}})
		}
		for line := range strings.Lines(table(rows, "    ", t.o.Color)) {
			t.b.WriteString(cut(strings.TrimSuffix(line, "\n"), t.width) + "\n")
		}
	}
}

// searchWords says a search's answer in one sentence.
func searchWords(s result.Search) string {
	switch s.Result {
	case result.SearchFound:
		words := fmt.Sprintf("%s/s holds, confirmed %s", sig3(s.HeldPS), plural(uint64(s.Confirmed), "time", "times"))
		if s.FailedPS == 0 {
			return words + "; it is the highest that the suite allows"
		}
		return words + fmt.Sprintf("; %s/s does not: %s", sig3(s.FailedPS), s.Limiting)
	case result.SearchNothing:
		return s.Why
	}
	words := "no answer: " + s.Why
	if s.HeldPS > 0 {
		words += fmt.Sprintf("; %s/s held", sig3(s.HeldPS))
	}
	return words
}

func trialWords(t result.Trial) string {
	words := t.Verdict
	if t.Confirm {
		words += " (confirming)"
	}
	switch {
	case t.Limiting != "":
		words += ": " + t.Limiting
	case t.Response.P95 != nil:
		words += ", p95 " + withUnit(*t.Response.P95)
	}
	return clean(words)
}
