package conform

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"cutover/harness/canon"
)

// shuffledLists are two lists of messages, the right one shuffled and each of its items made from the left
// one's number.
func shuffledLists(items int, left, right func(i int) string) (l, r []byte) {
	var ls, rs []string
	for i := range items {
		ls = append(ls, left(i))
	}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(items) {
		rs = append(rs, right(i))
	}
	return []byte(`{"value":[` + strings.Join(ls, ",") + `]}`), []byte(`{"value":[` + strings.Join(rs, ",") + `]}`)
}

// TestWhatALongListCostsGrowsWithItsLength counts work instead of time: a loaded machine tells nothing about
// the order of growth.
func TestWhatALongListCostsGrowsWithItsLength(t *testing.T) {
	message := func(format string) func(int) string {
		return func(i int) string { return strings.ReplaceAll(format, "%d", fmt.Sprint(i)) }
	}
	for name, c := range map[string]struct {
		left, right func(int) string
		most        float64 // elements looked at, by element of both lists
	}{
		"it pairs shuffled items of equal content": {message(`{"id":"l%d","subject":"s%d"}`), message(`{"id":"r%d","subject":"s%d"}`), 1},
		"it pairs shuffled items by what identifies them": {
			message(`{"id":"l%d","subject":"s%d","internetMessageId":"<%d@x>","isRead":true}`), message(`{"id":"r%d","subject":"s%d","internetMessageId":"<%d@x>","isRead":false}`), 1},
		"it pairs shuffled items that changed by their keys": {message(`{"id":"l%d","subject":"s%d","isRead":true}`), message(`{"id":"r%d","subject":"s%d","isRead":false}`), 4},
		"it pairs items that all have one key":               {message(`{"id":"l%d","subject":"s","size":%d}`), message(`{"id":"r%d","subject":"s","size":-1%d}`), 4},
		"it gives up on items without a key":                 {message(`{"id":"l%d","size":%d}`), message(`{"id":"r%d","size":-1%d}`), 6},
	} {
		t.Run(name, func(t *testing.T) {
			var steps, allocations [2]float64
			for n, items := range []int{1000, 10_000} {
				var p Pair
				p.Endpoint, p.Left.Status, p.Right.Status = "GET /me/messages", 200, 200
				p.Left.Body, p.Right.Body = shuffledLists(items, c.left, c.right)
				comparer, b := New(Options{Left: canon.Graph()}), &bench{patterns: map[uint64]string{}}
				compare := func() {
					b.clear()
					w := walk{c: comparer, pair: &p, entity: comparer.entityOf(p.Endpoint), bench: b}
					w.compare(&b.docs)
				}
				allocations[n] = testing.AllocsPerRun(1, compare)
				if steps[n] = float64(b.steps) / float64(2*items); steps[n] == 0 {
					t.Fatal("nothing was aligned")
				}
			}
			if max(steps[0], steps[1]) > c.most || steps[1] > 1.01*steps[0] {
				t.Errorf("%.2f elements looked at for each one of 10,000, %.2f of 1,000; want at most %v", steps[1], steps[0], c.most)
			}
			if allocations[1] > 60 || allocations[1] > allocations[0]+8 {
				t.Errorf("%v allocations for 10,000 items and %v for 1,000, want at most 60 for either", allocations[1], allocations[0])
			}
		})
	}
}
