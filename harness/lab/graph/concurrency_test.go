package graph_test

import (
	"io"
	"net/http/httptest"
)

// fifth holds four requests to one mailbox open by bodies that do not end, and
// asks a fifth time.
func (b *bench) fifth() {
	b.t.Helper()
	finished := make(chan int, 4)
	var writers []*io.PipeWriter
	for range 4 {
		body, w := io.Pipe()
		writers = append(writers, w)
		r := httptest.NewRequest("POST", host+"/v1.0/me/messages", body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+b.token)
		go func() {
			rec := httptest.NewRecorder()
			b.service.ServeHTTP(rec, r)
			finished <- rec.Code
		}()
		if _, err := w.Write([]byte("{")); err != nil { // it reads: it was admitted
			b.t.Fatal(err)
		}
	}
	r := b.get("/me/messages")
	r.refused(b, 429, "ApplicationThrottled")
	if r.message() != "Application is over its MailboxConcurrency limit." || r.header.Get("Retry-After") == "" {
		b.t.Errorf("%q, Retry-After %q", r.message(), r.header.Get("Retry-After"))
	}
	for _, w := range writers {
		if _, err := w.Write([]byte("}")); err != nil {
			b.t.Fatal(err)
		}
		w.Close()
	}
	for range 4 {
		if code := <-finished; code != 201 {
			b.t.Errorf("a request that was admitted got %d", code)
		}
	}
	b.get("/me/messages").ok(b, 200)
}
