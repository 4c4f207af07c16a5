package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/harness/wire"
)

func TestOneIterationIsAskedDownBothPathsAndCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, chainSuite, pairProfile(3), plan.Options{})
		answer := func(host string) func(*wire.Request, time.Duration) reply {
			return func(req *wire.Request, _ time.Duration) reply {
				if strings.HasSuffix(req.URL, "/messages") {
					return reply{status: 200, body: `{"value":[{"id":"` + host + `-1"}]}`}
				}
				if host == "far" {
					return reply{status: 404, body: `{"error":{"code":"Gone"}}`}
				}
				return reply{status: 200, body: `{"subject":"x"}`}
			}
		}
		near, far := newTarget(answer("near")), newTarget(answer("far"))
		got, err := run.Once(t.Context(), p, 0, deps(map[string]*target{"near": near, "far": far}))
		if err != nil {
			t.Fatal(err)
		}
		type line struct {
			Path, Step, URL, Outcome, Reason string
			Status                           int
		}
		var lines []line
		for _, s := range got.Said {
			lines = append(lines, line{s.Path, s.Step, s.URL, s.Outcome, s.Reason, s.Call.Response.Status})
		}
		want := []line{
			{"near", "list", "http://127.0.0.1:9/near/messages", "ok", "", 200},
			{"near", "read", "http://127.0.0.1:9/near/messages/near-1", "ok", "", 200},
			{"far", "list", "http://127.0.0.1:9/far/messages", "ok", "", 200},
			{"far", "read", "http://127.0.0.1:9/far/messages/far-1", "unexpected", "status 404, expected 2xx", 404},
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("said (-want +got)\n%s", diff)
		}
		if len(got.Findings) == 0 || got.Findings[0].Step != "read" || got.Comparison.Pairs != 2 {
			t.Errorf("findings %+v, comparison %+v", got.Findings, got.Comparison)
		}
		if len(near.requests()) != 2 || len(far.requests()) != 2 {
			t.Errorf("%d and %d requests", len(near.requests()), len(far.requests()))
		}
	})
}

func TestOnceThereIsSuchAnIteration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{Iterations: 3})
		s := newTarget(always(time.Millisecond))
		if _, err := run.Once(t.Context(), p, 3, deps(map[string]*target{"only": s})); err == nil {
			t.Error("an arrival past the last was asked")
		}
		got, err := run.Once(t.Context(), p, 2, deps(map[string]*target{"only": s}))
		if err != nil || len(got.Said) != 1 || got.Said[0].Call.Response.Status != 200 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
