package run_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/plan"
	"cutover/harness/wire"
)

// frozen answers after a moment, except that it stands still from 5 s to 6 s.
func frozen(_ *wire.Request, at time.Duration) reply {
	wait := 100 * time.Microsecond
	if at >= 5*time.Second && at < 6*time.Second {
		wait += 6*time.Second - at
	}
	return reply{status: 200, body: "{}", after: wait}
}

// What those who arrived waited is known: 1,000 of 10,000 met the freeze and waited
// for its end, the first a second, the last nothing. How many could ask at a time must
// not change that.
func TestAFreezeIsToldAsItWasHoweverFewMayAskAtATime(t *testing.T) {
	for _, one := range []struct{ it, profile, path string }{
		{"without a bound", onePath, "only"},
		{"with 50 connections", onePath + "limits: {connections: 50}\n", "only"},
		{"with 4 at a time in each of 20 mailboxes", pairProfile(20), "near"},
	} {
		t.Run(one.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(getSuite, "100/s", "1000/s", 1), one.profile, plan.Options{Only: plan.Left})
				s := newTarget(frozen)
				got := mustRun(t, p, deps(map[string]*target{one.path: s}))
				get := row(t, got, "get", one.path)
				near(t, "mean", get.Response.Mean, 50)
				near(t, "p99", get.Response.P99, 902)
				near(t, "p99.9", get.Response.P999, 992)
				near(t, "max", get.Response.Max, 1000)
				if got.Buckets.Completed != 10_000 || len(got.Generator.Bent) > 0 {
					t.Errorf("%+v, bent %v", got.Buckets, got.Generator.Bent)
				}
			})
		})
	}
}

// 500 of 10,000 mailboxes are asked more often than they may have requests in flight.
func TestNoMailboxOfTenThousandIsAskedByMoreThanItsCap(t *testing.T) {
	if testing.Short() {
		t.Skip("45,000 legs over 10,000 mailboxes")
	}
	var boxes strings.Builder
	for i := range 10_000 {
		tags := ""
		if i < 500 {
			tags = ", tags: [hot]"
		}
		fmt.Fprintf(&boxes, "  - {name: box-%05d, near_smtp: b%d@near.test, far_smtp: b%d@far.test%s}\n", i, i, i, tags)
	}
	suite := `
suite: caps
scenarios:
  - {name: hot, weight: 11, mailboxes: hot, steps: [{name: get, get: /item}]}
  - {name: all, weight: 4, steps: [{name: get, get: /item}]}
load:
  - {name: steady, constant: {rate: 1500/s, for: 30s}}
`
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, suite, fmt.Sprintf(twoPaths, boxes.String()), plan.Options{Only: plan.Left})
		s := newTarget(always(3 * time.Second))
		got := mustRun(t, p, deps(map[string]*target{"near": s}))
		full := 0
		for mailbox, open := range s.mostOpen {
			if open > 4 {
				t.Errorf("%s was asked by %d at a time", mailbox, open)
			}
			if open == 4 {
				full++
			}
		}
		if full < 500 || len(s.mostOpen) != 10_000 {
			t.Errorf("%d of %d mailboxes were asked to their cap, want the 500 hot ones of 10,000", full, len(s.mostOpen))
		}
		if err := got.Buckets.Check(); err != nil || got.Buckets.Completed+got.Buckets.Dropped != 45_000 {
			t.Errorf("%+v, %v", got.Buckets, err)
		}
	})
}

// Waiting for a connection is the network's doing: it makes answers late, and does
// not bend the ruler.
func TestWaitingForAConnectionIsNotTheGeneratorsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{})
		s := newTarget(func(*wire.Request, time.Duration) reply {
			return reply{status: 200, body: "{}", connect: 700 * time.Millisecond, after: time.Millisecond}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		get := row(t, got, "get", "only")
		near(t, "lag", get.Lag.P99, 700)
		near(t, "response", get.Response.P99, 701)
		if got.Generator.LagP99 > 1 || len(got.Generator.Bent) > 0 {
			t.Errorf("own lag %v ms, bent %v", got.Generator.LagP99, got.Generator.Bent)
		}
	})
}
