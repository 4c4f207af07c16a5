package conform

import (
	"cmp"
	"slices"
	"sync"

	"cutover/harness/canon"
)

// maxVersions bounds how many states of items are remembered over a run.
const maxVersions = 1 << 18

// versionLog checks what versions (etag, changeKey) promise on each side: an item whose version is the
// same has the same content. Their values mean nothing across two stores.
type versionLog struct {
	mu   sync.Mutex
	seen map[versionKey]versionState
}

// versionKey is one version of one item as one step shows it. Steps select different properties.
type versionKey struct{ item, version, view uint64 }

type versionState struct {
	content canon.Hash
	first   place
	broken  bool
	left    bool
}

type place struct {
	scenario, step, endpoint, pointer string
	arrival                           uint64
	mailbox                           string
}

func newVersionLog() *versionLog { return &versionLog{seen: map[versionKey]versionState{}} }

// versions notes the states of two objects, one of which may have no version, and the states of both
// together where the one is the other's counterpart.
func (w *walk) versions(l, r canon.Node) {
	left, lok := w.stateOf(l, true)
	right, rok := w.stateOf(r, false)
	for _, s := range []struct {
		itemState
		ok bool
	}{{left, lok}, {right, rok}} {
		if s.ok {
			w.c.versions.add(versionKey{s.item, s.version, s.view}, versionState{content: s.content, first: s.at, left: s.left})
		}
	}
	if lok && rok && !w.weak {
		w.c.renewals.add(left, right)
	}
}

// itemState is one item as one step shows it at one time.
type itemState struct {
	item, version, view uint64
	content             canon.Hash
	at                  place
	left                bool
}

// stateOf reads the state of an object that has an id and a version.
func (w *walk) stateOf(n canon.Node, left bool) (s itemState, ok bool) {
	version, ok := n.Get("changeKey")
	if !ok {
		if version, ok = n.Get("@odata.etag"); !ok {
			return s, false
		}
	}
	id, ok := n.Get("id")
	if !ok || id.Kind() != canon.String || version.Kind() != canon.String {
		return s, false
	}
	side, p := uint64(0), w.pair
	if left {
		side = 1
	}
	s.at = place{p.Scenario, p.Step, p.Endpoint, w.pattern(), p.Arrival, p.Mailbox}
	s.view = (canon.HashText(p.Scenario).Lo*3+canon.HashText(p.Step).Lo)*5 + canon.HashText(s.at.pointer).Lo
	s.item, s.version, s.content, s.left = w.token(id.TextHash())^side, version.TextHash().Lo, n.Hash(), left
	return s, true
}

func (v *versionLog) add(key versionKey, s versionState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	have, ok := v.seen[key]
	switch {
	case !ok && len(v.seen) >= maxVersions:
	case !ok:
		v.seen[key] = s
	default:
		have.broken = have.broken || have.content != s.content
		if s.first.compare(have.first) < 0 {
			have.first = s.first
		}
		v.seen[key] = have
	}
}

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.scenario, b.scenario), cmp.Compare(a.step, b.step),
		cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.pointer, b.pointer), cmp.Compare(a.mailbox, b.mailbox))
}

// broken lists the items whose content changed under one version, by side.
func (v *versionLog) broken() (left, right []place) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.seen {
		switch {
		case s.broken && s.left:
			left = append(left, s.first)
		case s.broken:
			right = append(right, s.first)
		}
	}
	slices.SortFunc(left, place.compare)
	slices.SortFunc(right, place.compare)
	return left, right
}
