package guard

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/clock"
	"cutover/harness/wire"
)

// drive sends rate requests a second, each in its own goroutine, until the
// brake trips or the time is over. It returns when the last request was put
// on the wire, and when the condition began.
func drive(t *testing.T, b *Brake, x *target, rate int, length time.Duration) (last time.Duration) {
	t.Helper()
	d, err := Open(Rules{Simulated: true, Hosts: map[string][]string{"cloud": {"127.0.0.1:443"}}, Brake: b})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	if err := b.Baseline(ctx); err != nil {
		t.Fatal(err)
	}
	all.Go(func() { b.Watch(ctx) })
	x.t0 = time.Now()
	p := d.doer("cloud", x)
	for range int(length.Seconds() * float64(rate)) {
		all.Go(func() { p.Do(ctx, &wire.Request{Method: "GET", URL: "https://127.0.0.1:443/"}, new(wire.Call)) })
		time.Sleep(time.Second / time.Duration(rate))
	}
	d.Close()
	cancel()
	all.Wait()
	return x.got[len(x.got)-1]
}

func status(code int, header ...wire.Field) func(int, *wire.Request, *wire.Call) {
	return func(_ int, _ *wire.Request, into *wire.Call) {
		into.Response.Status, into.Response.Header = code, header
	}
}

// after answers 200 until the second from, then as then does.
func after(from time.Duration, then func(int, *wire.Request, *wire.Call)) func(int, *wire.Request, *wire.Call) {
	t0 := time.Now()
	return func(n int, req *wire.Request, into *wire.Call) {
		if time.Since(t0) >= from {
			then(n, req, into)
		}
	}
}

func broken(_ int, _ *wire.Request, into *wire.Call) { into.Failure = &wire.Failure{Kind: wire.Reset} }

// answering is a control mailbox: it takes one time for its first n answers and another
// from then on; a negative time fails.
func answering(n int, first, then time.Duration) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		took := first
		if n--; n < 0 {
			took = then
		}
		if took < 0 {
			return 0, errors.New("no answer")
		}
		return took, clock.System().SleepUntil(ctx, time.Now().Add(took))
	}
}

func TestTheBrakeStopsARunThatHarms(t *testing.T) {
	const rate = 50
	quick := 20 * time.Millisecond
	retry := wire.Field{Name: "Retry-After", Value: "1"}
	tests := []struct {
		name    string
		options func(*BrakeOptions)
		takes   time.Duration
		reply   func() func(int, *wire.Request, *wire.Call)
		cause   string        // part of it, "" when the run goes on
		last    time.Duration // latest moment of the last request
	}{
		{"leaves a healthy run alone", nil, quick, nil, "", 0},
		{"stops within two seconds of a meltdown", nil, quick, func() func(int, *wire.Request, *wire.Call) { return after(10*time.Second, status(503)) }, "server errors or broken connections", 12 * time.Second},
		{"stops within two seconds when connections break", nil, quick, func() func(int, *wire.Request, *wire.Call) { return after(10*time.Second, broken) }, "server errors or broken connections", 12 * time.Second},
		{"stops when nothing is answered any more", nil, 20 * time.Second, nil, "no answer came for 10s", 12 * time.Second},
		{"leaves answers of 4xx alone", nil, quick, func() func(int, *wire.Request, *wire.Call) { return status(404) }, "", 0},
		{"stops when it is throttled again after slowing down", nil, quick, func() func(int, *wire.Request, *wire.Call) { return after(10*time.Second, status(429, retry)) }, "throttled 3 times in a row again", 12 * time.Second},
		{"leaves throttling alone in the lab", func(o *BrakeOptions) { *o = Simulation() }, quick, func() func(int, *wire.Request, *wire.Call) { return status(429, retry) }, "", 0},
		{"takes 503 with Retry-After for throttling", func(o *BrakeOptions) { *o = Simulation() }, quick, func() func(int, *wire.Request, *wire.Call) { return status(503, retry) }, "", 0},
		{"leaves single refusals of the rate alone", nil, quick, func() func(int, *wire.Request, *wire.Call) {
			return func(n int, _ *wire.Request, into *wire.Call) {
				if n%3 != 0 {
					into.Response.Status = 429
				}
			}
		}, "", 0},
		{"leaves injected faults alone in the lab", func(o *BrakeOptions) { *o = Simulation() }, quick, func() func(int, *wire.Request, *wire.Call) {
			return func(n int, _ *wire.Request, into *wire.Call) {
				if n%2 == 0 {
					into.Response.Status = 500
				}
			}
		}, "", 0},
		{"stops a meltdown in the lab", func(o *BrakeOptions) { *o = Simulation() }, quick, func() func(int, *wire.Request, *wire.Call) { return status(503) }, "server errors", 2 * time.Second},
		{"stops at its deadline", func(o *BrakeOptions) { o.Deadline = time.Now().Add(5 * time.Second) }, quick, nil, "deadline", 6 * time.Second},
		{"stops when it disturbs a mailbox outside the load", func(o *BrakeOptions) {
			o.VictimEvery, o.Victims = 500*time.Millisecond, []Victim{{"cloud", answering(20+30, 100*time.Millisecond, 160*time.Millisecond)}}
		}, quick, nil, "answers in 160ms (p95) instead of 100ms on path cloud: the run disturbs others", 20 * time.Second},
		{"leaves a mailbox alone that is hardly slower", func(o *BrakeOptions) {
			o.VictimEvery, o.Victims = 500*time.Millisecond, []Victim{{"cloud", answering(20, 100*time.Millisecond, 149*time.Millisecond)}}
		}, quick, nil, "", 0},
		{"takes a few milliseconds for noise", func(o *BrakeOptions) {
			o.VictimEvery, o.Victims = 500*time.Millisecond, []Victim{{"cloud", answering(20, 5*time.Millisecond, 25*time.Millisecond)}}
		}, quick, nil, "", 0},
		{"stops when that mailbox no longer answers", func(o *BrakeOptions) {
			o.VictimEvery, o.Victims = 500*time.Millisecond, []Victim{{"cloud", answering(20+10, 20*time.Millisecond, -1)}}
		}, quick, nil, "stopped answering on path cloud (3 times in a row)", 8 * time.Second},
		{"stops at its deadline although that mailbox hangs", func(o *BrakeOptions) {
			o.Deadline = time.Now().Add(5 * time.Second)
			o.VictimEvery, o.Victims = 500*time.Millisecond, []Victim{{"cloud", answering(20, 0, time.Hour)}}
		}, quick, nil, "deadline", 6 * time.Second},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := Production()
				if test.options != nil {
					test.options(&o)
				}
				b := NewBrake(o)
				x := &target{takes: test.takes}
				if test.reply != nil {
					x.reply = test.reply()
				}
				last := drive(t, b, x, rate, 30*time.Second)
				got := ""
				if c := b.Cause(); c != nil {
					got = c.What
				}
				if (got == "") != (test.cause == "") || !strings.Contains(got, test.cause) {
					t.Errorf("cause = %q, want %q", got, test.cause)
				}
				if test.last > 0 && last > test.last {
					t.Errorf("the last request left at %s, want at most %s", last, test.last)
				}
			})
		})
	}
}

func TestTheBrakeHalvesTheRateFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBrake(Production())
		x := &target{takes: time.Millisecond, reply: func(n int, _ *wire.Request, into *wire.Call) {
			if n > 200 && n <= 203 {
				into.Response.Status = 429
			}
		}}
		drive(t, b, x, 50, 20*time.Second)
		from, to := 0, 0
		for _, at := range x.got {
			if at < 3*time.Second {
				from++
			} else if at >= 10*time.Second && at < 13*time.Second {
				to++
			}
		}
		if b.Cause() != nil || b.Slowdowns() != 1 || from != 150 || to < 70 || to > 80 {
			t.Errorf("cause %v, slowdowns %d; requests in 3 s: %d before, %d after; want half", b.Cause(), b.Slowdowns(), from, to)
		}
	})
}

func TestAKillFileStopsTheRunAndCleaningGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stop")
	synctest.Test(t, func(t *testing.T) {
		o := Simulation()
		o.KillFile = file
		b := NewBrake(o)
		d, err := Open(Rules{Simulated: true, Hosts: map[string][]string{"cloud": {"127.0.0.1:443"}}, Brake: b})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.Watch(ctx)
		p := d.doer("cloud", &target{})
		ask := func(k wire.Kind) string {
			var call wire.Call
			p.Do(t.Context(), &wire.Request{Kind: k, Method: "GET", URL: "https://127.0.0.1:443/"}, &call)
			if r, ok := refused(&call); ok {
				return r.Rule
			}
			return ""
		}
		before := ask(wire.Step)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		<-b.Tripped()
		if step, fixture := ask(wire.Step), ask(wire.Fixture); before != "" || step != "brake" || fixture != "" {
			t.Errorf("before %q, step %q, clean-up %q", before, step, fixture)
		}
	})
}

func refused(c *wire.Call) (*Refusal, bool) {
	if c.Failure == nil {
		return nil, false
	}
	return refusalIn(c.Failure)
}

func TestOnePathMayNotHideBehindTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBrake(Production())
		answer := func(path string, status int) {
			b.begin(path, time.Now())
			b.observe(path, &wire.Call{Response: wire.Response{Status: status}}, time.Now())
		}
		for n := range 20 {
			for range 500 {
				answer("onprem", 200)
			}
			answer("cloud", 503)
			if got := b.Cause() != nil; got != (n == 19) {
				t.Fatalf("after %d answers of 503 on a path that is asked once in ten seconds: stopped %t", n+1, got)
			}
			time.Sleep(10 * time.Second)
		}
	})
}
