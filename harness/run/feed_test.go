package run_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/run"
)

func TestBothLegsOfAnIterationGetTheSameRow(t *testing.T) {
	const suite = `
suite: fed
data:
  words: {rows: [{w: "a b", n: 1}, {w: c, n: 2}, {w: d, n: 3}], pick: unique}
scenarios:
  - name: one
    steps:
      - {name: x, post: "/find/{{data.words.w}}", query: {i: "{{iteration}}"}, body: {size: "{{data.words.n}}", text: "{{data.words.w}}"}}
load:
  - {constant: {rate: 1/s, for: 3s}}
`
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, suite, pairProfile(2), plan.Options{})
		near, far := newTarget(always(time.Millisecond)), newTarget(always(time.Millisecond))
		if _, err := run.Run(t.Context(), p, deps(map[string]*target{"near": near, "far": far})); err != nil {
			t.Fatal(err)
		}
		said := func(s *target) (out []string) {
			for _, r := range s.requests() {
				_, path, _ := strings.Cut(r.url, "/find/")
				out = append(out, path+" "+r.body)
			}
			slices.Sort(out)
			return out
		}
		want := []string{
			`a%20b?i=0 {"size":1,"text":"a b"}`,
			`c?i=1 {"size":2,"text":"c"}`,
			`d?i=2 {"size":3,"text":"d"}`,
		}
		if diff := cmp.Diff(want, said(near)); diff != "" {
			t.Errorf("near (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(said(near), said(far)); diff != "" {
			t.Errorf("far differs (-near +far):\n%s", diff)
		}
	})
}
