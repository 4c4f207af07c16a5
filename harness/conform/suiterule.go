package conform

import (
	"strconv"
	"strings"
	"sync/atomic"

	"cutover/suites"
)

// ruleSet is the suite's rules for one step: the suite's own and the step's.
type ruleSet []*compiledRule

type compiledRule struct {
	rule   suites.CompareRule
	path   []pathStep
	aspect aspect
	hits   *atomic.Uint64
}

// pathStep is one step of a rule's place.
type pathStep struct {
	name  string // of a member; "" with any or deep or index
	index int    // of an element, -1 for none
	any   bool   // * : any member or element
	deep  bool   // ** : any number of steps
}

func compileRules(rules []suites.CompareRule) ruleSet {
	set := make(ruleSet, 0, len(rules))
	for _, r := range rules {
		set = append(set, &compiledRule{rule: r, path: parsePlace(r.At), aspect: aspectOf(r.Ignore), hits: new(atomic.Uint64)})
	}
	return set
}

func aspectOf(word string) aspect {
	switch word {
	case "presence":
		return aspectPresence
	case "order":
		return aspectOrder
	case "type":
		return aspectType
	case "all":
		return aspectAll
	}
	return aspectValue
}

// parsePlace reads $.value[*].id, $..id or the pointer glob /value/*/id.
func parsePlace(at string) []pathStep {
	if strings.HasPrefix(at, "$") {
		return parseJSONPath(at[1:])
	}
	var steps []pathStep
	for token := range strings.SplitSeq(strings.Trim(at, "/"), "/") {
		if token != "" {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
			steps = append(steps, placeStep(token))
		}
	}
	return steps
}

func placeStep(token string) pathStep {
	switch token {
	case "*":
		return pathStep{index: -1, any: true}
	case "**":
		return pathStep{index: -1, deep: true}
	}
	if n, err := strconv.Atoi(token); err == nil && n >= 0 {
		return pathStep{index: n}
	}
	return pathStep{name: token, index: -1}
}

func parseJSONPath(path string) []pathStep {
	var steps []pathStep
	for path != "" {
		switch {
		case strings.HasPrefix(path, ".."):
			steps = append(steps, pathStep{index: -1, deep: true})
			path = path[1:]
			if strings.HasPrefix(path, ".[") {
				path = path[1:]
			}
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return append(steps, pathStep{name: path, index: -1})
			}
			inner := path[1:end]
			if quoted := strings.Trim(inner, `'"`); quoted != inner {
				steps = append(steps, pathStep{name: quoted, index: -1})
			} else {
				steps = append(steps, placeStep(inner))
			}
			path = path[end+1:]
		default:
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if path[:end] != "" {
				steps = append(steps, placeStep(path[:end]))
			}
			path = path[end:]
		}
	}
	return steps
}

// overlooks finds the rule that covers an aspect at a place. A rule with ignore: all covers
// everything below its place; of several the most specific wins, then the later.
func (s ruleSet) overlooks(at trail, what aspect) (because string, ok bool) {
	var best *compiledRule
	for _, r := range s {
		if r.aspect != aspectAll && r.aspect != what {
			continue
		}
		if !matches(r.path, at, r.aspect == aspectAll) {
			continue
		}
		if best == nil || len(r.path) >= len(best.path) {
			best = r
		}
	}
	if best == nil {
		return "", false
	}
	best.hits.Add(1)
	return best.rule.Because, true
}

// matches reports whether a place covers a trail; below lets the trail go on.
func matches(place []pathStep, at trail, below bool) bool {
	if len(place) == 0 {
		return len(at) == 0 || below
	}
	if place[0].deep {
		for i := 0; i <= len(at); i++ {
			if matches(place[1:], at[i:], below) {
				return true
			}
		}
		return false
	}
	if len(at) == 0 {
		return false
	}
	p, s := place[0], at[0]
	fits := p.any || p.index >= 0 && p.index == s.index || p.name != "" && s.index < 0 && p.name == s.name
	return fits && matches(place[1:], at[1:], below)
}
