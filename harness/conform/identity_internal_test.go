package conform

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"cutover/harness/canon"
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
	got, bad, _ := g.judge(nil)
	if want := (result.Identities{Matched: ids - 1, Split: 1}); got != want || len(bad) != 1 || g.level.Load() != 0 {
		t.Errorf("identities %+v, %d violations, sample %d; want %+v and one violation", got, len(bad), g.level.Load(), want)
	}
	runtime.KeepAlive(g)
}

// TestAFullGraphIsASampleOfIDsAndNotOfMoments fills a graph four times over, in three orders: with matches,
// with splits and with merges.
func TestAFullGraphIsASampleOfIDsAndNotOfMoments(t *testing.T) {
	const limit, ids = 4096, 16_000
	var edges []edgeKey
	for i := range uint64(ids) {
		key := edgeKey{token(1, canon.HashText(fmt.Sprint("l", i))), token(1, canon.HashText(fmt.Sprint("r", i)))}
		edges = append(edges, key)
		switch i % 100 {
		case 1:
			edges = append(edges, edgeKey{key.left, key.right + 1})
		case 2:
			edges = append(edges, edgeKey{key.left + 1, key.right})
		}
	}
	type outcome struct {
		ids   result.Identities
		bad   []violation
		level uint32
	}
	run := func() (o outcome) {
		g := newIdentityGraph(limit)
		place := g.place(evidence{sort: "message"})
		for _, key := range edges {
			g.insert(key, false, place, 7)
		}
		o.ids, o.bad, _ = g.judge(nil)
		o.level = g.level.Load()
		return o
	}
	want := run()
	kept := int(want.ids.Matched)
	if want.level == 0 || kept > limit || kept < limit/8 {
		t.Errorf("%d of %d ids are matched by a sample of level %d, of a graph for %d", kept, ids, want.level, limit)
	}
	// One in 100 splits and one in 100 merges, and a sampled id has all its edges.
	for what, n := range map[string]uint64{"split": want.ids.Split, "merged": want.ids.Merged} {
		if share := float64(n) / float64(kept); share < 0.002 || share > 0.03 {
			t.Errorf("%d are %s of %d matched, want about one in a hundred", n, what, kept)
		}
	}
	for seed := range uint64(3) {
		rand.New(rand.NewPCG(seed, 5)).Shuffle(len(edges), func(i, j int) { edges[i], edges[j] = edges[j], edges[i] })
		if got := run(); !reflect.DeepEqual(got, want) {
			t.Errorf("in another order: %+v, want %+v", got, want)
		}
	}
}

func TestWeakEvidenceAloneViolatesNothing(t *testing.T) {
	g := newIdentityGraph(1000)
	place := g.place(evidence{})
	g.insert(edgeKey{1, 1}, false, place, 0)
	g.insert(edgeKey{1, 2}, true, place, 0)
	g.insert(edgeKey{3, 1}, true, place, 0)
	ids, bad, phi := g.judge(map[uint64]bool{1: true, 2: true})
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
