package lab

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cutover/harness/clock"
)

// ruler is what `cutover calibrate` holds its instrument against: a resource whose
// delay, stall and errors are set beforehand, with a ledger of when requests came and
// how long they were really kept. It stands on the control port and is no part of the
// simulated deployment.
type ruler struct {
	clock   clock.Clock
	precise clock.Clock // for the delay: its waits end within 0.1 ms

	mu       sync.Mutex // guards everything below
	set      rulerSettings
	first    time.Time
	errors   uint64
	arrivals []int64 // microseconds from the first request
	took     []int64 // microseconds
}

// rulerSettings are what a request meets.
type rulerSettings struct {
	delay time.Duration // each is answered after
	at    time.Duration // from the first request on, when everything stands still
	stall time.Duration // for so long
	every uint64        // each so-manyth is answered 500; 0: none
}

// RulerLedger is what the ruler saw since it was set.
type RulerLedger struct {
	Requests uint64  `json:"requests"`
	Errors   uint64  `json:"errors"`      // answered 500
	TookP50  float64 `json:"took_p50_ms"` // from a request's arrival until its answer was written
	TookP99  float64 `json:"took_p99_ms"`
	Arrivals []int64 `json:"arrivals_us"` // of at most rulerKept requests, in their order
}

// rulerKept bounds the ledger: 20 s at 10,000/s.
const rulerKept = 200_000

// rulerBody is 4.4 KB of JSON, the size of a page of messages with few fields.
var rulerBody = []byte(`{"value":[` + strings.Repeat(`{"id":"AAMkAGI2","subject":"calibration","isRead":true},`, 80) + `{"id":"end"}]}`)

func newRuler(c clock.Clock) *ruler { return &ruler{clock: c, precise: clock.Precise()} }

// routes adds the ruler to the control port.
func (u *ruler) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /ruler/item", u.item)
	mux.HandleFunc("GET /ruler/ledger", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, u.ledger()) })
	mux.HandleFunc("POST /ruler/set", func(w http.ResponseWriter, r *http.Request) {
		settings, err := readRuler(r)
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		u.mu.Lock()
		u.set, u.first, u.errors, u.arrivals, u.took = settings, time.Time{}, 0, nil, nil
		u.mu.Unlock()
		reply(w, http.StatusOK, map[string]string{})
	})
}

// readRuler reads settings from a query: delay, at and stall as durations, every as a
// number.
func readRuler(r *http.Request) (s rulerSettings, err error) {
	for name, into := range map[string]*time.Duration{"delay": &s.delay, "at": &s.at, "stall": &s.stall} {
		if text := r.URL.Query().Get(name); text != "" {
			if *into, err = time.ParseDuration(text); err != nil {
				return s, fmt.Errorf("%s: want a duration", name)
			}
		}
	}
	if text := r.URL.Query().Get("every"); text != "" {
		if s.every, err = strconv.ParseUint(text, 10, 32); err != nil {
			return s, fmt.Errorf("every: want a number")
		}
	}
	return s, nil
}

func (u *ruler) item(w http.ResponseWriter, r *http.Request) {
	came := u.clock.Now()
	u.mu.Lock()
	if u.first.IsZero() {
		u.first = came
	}
	n := uint64(len(u.arrivals)) + 1
	if n <= rulerKept {
		u.arrivals = append(u.arrivals, came.Sub(u.first).Microseconds())
	}
	s, since := u.set, came.Sub(u.first)
	bad := s.every > 0 && n%s.every == 0
	if bad {
		u.errors++
	}
	u.mu.Unlock()
	if s.stall > 0 && since >= s.at && since < s.at+s.stall {
		if u.clock.SleepUntil(r.Context(), came.Add(s.at+s.stall-since)) != nil {
			return
		}
	}
	if s.delay > 0 && u.precise.SleepUntil(r.Context(), u.clock.Now().Add(s.delay)) != nil {
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	if bad {
		w.WriteHeader(http.StatusInternalServerError)
	}
	w.Write(rulerBody)
	took := u.clock.Now().Sub(came)
	u.mu.Lock()
	if len(u.took) < rulerKept {
		u.took = append(u.took, took.Microseconds())
	}
	u.mu.Unlock()
}

func (u *ruler) ledger() RulerLedger {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := RulerLedger{Requests: uint64(len(u.arrivals)), Errors: u.errors, Arrivals: slices.Clone(u.arrivals)}
	sorted := slices.Sorted(slices.Values(u.took))
	if n := len(sorted); n > 0 {
		l.TookP50, l.TookP99 = float64(sorted[(n-1)/2])/1000, float64(sorted[(n*99+99)/100-1])/1000
	}
	return l
}
