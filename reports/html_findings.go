package reports

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"cutover/harness/result"
)

// detailBudget bounds the bytes that findings in full take on the page: with
// 10,000 of them it stays below 1 MB. The others are summed up by rule.
const detailBudget = 420_000

// valueLimit bounds one value on the page, in bytes; findings.jsonl has it
// whole.
const valueLimit = 600

type htmlGroup struct {
	classGroup
	Rules []htmlRule
	More  int
}

// htmlRule is one rule of a class with the places where it was seen. From
// foldFrom places on it is a branch of its own.
type htmlRule struct {
	rule
	Branch bool
	Common *common // nil: nothing
	Shown  []htmlFinding
}

// common is what all findings of a branch say alike. It stands at the head of the
// branch, once; a field is empty where they differ.
type common struct{ Cause, Remedy, Source string }

// tell moves what the findings of a branch have in common to its head.
func (r *htmlRule) tell() {
	if !r.Branch || len(r.Shown) == 0 {
		return
	}
	first := r.Shown[0]
	c := common{first.Cause, first.Remedy, first.Source}
	for _, f := range r.Shown[1:] {
		for _, one := range []struct {
			of   *string
			said string
		}{{&c.Cause, f.Cause}, {&c.Remedy, f.Remedy}, {&c.Source, f.Source}} {
			if *one.of != one.said {
				*one.of = ""
			}
		}
	}
	for i := range r.Shown {
		r.Shown[i].InBranch, r.Shown[i].Told = true, c
	}
	if c != (common{}) {
		r.Common = &c
	}
}

// foldFrom is the number of places from which a rule is folded into a branch.
const foldFrom = 3

type htmlFinding struct {
	result.Finding
	N           int
	LeftText    diffed
	RightText   diffed
	SharePoints string
	Mark        string // what kind of difference, where the rule's name does not say it
	Blame       string // which side it is attributed to
	Open        bool   // shown unfolded: one of the first that fail the run
	InBranch    bool   // below a head that names rule and title
	Told        common // what that head says for it
}

// diffed is a value with the part that differs from the other side.
type diffed struct {
	Absent         bool
	Before, Differ string
	After          string
}

// foldedRule sums up the findings of a rule that are not shown in full.
type foldedRule struct {
	ID       string
	Distinct int
	Count    uint64
	Parts    []foldedPart // by class and severity, the most frequent first
}

type foldedPart struct {
	Class    result.Class
	Severity result.Severity
	Distinct int
	Count    uint64
}

// Words say which classes and severities a rule has, with numbers where there are several.
func (f foldedRule) Words() string {
	var parts []string
	for _, p := range f.Parts {
		text := fmt.Sprintf("%s, %s", p.Class, p.Severity)
		if len(f.Parts) > 1 {
			text += fmt.Sprintf(": %s, seen %s", count(uint64(p.Distinct)), plural(p.Count, "time", "times"))
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// htmlGroups prepares findings by class, the worst in full until the budget is
// spent.
func htmlGroups(r *result.Result) ([]htmlGroup, []foldedRule, uint64) {
	var groups []htmlGroup
	var rest []result.Finding
	used, number := 0, 0
	for _, g := range byClass(r) {
		h := htmlGroup{classGroup: g}
		index := map[string]int{}
		for _, branch := range byRule(g.Findings) {
			index[ruleKey(branch.Finding)] = len(h.Rules)
			h.Rules = append(h.Rules, htmlRule{rule: branch, Branch: branch.Places >= foldFrom})
		}
		for _, f := range g.Findings {
			used += 1700 + 2*min(valueLimit, len(f.Left)) + 2*min(valueLimit, len(f.Right)) + len(f.Pointer) + len(f.Cause) + len(f.Remedy) + proofSize(f)
			if used > detailBudget {
				rest = append(rest, f)
				h.More++
				continue
			}
			number++
			branch := &h.Rules[index[ruleKey(f)]]
			branch.Shown = append(branch.Shown, newHTMLFinding(r, f, number))
		}
		for i := range h.Rules {
			h.Rules[i].tell()
		}
		groups = append(groups, h)
	}
	return groups, folded(rest), uint64(len(rest))
}

// ruleKey tells branches apart as byRule does.
func ruleKey(f result.Finding) string {
	return fmt.Sprintf("%s %s %v", f.ID, f.Severity, f.Waived)
}

// blame says in words which side a difference is attributed to.
func blame(r *result.Result, attribution string) string {
	switch attribution {
	case result.Left, result.Right:
		return "attributed to " + pathName(r, attribution)
	case "":
		return "attributed to nobody"
	}
	return "attributed to " + attribution
}

func newHTMLFinding(r *result.Result, f result.Finding, number int) htmlFinding {
	h := htmlFinding{Finding: f, N: number, Blame: blame(r, f.Attribution),
		SharePoints: coordinate(min(1, max(0, f.Share)) * 60), Open: f.Blocks() && number <= 5}
	if f.Kind != f.ID {
		h.Mark = strings.ReplaceAll(f.Kind, "-", " ")
	}
	h.LeftText, h.RightText = contrast(f.Left, f.Right)
	return h
}

// contrast splits both values into what they share at either end and what
// differs between.
func contrast(left, right string) (diffed, diffed) {
	if left == "" || right == "" || left == right {
		return diffed{Absent: left == "", Before: shorten(left)}, diffed{Absent: right == "", Before: shorten(right)}
	}
	left, right = shorten(left), shorten(right)
	head := 0
	for head < min(len(left), len(right)) && left[head] == right[head] {
		head++
	}
	for head > 0 && (head < len(left) && !utf8.RuneStart(left[head]) || head < len(right) && !utf8.RuneStart(right[head])) {
		head--
	}
	tail := 0
	for tail < min(len(left), len(right))-head && left[len(left)-1-tail] == right[len(right)-1-tail] {
		tail++
	}
	for tail > 0 && !utf8.RuneStart(left[len(left)-tail]) {
		tail--
	}
	split := func(s string) diffed {
		return diffed{Before: s[:head], Differ: s[head : len(s)-tail], After: s[len(s)-tail:]}
	}
	return split(left), split(right)
}

// shorten bounds a value and marks the cut.
func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= valueLimit {
		return s
	}
	end := valueLimit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// folded sums findings up by rule, the most frequent first.
func folded(fs []result.Finding) []foldedRule {
	index := map[string]int{}
	var out []foldedRule
	for _, f := range fs {
		at, known := index[f.ID]
		if !known {
			at = len(out)
			index[f.ID] = at
			out = append(out, foldedRule{ID: f.ID})
		}
		out[at].add(f)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Distinct > out[j].Distinct })
	for i := range out {
		sort.SliceStable(out[i].Parts, func(j, k int) bool { return out[i].Parts[j].Distinct > out[i].Parts[k].Distinct })
	}
	return out
}

func (f *foldedRule) add(one result.Finding) {
	f.Distinct++
	f.Count += one.Count
	for i := range f.Parts {
		if p := &f.Parts[i]; p.Class == one.Class && p.Severity == one.Severity {
			p.Distinct++
			p.Count += one.Count
			return
		}
	}
	f.Parts = append(f.Parts, foldedPart{one.Class, one.Severity, 1, one.Count})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
