package faults_test

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
)

func latency(t *testing.T, text string) faults.Latency {
	t.Helper()
	l, err := faults.ParseLatency(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLatencyModels(t *testing.T) {
	for _, tc := range []struct {
		it       string
		text     string
		p50, p99 time.Duration
	}{
		{"never waits", "none", 0, 0},
		{"never waits by default", "", 0, 0},
		{"always waits the same", "fixed:40ms", 40 * time.Millisecond, 40 * time.Millisecond},
		{"has the median and tail asked for", "lognormal:40ms,220ms", 40 * time.Millisecond, 220 * time.Millisecond},
		{"is slow in its share", "bimodal:20ms,400ms,5%", 20 * time.Millisecond, 400 * time.Millisecond},
		{"takes a model of its own for some requests", "none; GET /x=fixed:7ms; get=fixed:9ms", 7 * time.Millisecond, 7 * time.Millisecond},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			l := latency(t, tc.text)
			var all []time.Duration
			z := uint64(1)
			for range 20_000 {
				z += 0x9e3779b97f4a7c15
				r := (z ^ z>>30) * 0xbf58476d1ce4e5b9
				r = (r ^ r>>27) * 0x94d049bb133111eb
				all = append(all, l.Sample("GET /x", r^r>>31))
			}
			slices.Sort(all)
			for q, want := range map[float64]time.Duration{0.5: tc.p50, 0.99: tc.p99} {
				if got := all[int(q*20_000)]; math.Abs(float64(got-want)) > 0.05*float64(want) {
					t.Errorf("quantile %v is %v, want %v", q, got, want)
				}
			}
		})
	}
	for _, bad := range []string{"fixed", "fixed:40", "fixed:-1s", "lognormal:40ms", "lognormal:40ms,20ms", "bimodal:1ms,2ms,200%", "gamma:1ms", "none:1ms", "none;fixed:1ms", "fixed:2h"} {
		if _, err := faults.ParseLatency(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"value":[1,2,3,4]}`)
})

// trouble wraps a handler that is always well.
func trouble(t *testing.T, schedule, model string, c clock.Clock) http.Handler {
	t.Helper()
	s, err := faults.ParseSchedule(schedule)
	if err != nil {
		t.Fatal(err)
	}
	return faults.Wrap(ok, faults.Options{Latency: latency(t, model), Schedule: s, Seed: 3, Clock: c})
}

func ask(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestFaultsByNumber(t *testing.T) {
	h := trouble(t, "429:5s@3-4; truncate@every:5@/messages; 504@7; 502@8;500@9; none", "none", clock.NewFake(time.Unix(0, 0)))
	var got []int
	var bodies []string
	for range 10 {
		w := ask(h, "/me/messages")
		got = append(got, w.Code)
		bodies = append(bodies, w.Body.String())
		if w.Code == 429 && w.Header().Get("Retry-After") != "5" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
	if want := []int{200, 200, 429, 429, 200, 200, 504, 502, 500, 200}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if bodies[4] != `{"value":` || bodies[5] != `{"value":[1,2,3,4]}` {
		t.Errorf("%q %q", bodies[4], bodies[5])
	}
}

func TestFaultsByTime(t *testing.T) {
	c := clock.NewFake(time.Unix(0, 0))
	h := trouble(t, "503@30s+10s", "none", c)
	for _, tc := range []struct {
		advance time.Duration
		want    int
	}{{0, 200}, {30 * time.Second, 503}, {9 * time.Second, 503}, {time.Second, 200}} {
		c.Advance(tc.advance)
		if got := ask(h, "/").Code; got != tc.want {
			t.Errorf("%v later: %d, want %d", tc.advance, got, tc.want)
		}
	}
}

func TestFaultsByChanceHitTheSameRequestsOfASeed(t *testing.T) {
	hits := func() (list []int) {
		h := trouble(t, "503@10%", "none", clock.NewFake(time.Unix(0, 0)))
		for i := range 500 {
			if ask(h, "/").Code == 503 {
				list = append(list, i)
			}
		}
		return list
	}
	a, b := hits(), hits()
	if !slices.Equal(a, b) || len(a) < 30 || len(a) > 70 {
		t.Errorf("%d and %d hits", len(a), len(b))
	}
}

func TestWaitsPassOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := trouble(t, "stall:2s@2; slow:10@3", "fixed:40ms", clock.System())
		for i, want := range []time.Duration{40 * time.Millisecond, 2040 * time.Millisecond, 40*time.Millisecond + 1800*time.Millisecond} {
			began := time.Now()
			if w := ask(h, "/"); w.Body.String() != `{"value":[1,2,3,4]}` {
				t.Errorf("request %d: %q", i+1, w.Body)
			}
			if took := time.Since(began); took < want || took > want+time.Second/10 {
				t.Errorf("request %d took %v, want %v", i+1, took, want)
			}
		}
	})
}

func TestResetEndsTheConnection(t *testing.T) {
	for _, tls := range []bool{false, true} {
		server := httptest.NewUnstartedServer(trouble(t, "reset@2", "none", clock.System()))
		if tls {
			server.StartTLS()
		} else {
			server.Start()
		}
		client := server.Client()
		if r, err := client.Get(server.URL); err != nil {
			t.Errorf("request 1: %v", err)
		} else {
			r.Body.Close()
		}
		client.CloseIdleConnections()
		if r, err := client.Get(server.URL); err == nil {
			r.Body.Close()
			t.Errorf("request 2 was answered %d", r.StatusCode)
		}
		server.Close()
	}
}

func TestAServiceWithoutTroubleIsLeftAlone(t *testing.T) {
	h := faults.Wrap(ok, faults.Options{})
	if _, same := h.(http.HandlerFunc); !same {
		t.Errorf("%T", h)
	}
}

func TestSchedulesThatAreRefused(t *testing.T) {
	for text, part := range map[string]string{
		"503": "when?", "404@1": "unknown harm", "stall@1": "no time", "slow:x@1": "bytes per second", "reset:1@1": "takes no value", "503@0": "no time to strike", "503@5-3": "no time to strike",
		"503@every:0": "no time to strike", "503@soon": "no time to strike", "503@200%": "no share", "429:x@1": "no time", "503@1s+x": "no time to strike",
	} {
		if _, err := faults.ParseSchedule(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", text, err, part)
		}
	}
}

func TestLimits(t *testing.T) {
	c := clock.NewFake(time.Unix(1_000_000, 0))
	for _, tc := range []struct {
		it     string
		limits faults.Limits
		check  func(t *testing.T, l *faults.Limiter)
	}{
		{"admits what is published for one at a time", faults.Published(), func(t *testing.T, l *faults.Limiter) {
			for range 10_000 {
				release, refused := l.Admit("a", "m", 0)
				if refused != nil {
					t.Fatal(refused)
				}
				release()
			}
			_, refused := l.Admit("a", "m", 0)
			if refused == nil || refused.Code != "TooManyRequests" || refused.After <= 0 || refused.After > 11*time.Minute {
				t.Fatalf("%+v", refused)
			}
			if _, refused := l.Admit("b", "m", 0); refused != nil {
				t.Errorf("another app: %+v", refused)
			}
			if _, refused := l.Admit("a", "n", 0); refused != nil {
				t.Errorf("another mailbox: %+v", refused)
			}
			c.Advance(refused.After)
			if _, refused := l.Admit("a", "m", 0); refused != nil {
				t.Errorf("after Retry-After: %+v", refused)
			}
		}},
		{"bounds how many are at work at once", faults.Limits{Concurrent: 2}, func(t *testing.T, l *faults.Limiter) {
			first, _ := l.Admit("a", "m", 0)
			l.Admit("a", "m", 0)
			if _, refused := l.Admit("a", "m", 0); refused == nil || refused.Code != "ApplicationThrottled" || refused.After != time.Second {
				t.Errorf("%+v", refused)
			}
			first()
			if _, refused := l.Admit("a", "m", 0); refused != nil {
				t.Errorf("%+v", refused)
			}
		}},
		{"bounds uploads", faults.Limits{Upload: 100, UploadSpan: time.Second}, func(t *testing.T, l *faults.Limiter) {
			l.Admit("a", "m", 90)
			if _, refused := l.Admit("a", "m", 20); refused == nil {
				t.Errorf("110 bytes were taken")
			}
			if _, refused := l.Admit("a", "m", 0); refused != nil {
				t.Errorf("a read was refused: %+v", refused)
			}
			c.Advance(2 * time.Second)
			if _, refused := l.Admit("a", "m", 20); refused != nil {
				t.Errorf("%+v", refused)
			}
		}},
	} {
		t.Run("it "+tc.it, func(t *testing.T) { tc.check(t, faults.NewLimiter(tc.limits, c)) })
	}
}

// What a request holds while it is at work it holds while its answer is late.
func TestALateAnswerKeepsItsRequestAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := faults.NewLimiter(faults.Published(), clock.System())
		work := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			release, refused := limiter.Admit("app", "box", 0)
			if refused != nil {
				w.WriteHeader(refused.Status)
				return
			}
			defer release()
			io.WriteString(w, "done")
		})
		h := faults.Wrap(work, faults.Options{Latency: latency(t, "fixed:50ms"), Seed: 3, Clock: clock.System()})
		began := time.Now()
		answers := make([]*httptest.ResponseRecorder, 5)
		var all sync.WaitGroup
		for i := range answers {
			answers[i] = httptest.NewRecorder()
			all.Go(func() { h.ServeHTTP(answers[i], httptest.NewRequest("GET", "/x", nil)) })
		}
		all.Wait()
		codes := map[int]int{}
		for _, a := range answers {
			codes[a.Code]++
		}
		if took := time.Since(began); codes[200] != 4 || codes[429] != 1 || took != 50*time.Millisecond {
			t.Errorf("answers %v after %v, want four, one refusal, and 50 ms", codes, took)
		}
	})
}
