package sts

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// refusal is an answer of the token service that is not a token. Codes are
// Entra's; apart from 7000215 and 70011 their texts are general knowledge, in
// words of the lab's own.
type refusal struct {
	number   int    // AADSTS…
	code     string // OAuth's error
	message  string
	status   int // 0: by code
	suberror string
}

func fail(number int, code, message string) *refusal {
	return &refusal{number: number, code: code, message: message}
}

// http status: 401 when the client did not prove itself, else 400.
func (f *refusal) http() int {
	switch {
	case f.status != 0:
		return f.status
	case f.code == "invalid_client":
		return http.StatusUnauthorized
	case f.code == "temporarily_unavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// conditions are the refusals that a policy, or the state of an account, causes.
var conditions = map[int]refusal{
	50053:   {code: "invalid_grant", message: "The account is locked because of too many wrong passwords."},
	50055:   {code: "invalid_grant", message: "The password has expired."},
	50057:   {code: "invalid_grant", message: "The user account is disabled."},
	50076:   {code: "interaction_required", message: "Multi-factor authentication is required to access the resource.", suberror: "basic_action"},
	50079:   {code: "interaction_required", message: "The user has to enrol in multi-factor authentication.", suberror: "basic_action"},
	50105:   {code: "interaction_required", message: "The signed-in user is not assigned to a role for the application."},
	50158:   {code: "interaction_required", message: "An external security challenge was not satisfied."},
	50196:   {code: "temporarily_unavailable", message: "The client application loops: too many equal requests.", status: http.StatusTooManyRequests},
	53003:   {code: "invalid_grant", message: "Access has been blocked by conditional access policies.", suberror: "message_only"},
	65001:   {code: "invalid_grant", message: "The user or administrator has not consented to use the application.", suberror: "consent_required"},
	90033:   {code: "temporarily_unavailable", message: "The service is temporarily unavailable."},
	7000112: {code: "unauthorized_client", message: "The application is disabled."},
	7000222: {code: "invalid_client", message: "The provided client secret keys are expired."},
}

func condition(number int) *refusal {
	f, known := conditions[number]
	if !known {
		f = refusal{code: "invalid_grant", message: "Sign-in was refused."}
	}
	f.number = number
	return &f
}

// refuse writes the error document.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	now := s.cfg.Clock.Now().UTC().Format("2006-01-02 15:04:05Z")
	trace, correlation := w.Header().Get("x-ms-request-id"), r.Header.Get("client-request-id")
	if correlation == "" || len(correlation) > 64 {
		correlation = s.id("correlation")
	}
	doc := map[string]any{
		"error":             f.code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", f.number, f.message, trace, clip(correlation), now),
		"error_codes":       []int{f.number},
		"timestamp":         now,
		"trace_id":          trace,
		"correlation_id":    clip(correlation),
		"error_uri":         fmt.Sprintf("%s/error?code=%d", s.cfg.Base, f.number),
	}
	if f.suberror != "" {
		doc["suberror"] = f.suberror
	}
	if f.http() == http.StatusTooManyRequests || f.http() == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	answer(w, f.http(), doc)
}

// id is a GUID that is different for each call of one service.
func (s *Service) id(salt string) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(s.cfg.Clock.Now().UnixNano()))
	binary.BigEndian.PutUint64(b[8:], s.serial.Add(1))
	copy(b[10:], salt[:2])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// attempts counts the wrong passwords of a user.
type attempts struct {
	wrong int
	since time.Time
}

// Smart lockout: ten wrong passwords lock an account for a minute [general knowledge].
const (
	lockAfter = 10
	lockFor   = time.Minute
)

func (s *Service) locked(oid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.wrong[oid]
	return a != nil && a.wrong >= lockAfter && s.cfg.Clock.Now().Sub(a.since) < lockFor
}

// count remembers the outcome of a password. Only users of the directory are
// counted, so the memory is bounded by it.
func (s *Service) count(oid string, right bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if right {
		delete(s.wrong, oid)
		return
	}
	a := s.wrong[oid]
	if a == nil || s.cfg.Clock.Now().Sub(a.since) >= lockFor {
		a = &attempts{}
		s.wrong[oid] = a
	}
	a.wrong++
	a.since = s.cfg.Clock.Now()
}
