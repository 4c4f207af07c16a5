package run_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// findings lists step, pointer and rule of what was found.
func findings(r *result.Result) (out []string) {
	for _, f := range r.Findings {
		out = append(out, f.Step+" "+f.Pointer+" "+f.ID)
	}
	return out
}

func TestAnswersOfBothPathsArePairedByArrivalAndStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, chainSuite, pairProfile(5), plan.Options{})
		answer := func(subject string, wait time.Duration) func(*wire.Request, time.Duration) reply {
			return func(req *wire.Request, at time.Duration) reply {
				if strings.HasSuffix(req.URL, "/messages") {
					return reply{status: 200, body: `{"value":[{"id":"A1"}]}`, after: wait}
				}
				return reply{status: 200, body: `{"subject":"` + subject + `"}`, after: wait}
			}
		}
		near, far := newTarget(answer("x", time.Millisecond)), newTarget(answer("y", 900*time.Millisecond))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		c := got.Comparison
		if c.Pairs != 20 || c.Compared != 20 || c.Different != 10 {
			t.Errorf("comparison %+v, want 20 pairs of which 10 differ", c)
		}
		if len(got.Findings) != 1 || got.Findings[0].Step != "read" || got.Findings[0].Count != 10 || got.Findings[0].Example.Arrival != 0 {
			t.Errorf("findings %+v", got.Findings)
		}
	})
}

func TestWhatOnlyOnePathAnsweredIsCountedAsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, chainSuite, pairProfile(5), plan.Options{})
		near := newTarget(func(req *wire.Request, _ time.Duration) reply {
			return reply{status: 200, body: `{"value":[{"id":"A1"}]}`}
		})
		far := newTarget(func(req *wire.Request, _ time.Duration) reply { return reply{status: 500, body: `{}`} })
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if n := got.Comparison.Skipped["the other path's leg did not get there"]; n != 10 {
			t.Errorf("skipped %v, want 10 reads that only one path got to", got.Comparison.Skipped)
		}
	})
}

// Lists of different page sizes are the same list once they are followed to the end.
func TestPagesAreDrainedOutsideTheLatencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := `
suite: pages
scenarios:
  - name: inbox
    steps: [{name: list, get: /items}]
load: [{name: steady, constant: {rate: 5/s, for: 2s}}]
compare: {pages: drain}
`
		p := compile(t, suite, pairProfile(5), plan.Options{})
		// pages of size n out of 7 items, the link being plain text in the query.
		paged := func(host string, size int) func(*wire.Request, time.Duration) reply {
			return func(req *wire.Request, _ time.Duration) reply {
				from := 0
				if _, at, found := strings.Cut(req.URL, "skip="); found {
					fmt.Sscan(at, &from)
				}
				var items []string
				for i := from; i < min(7, from+size); i++ {
					items = append(items, fmt.Sprintf(`{"name":"n%d"}`, i))
				}
				body := `{"value":[` + strings.Join(items, ",") + `]`
				if from+size < 7 {
					body += fmt.Sprintf(`,"@odata.nextLink":"http://127.0.0.1:9/%s/items?skip=%d"`, host, from+size)
				}
				return reply{status: 200, body: body + "}", after: 100 * time.Millisecond}
			}
		}
		near, far := newTarget(paged("near", 3)), newTarget(paged("far", 5))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if l, r := got.Traffic["near"], got.Traffic["far"]; l.Steps != 10 || l.Pages != 20 || r.Steps != 10 || r.Pages != 10 {
			t.Errorf("traffic %+v and %+v, want 20 and 10 pages", l, r)
		}
		if n := row(t, got, "list", "near").Count; n != 10 {
			t.Errorf("%d requests in the step's row, want 10", n)
		}
		if n := row(t, got, "list (pages)", "near").Count; n != 20 {
			t.Errorf("%d requests in the pages' row, want 20", n)
		}
		near2 := *row(t, got, result.WholeLeg, "near").Response.Max
		if near2 > 101 {
			t.Errorf("a leg took %v ms: its pages are part of it", near2)
		}
		for _, f := range findings(got) {
			if strings.Contains(f, "(pages)") {
				t.Errorf("the whole lists differ: %s", f)
			}
		}
		if got.Comparison.Compared != 20 {
			t.Errorf("comparison %+v, want 10 first pages and 10 whole lists", got.Comparison)
		}
	})
}

func TestAListWithoutAnEndIsLeftAloneAndNamed(t *testing.T) {
	const suite = "suite: loop\nscenarios:\n  - name: a\n    steps: [{name: list, get: /items}]\nload: [{constant: {rate: 1/s, for: 1s}}]\ncompare: {pages: drain}\n"
	page := func(host string, skip int) reply {
		return reply{status: 200, body: fmt.Sprintf(`{"value":[{"id":"%[1]s%[2]d"}],"@odata.nextLink":"http://127.0.0.1:9/%[1]s/items?$top=1&$skip=%[2]d"}`, host, skip)}
	}
	next := func(req *wire.Request) (skip int) {
		if _, at, found := strings.Cut(req.URL, "skip="); found {
			fmt.Sscan(at, &skip)
		}
		return skip + 1
	}
	endless := func(req *wire.Request, _ time.Duration) reply { return page("far", next(req)) }
	for name, c := range map[string]struct {
		far     func(req *wire.Request, _ time.Duration) reply
		pages   uint64
		found   string
		skipped string
	}{
		"it stops after twenty pages": {endless, 19, "", "more than 20 pages"},
		"it names a link to its own page": {func(req *wire.Request, _ time.Duration) reply {
			return page("far", min(2, next(req)))
		}, 2, "page 3 links back to page 3", "a list without an end"},
		"it names a link to an earlier page": {func(req *wire.Request, _ time.Duration) reply {
			return page("far", next(req)%6)
		}, 6, "page 7 links back to page 2", "a list without an end"},
		"it names a link to the first page, however that is spelt": {func(*wire.Request, time.Duration) reply {
			return reply{status: 200, body: `{"value":[],"@odata.nextLink":"http://127.0.0.1:9/far/items?%24top=1"}`}
		}, 0, "page 1 links back to page 1", "a list without an end"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(suite, "/items}", `/items, query: {$top: "1"}}`, 1), pairProfile(2), plan.Options{})
				near := newTarget(func(req *wire.Request, _ time.Duration) reply {
					return reply{status: 200, body: `{"value":[{"id":"n"}]}`}
				})
				far := newTarget(c.far)
				got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
				if n := got.Traffic["far"].Pages; n != c.pages || got.Comparison.Skipped[c.skipped] != 1 {
					t.Errorf("%d pages followed, skipped %v; want %d and 1 %q", n, got.Comparison.Skipped, c.pages, c.skipped)
				}
				says := ""
				for _, f := range got.Findings {
					if f.ID == "page.loop" {
						says = f.Right
						if f.Step != "list (pages)" || f.Left != "pages in order" || f.Attribution != "right" || f.Severity != result.Critical || f.Share != 1 {
							t.Errorf("finding %+v", f)
						}
					}
				}
				if says != c.found {
					t.Errorf("it says %q, want %q", says, c.found)
				}
			})
		})
	}
}

func TestNoiseIsAskedForInTheOrderLeftRightRightLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(chainSuite, "load:", "compare: {noise: 100%}\nload:", 1)
		p := compile(t, suite, pairProfile(5), plan.Options{Iterations: 1})
		var mu sync.Mutex
		var order []string
		answer := func(side string) func(*wire.Request, time.Duration) reply {
			return func(req *wire.Request, _ time.Duration) reply {
				if strings.HasSuffix(req.URL, "/messages") {
					return reply{status: 200, body: `{"value":[{"id":"` + side + `"}]}`, after: time.Millisecond}
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, side+req.URL[len(req.URL)-len("/"+side):]+" "+req.Kind.String())
				return reply{status: 200, body: `{"subject":"x"}`, after: time.Millisecond}
			}
		}
		near, far := newTarget(answer("near")), newTarget(answer("far"))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		want := []string{"near/near steps", "far/far steps", "far/far probes", "near/near probes"}
		slices.Sort(order[:2]) // both legs are due at once
		slices.Sort(want[:2])
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("the reads (-want +got)\n%s", diff)
		}
		// The list differs, and is asked once more for that.
		if got.Traffic["near"].Probes != 3 || got.Traffic["far"].Probes != 3 || got.Buckets.Planned != 2 {
			t.Errorf("traffic %+v, buckets %+v", got.Traffic, got.Buckets)
		}
	})
}

// A write that only one side took makes the pair of mailboxes different from then
// on, and what is read there later is not held against anybody.
func TestAOneSidedWriteMarksItsMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := `
suite: diverge
scenarios:
  - name: write
    steps:
      - {name: put, post: /items, body: {a: 1}, expect: {status: [201, 503]}}
      - {name: look, get: /items}
load: [{name: steady, constant: {rate: 2/s, for: 3s}}]
`
		p := compile(t, suite, pairProfile(1), plan.Options{})
		store := func(refuse int) func(*wire.Request, time.Duration) reply {
			items, asked := 0, 0
			return func(req *wire.Request, _ time.Duration) reply {
				if req.Method == "POST" {
					if asked++; asked == refuse {
						return reply{status: 403}
					}
					items++
					return reply{status: 201, body: `{}`, after: time.Millisecond}
				}
				return reply{status: 200, body: fmt.Sprintf(`{"count":%d}`, items), after: time.Millisecond}
			}
		}
		near, far := newTarget(store(0)), newTarget(store(3))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		for _, f := range got.Findings {
			if f.Step == "look" && f.Pointer == "/count" {
				t.Errorf("a diverged mailbox's content is a finding: %+v", f)
			}
		}
		if got.Comparison.Compared == 0 || len(got.Findings) == 0 {
			t.Errorf("comparison %+v, findings %+v: the refusal itself is a difference", got.Comparison, got.Findings)
		}
	})
}
