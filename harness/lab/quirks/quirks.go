// Package quirks names the ways in which the two sides of a hybrid deployment
// differ, after a ledger of observed and documented differences. Each is one
// switch, so that a comparison can be tested against a world whose differences
// are known; each switch that is on has mailboxes of its own, so that none
// hides another.
package quirks

import (
	"fmt"
	"slices"
	"strings"
)

// State says how a row of the ledger exists in the lab.
type State string

// The states.
const (
	Inherent State = "inherent" // part of the imitation: always there
	Toggle   State = "toggle"   // on when asked for
	Waits    State = "waits"    // cannot be said over REST or Graph: for EWS
)

// Quirk is one row of the ledger.
type Quirk struct {
	ID        string `json:"id"`
	State     State  `json:"state"`
	Side      string `json:"side"`      // onprem, cloud, proxy, both
	Class     string `json:"class"`     // breaking, adapter, capability, timing
	Certainty string `json:"certainty"` // documented, captured, client code, inferred
	Source    string `json:"source"`
	About     string `json:"about"`
	Trigger   string `json:"trigger"` // which operation shows it; of a toggle, in its own mailboxes
	// Alone keeps a toggle out of "all": it would hide another, is about no mailbox,
	// or takes several requests to show.
	Alone bool `json:"alone,omitempty"`

	act *act
}

// All lists the ledger in its order.
func All() []Quirk { return slices.Concat(envelopes, signIns, syncs, contents, limits) }

// Toggles lists the ids that can be switched on.
func Toggles() []string {
	var ids []string
	for _, q := range All() {
		if q.State == Toggle {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

// Expand turns the words of a setting into ids: "all", "none", or ids. Unknown
// ids, and ones that cannot be switched, are errors that say what is known.
func Expand(words []string) ([]string, error) {
	var out []string
	for _, word := range words {
		word = strings.TrimSpace(word)
		switch word {
		case "none", "":
			continue
		case "all":
			for _, q := range All() {
				if q.State == Toggle && !q.Alone {
					out = append(out, q.ID)
				}
			}
			continue
		}
		q, ok := Lookup(word)
		switch {
		case !ok:
			return nil, fmt.Errorf("unknown quirk %q; known: %s", word, strings.Join(Toggles(), ", "))
		case q.State == Inherent:
			return nil, fmt.Errorf("quirk %q is always on: it is part of what the lab imitates", word)
		case q.State == Waits:
			return nil, fmt.Errorf("quirk %q cannot be shown by the lab's dialects", word)
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Lookup finds a row by its id.
func Lookup(id string) (Quirk, bool) {
	for _, q := range All() {
		if q.ID == id {
			return q, true
		}
	}
	return Quirk{}, false
}

// Set is the quirks of one lab: which are on, and in whose mailboxes.
type Set struct {
	on    []Quirk
	slot  map[string]int
	pairs int
}

// NewSet switches ids on in a lab of so many twin pairs. With fewer pairs than
// quirks some share a mailbox.
func NewSet(ids []string, pairs int) *Set {
	s := &Set{slot: map[string]int{}, pairs: max(1, pairs)}
	for _, q := range All() {
		if q.State == Toggle && slices.Contains(ids, q.ID) {
			s.slot[q.ID] = len(s.on)
			s.on = append(s.on, q)
		}
	}
	return s
}

// Any says whether anything is on.
func (s *Set) Any() bool { return len(s.on) > 0 }

// On says whether a quirk is on at all.
func (s *Set) On(id string) bool { _, ok := s.slot[id]; return ok }

// At says whether a quirk is on in the mailboxes of a pair.
func (s *Set) At(id string, pair int) bool {
	slot, ok := s.slot[id]
	if !ok || pair < 0 {
		return false
	}
	if n := len(s.on); s.pairs >= n {
		return pair%n == slot
	}
	return slot%s.pairs == pair
}

// Planted is what a lab has switched on: the truth that findings are measured
// against. Nothing that compares may read it.
type Planted struct {
	Quirk
	Pairs []int `json:"pairs"` // numbers of the twin pairs that show it
}

// Planted lists what is on, with the pairs that show it.
func (s *Set) Planted() []Planted {
	out := []Planted{}
	for _, q := range s.on {
		p := Planted{Quirk: q, Pairs: []int{}}
		for i := range s.pairs {
			if s.At(q.ID, i) {
				p.Pairs = append(p.Pairs, i)
			}
		}
		out = append(out, p)
	}
	return out
}
