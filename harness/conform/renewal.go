package conform

import (
	"cmp"
	"slices"
	"sync"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// Versions of two stores have nothing in common but their pattern over time: while an item says the same on
// both sides, either both keep its version or both give it a new one, because somebody touched it in a way
// that the step does not show. A side that gives a new one alone makes clients fetch what they have.

const (
	maxRenewals = 1 << 16 // items of a step that are followed
	mostStates  = 16      // of one item, beyond which it is too lively to judge
)

// renewalLog follows the versions of items and their counterparts. Its fields are under mu.
type renewalLog struct {
	mu   sync.Mutex
	seen map[renewalKey][]bothStates
}

// renewalKey is an item and its counterpart as one step shows them.
type renewalKey struct{ left, right, view uint64 }

// bothStates is what was seen of both at once.
type bothStates struct {
	left, right               uint64 // versions
	leftContent, rightContent canon.Hash
	at                        place
}

func (l *renewalLog) add(left, right itemState) {
	s := bothStates{left.version, right.version, left.content, right.content, left.at}
	key := renewalKey{left.item, right.item, left.view}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[renewalKey][]bothStates{}
	}
	have, ok := l.seen[key]
	if !ok && len(l.seen) >= maxRenewals || len(have) >= mostStates {
		return
	}
	for i := range have {
		if have[i].same(s) {
			if s.at.compare(have[i].at) < 0 {
				have[i].at = s.at
			}
			return
		}
	}
	l.seen[key] = append(have, s)
}

func (s bothStates) same(o bothStates) bool {
	return s.left == o.left && s.right == o.right && s.leftContent == o.leftContent && s.rightContent == o.rightContent
}

// alone lists where one side gave an item new versions and the other kept the one it had, by side.
func (l *renewalLog) alone() (left, right []place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, states := range l.seen {
		if len(states) < 2 || len(states) >= mostStates {
			continue
		}
		slices.SortFunc(states, func(a, b bothStates) int { return a.at.compare(b.at) })
		for i, first := range states {
			if slices.ContainsFunc(states[:i], first.alike) {
				continue // judged with the first of its content
			}
			var lefts, rights []uint64
			var at place
			for _, s := range states[i:] {
				if !first.alike(s) {
					continue
				}
				if at = s.at; !slices.Contains(lefts, s.left) {
					lefts = append(lefts, s.left)
				}
				if !slices.Contains(rights, s.right) {
					rights = append(rights, s.right)
				}
			}
			switch {
			case len(lefts) > 1 && len(rights) == 1:
				left = append(left, at)
			case len(rights) > 1 && len(lefts) == 1:
				right = append(right, at)
			}
		}
	}
	slices.SortFunc(left, place.compare)
	slices.SortFunc(right, place.compare)
	return left, right
}

// alike reports whether both sides say in both states the same.
func (s bothStates) alike(o bothStates) bool {
	return s.leftContent == o.leftContent && s.rightContent == o.rightContent
}

// renewalFindings names the places where a version changed and neither the item nor its counterpart did.
func (c *Comparer) renewalFindings() []result.Finding {
	var list []result.Finding
	left, right := c.renewals.alone()
	for side, places := range [][]place{left, right} {
		by := map[tallyKey]int{}
		for _, at := range places {
			key := tallyKey{scenario: at.scenario, step: at.step, endpoint: at.endpoint, pointer: at.pointer}
			i, ok := by[key]
			if !ok {
				f := c.finding("version.renewed", at.scenario, at.step, at.endpoint, at.pointer)
				f.Left, f.Right, f.Attribution = "new version, same content", "same version", attributedLeft
				if side == 1 {
					f.Left, f.Right, f.Attribution = f.Right, f.Left, attributedRight
				}
				f.Example = &result.Example{Arrival: at.arrival, Mailbox: at.mailbox}
				i = len(list)
				by[key], list = i, append(list, f)
			}
			list[i].Count++
		}
	}
	for i := range list {
		f := &list[i]
		if n := c.folded.comparedIn(f.Scenario, f.Step); n > 0 {
			f.Share = min(1, float64(f.Count)/float64(n))
		}
	}
	slices.SortFunc(list, func(a, b result.Finding) int {
		return cmp.Or(compareFindings(a, b), cmp.Compare(a.Attribution, b.Attribution))
	})
	return list
}
