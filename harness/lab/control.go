package lab

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// logged is one request of Graph to the on-prem front end, as the front end's
// own log would have it. Tokens are not in it.
type logged struct {
	Time            time.Time `json:"time"`
	ClientRequestID string    `json:"client_request_id"`
	GraphRequestID  string    `json:"graph_request_id"`
	Node            string    `json:"node"`
	Method          string    `json:"method"`
	Path            string    `json:"path"`
	TokenKind       string    `json:"token_kind"`
	Status          int       `json:"status"`
	Diagnostics     string    `json:"x_ms_diagnostics,omitempty"`
	Challenge       string    `json:"www_authenticate,omitempty"`
	RequestID       string    `json:"request_id"`
}

// logSize bounds the front-end log; the oldest entries go first.
const logSize = 4096

// frontEndLog is a ring of what Graph asked the on-prem front end.
type frontEndLog struct {
	mu   sync.Mutex
	ring [logSize]logged
	next int
	full bool
}

func (l *frontEndLog) add(e logged) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.next] = e
	l.next = (l.next + 1) % logSize
	l.full = l.full || l.next == 0
}

// find lists the entries of a client request id, or all for "", oldest first.
func (l *frontEndLog) find(id string) []logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	start, n := 0, l.next
	if l.full {
		start, n = l.next, logSize
	}
	out := []logged{}
	for i := range n {
		if e := l.ring[(start+i)%logSize]; id == "" || e.ClientRequestID == id {
			out = append(out, e)
		}
	}
	return out
}

// control serves the lab's own port: what a test asks the lab, not the deployment.
func (l *Lab) control() http.Handler {
	mux := http.NewServeMux()
	newRuler(l.options.Clock).routes(mux)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, l.Stats()) })
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, l.info) })
	mux.HandleFunc("GET /planted", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, l.Planted()) })
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, l.store.Ledger()) })
	mux.HandleFunc("GET /frontend-log", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, map[string]any{"entries": l.log.find(r.URL.Query().Get("client-request-id"))})
	})
	mux.HandleFunc("POST /move", func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ Mailbox, To string }
		r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
		if r.Header.Get("Content-Type") == "application/json" {
			if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
				reply(w, http.StatusBadRequest, map[string]string{"error": `want {"mailbox": …, "to": …}`})
				return
			}
		} else {
			ask.Mailbox, ask.To = r.FormValue("mailbox"), r.FormValue("to")
		}
		if err := l.Move(ask.Mailbox, ask.To); err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		reply(w, http.StatusOK, map[string]string{"mailbox": ask.Mailbox, "location": ask.To})
	})
	return mux
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
