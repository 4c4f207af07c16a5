package conform

import (
	"fmt"
	"runtime"
	"testing"

	"cutover/harness/result"
)

func TestAMillionIdentitiesFitIn96MB(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second and 150 MB")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := newIdentityGraph(maxEdges)
	place := g.place(evidence{sort: "message", pointer: "/value/*/id"})
	const ids = 1_000_000
	for i := range uint64(ids) {
		g.insert(edgeKey{(i + 1) * 0x9e3779b97f4a7c15, (i + 7) * 0xbf58476d1ce4e5b9}, false, place, uint32(i))
	}
	g.insert(edgeKey{1 * 0x9e3779b97f4a7c15, 0xabcdef}, false, place, 5)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if mb := float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20); mb > 96 {
		t.Errorf("%d edges take %.0f MB, more than 96", ids, mb)
	} else {
		t.Logf("%d edges take %.0f MB", ids, mb)
	}
	got, bad, _, dropped := g.judge(nil)
	if want := (result.Identities{Matched: ids - 1, Split: 1}); got != want || len(bad) != 1 || dropped != 0 {
		t.Errorf("identities %+v, %d violations, %d dropped; want %+v and one violation", got, len(bad), dropped, want)
	}
	runtime.KeepAlive(g)
}

func TestTheGraphSaysWhenItIsFull(t *testing.T) {
	g := newIdentityGraph(64)
	place := g.place(evidence{})
	for i := range uint64(1000) {
		g.insert(edgeKey{i, i}, false, place, 0)
	}
	if ids, _, _, dropped := g.judge(nil); ids.Matched != 64 || dropped != 936 {
		t.Errorf("%d matched and %d dropped, want 64 and 936", ids.Matched, dropped)
	}
}

func TestWeakEvidenceAloneViolatesNothing(t *testing.T) {
	g := newIdentityGraph(1000)
	place := g.place(evidence{})
	g.insert(edgeKey{1, 1}, false, place, 0)
	g.insert(edgeKey{1, 2}, true, place, 0)
	g.insert(edgeKey{3, 1}, true, place, 0)
	ids, bad, phi, _ := g.judge(map[uint64]bool{1: true, 2: true})
	if ids != (result.Identities{Matched: 1}) || len(bad) != 0 {
		t.Errorf("identities %+v, violations %v; want one match and nothing else", ids, bad)
	}
	for _, c := range []struct {
		left, right uint64
		want        bool
	}{{1, 1, false}, {1, 2, true}, {9, 9, false}, {9, 1, true}} {
		if got := phi.contradicts(c.left, c.right); got != c.want {
			t.Errorf("%s: %v, want %v", fmt.Sprint(c.left, "=", c.right), got, c.want)
		}
	}
}
