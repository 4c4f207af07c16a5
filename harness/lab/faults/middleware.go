package faults

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
)

// Options say what Wrap does to a service.
type Options struct {
	Latency  Latency
	Schedule Schedule
	Seed     uint64
	Clock    clock.Clock // required when anything waits
}

// Wrap puts latency and faults before a handler. Requests are numbered from 1 in
// the order in which they arrive; by-number faults and the delays hang on the
// number, so that equal traffic meets equal trouble. A service without either is
// handed back as it is.
func Wrap(next http.Handler, o Options) http.Handler {
	if o.Latency.None() && o.Schedule.None() {
		return next
	}
	return &wrapped{next: next, o: o, start: o.Clock.Now()}
}

type wrapped struct {
	next  http.Handler
	o     Options
	start time.Time
	count atomic.Uint64
}

// ServeHTTP delays, harms or passes on one request.
func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := h.count.Add(1)
	request := r.Method + " " + r.URL.RequestURI()
	if d := h.o.Latency.Sample(request, random(h.o.Seed, n)); d > 0 {
		l := &late{ResponseWriter: w, h: h, r: r, by: d}
		defer l.begin()
		w = l
	}
	since := h.o.Clock.Now().Sub(h.start)
	for i, rule := range h.o.Schedule.rules {
		if !rule.strikes(n, since, request, random(h.o.Seed+uint64(i)+1, n)) {
			continue
		}
		switch rule.kind {
		case "stall":
			if !h.wait(r, rule.wait) {
				return
			}
			continue
		case "status":
			refuse(w, rule)
		case "reset":
			reset(w)
		case "slow":
			h.next.ServeHTTP(&slowWriter{ResponseWriter: w, h: h, r: r, rate: rule.rate}, r)
		case "truncate":
			truncate(w, r, h.next)
		}
		return
	}
	h.next.ServeHTTP(w, r)
}

// wait returns false when the client went away first.
func (h *wrapped) wait(r *http.Request, d time.Duration) bool {
	return h.o.Clock.SleepUntil(r.Context(), h.o.Clock.Now().Add(d)) == nil
}

func random(seed, n uint64) uint64 {
	z := seed*0x9e3779b97f4a7c15 + n*0xbf58476d1ce4e5b9
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// bodies are what the statuses say, in the shapes captured.
var bodies = map[int]string{
	429: `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`,
	500: `{"error":{"code":"ErrorInternalServerError","message":"An internal server error occurred. The operation failed."}}`,
	502: "<html><body><h1>502 Bad Gateway</h1></body></html>",
	503: `{"error":{"code":"ServiceUnavailable","message":"The service is unavailable."}}`,
	504: `{"error":{"code":"UnknownError","message":""}}`,
}

func refuse(w http.ResponseWriter, r rule) {
	if r.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((r.wait+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	if r.status == http.StatusBadGateway {
		w.Header().Set("Content-Type", "text/html")
	}
	w.WriteHeader(r.status)
	w.Write([]byte(bodies[r.status]))
}

// reset ends the connection with RST where the protocol has a connection of its
// own; else the stream is aborted.
func reset(w http.ResponseWriter) {
	if hj, ok := w.(http.Hijacker); ok {
		if conn, _, err := hj.Hijack(); err == nil {
			plain := conn
			if t, ok := conn.(*tls.Conn); ok {
				plain = t.NetConn()
			}
			if lingers, ok := plain.(interface{ SetLinger(seconds int) error }); ok {
				lingers.SetLinger(0)
			}
			plain.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// slowWriter lets a body out at a rate.
type slowWriter struct {
	http.ResponseWriter
	h    *wrapped
	r    *http.Request
	rate int
}

// Write waits for each tenth of a second's worth of bytes.
func (s *slowWriter) Write(b []byte) (int, error) {
	step := max(1, s.rate/10)
	done := 0
	for done < len(b) {
		end := min(done+step, len(b))
		n, err := s.ResponseWriter.Write(b[done:end])
		done += n
		if err != nil {
			return done, err
		}
		if f, ok := s.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		if done < len(b) && !s.h.wait(s.r, time.Second*time.Duration(n)/time.Duration(s.rate)) {
			return done, s.r.Context().Err()
		}
	}
	return done, nil
}

// held keeps an answer in memory.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader remembers the status.
func (h *held) WriteHeader(status int) { h.status = status }

// Write keeps the bytes.
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

// truncate sends the first half of the answer as if it were all.
func truncate(w http.ResponseWriter, r *http.Request, next http.Handler) {
	h := &held{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(h, r)
	half := h.body.Bytes()[:h.body.Len()/2]
	w.Header().Set("Content-Length", strconv.Itoa(len(half)))
	w.WriteHeader(h.status)
	w.Write(half)
}
