package conform_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cutover/harness/conform"
)

// hostile are pairs of large bodies that would ruin a comparer with a quadratic corner.
func hostile() map[string][2]string {
	join := func(n int, open, end string, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return open + strings.Join(items, ",") + end
	}
	perm := rand.New(rand.NewPCG(3, 3)).Perm(20_000)
	return map[string][2]string{
		"numbers that all differ": {
			join(50_000, "[", "]", func(i int) string { return fmt.Sprint(i) }), join(50_000, "[", "]", func(i int) string { return fmt.Sprint(i + 1_000_000) })},
		"names that all differ": {
			join(20_000, "{", "}", func(i int) string { return fmt.Sprintf(`"l%d":1`, i) }), join(20_000, "{", "}", func(i int) string { return fmt.Sprintf(`"r%d":1`, i) })},
		"names in another order": {
			join(20_000, "{", "}", func(i int) string { return fmt.Sprintf(`"n%d":1`, i) }), join(20_000, "{", "}", func(i int) string { return fmt.Sprintf(`"n%d":2`, perm[i]) })},
		"objects without a key": {
			join(20_000, "[", "]", func(i int) string { return fmt.Sprintf(`{"a":%d,"b":%d}`, i, i) }), join(20_000, "[", "]", func(i int) string { return fmt.Sprintf(`{"a":%d,"b":%d}`, -i-1, -i-1) })},
		"objects of one key": {
			join(20_000, `{"value":[`, "]}", func(i int) string { return fmt.Sprintf(`{"subject":"x","size":%d}`, i) }), join(20_000, `{"value":[`, "]}", func(i int) string { return fmt.Sprintf(`{"subject":"x","size":%d}`, -i) })},
		"lists of lists": {
			join(20_000, "[", "]", func(i int) string { return fmt.Sprintf("[%d]", i) }), join(20_000, "[", "]", func(i int) string { return fmt.Sprintf("[%d]", perm[i]) })},
		"one name again and again": {
			join(20_000, "{", "}", func(int) string { return `"a":1` }), join(20_000, "{", "}", func(int) string { return `"a":2` })},
		"deep nesting": {strings.Repeat("[", 500) + "1" + strings.Repeat("]", 500), strings.Repeat("[", 500) + "2" + strings.Repeat("]", 500)},
	}
}

func TestHostileBodiesDoNotRuinTheComparer(t *testing.T) {
	for name, bodies := range hostile() {
		t.Run(name, func(t *testing.T) {
			left, right := bodies[0], bodies[1]
			start := time.Now()
			r := compareOne(conform.Options{}, "GET /me/messages", left, right)
			// Each takes a fifth of a second; a quadratic corner takes minutes.
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d and %d bytes took %v", len(left), len(right), took)
			}
			if len(r.Findings) == 0 || len(r.Findings) > 600 {
				t.Errorf("%d findings of %d bytes", len(r.Findings), len(left))
			}
		})
	}
}
