package conform_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
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
		"objects in the reverse order": {
			join(10_000, `{"value":[`, "]}", func(i int) string { return fmt.Sprintf(`{"subject":"s%d"}`, i) }), join(10_000, `{"value":[`, "]}", func(i int) string { return fmt.Sprintf(`{"subject":"s%d"}`, 9999-i) })},
		"bodies of many tags": {
			`{"body":{"contentType":"html","content":"` + join(20_000, "", "", func(i int) string { return fmt.Sprintf("<b title=l%d>", i) }) + `"}}`,
			`{"body":{"contentType":"html","content":"` + join(20_000, "", "", func(i int) string { return fmt.Sprintf("<i title=r%d>", i) }) + `"}}`},
		"series of every day of all years": {everyDay("1"), everyDay("2")},
		"nested lists of lists":            {join(10_000, "[", "]", func(i int) string { return fmt.Sprintf("[[[[%d]]],{}]", i) }), join(10_000, "[", "]", func(i int) string { return fmt.Sprintf("[[[[%d]]],{}]", i+5_000) })},
		"deep nesting":                     {strings.Repeat("[", 500) + "1" + strings.Repeat("]", 500), strings.Repeat("[", 500) + "2" + strings.Repeat("]", 500)},
	}
}

// everyDay is a series without an end that began with the calendar.
func everyDay(interval string) string {
	return `{"value":[{"subject":"s","start":{"dateTime":"0001-01-02T00:00:00","timeZone":"UTC"},"recurrence":{"pattern":{"type":"daily","interval":` + interval +
		`},"range":{"type":"endDate","startDate":"0001-01-02","endDate":"9999-12-31","recurrenceTimeZone":"UTC"}}}]}`
}

func TestHostileBodiesDoNotRuinTheComparer(t *testing.T) {
	for name, bodies := range hostile() {
		t.Run(name, func(t *testing.T) {
			left, right := bodies[0], bodies[1]
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r := compareOne(conform.Options{}, "GET /me/messages", left, right)
			// Each takes a fifth of a second; a quadratic corner takes minutes.
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d and %d bytes took %v", len(left), len(right), took)
			}
			runtime.ReadMemStats(&after)
			// A node of the tree and its place in the alignment take some 250 bytes; 2 bytes are the shortest element.
			if used, most := after.TotalAlloc-before.TotalAlloc, uint64(4<<20+256*(len(left)+len(right))); used > most {
				t.Errorf("%d and %d bytes took %d bytes of memory, more than %d", len(left), len(right), used, most)
			} else {
				t.Logf("%d KB in, %d KB of memory, %d findings", (len(left)+len(right))>>10, used>>10, len(r.Findings))
			}
			if len(r.Findings) == 0 || len(r.Findings) > 600 {
				t.Errorf("%d findings of %d bytes", len(r.Findings), len(left))
			}
		})
	}
}
