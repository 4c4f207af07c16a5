package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// item is what a mailbox of the hostile exchange holds. The answer to a question for the
// item names its people as they are: a server that lies about them reaches whom it likes
// anyway.
type item struct {
	id  string
	own bool     // made by the run
	to  []string // everybody it is from or to
}

// exchange plays an Exchange that would be glad of an accident: what it holds is full of
// outsiders, its ids try to be other addresses, its links lead elsewhere. It judges all
// that arrives.
type exchange struct {
	server *httptest.Server
	rogue  string // address of a server that nobody may be led to
	pascal bool   // speaks as the on-premises side does

	mu       sync.Mutex // guards the fields below
	r        *rand.Rand
	items    map[string]*item
	foreign  []string // ids of items that were there before
	made     int
	requests int
	verdicts verdicts
}

// newExchange starts one. The test stops it.
func newExchange(t *testing.T, seed uint64, pascal bool, rogue string) *exchange {
	t.Helper()
	x := &exchange{rogue: rogue, pascal: pascal, r: rand.New(rand.NewPCG(seed, 1)), items: map[string]*item{}, verdicts: verdicts{wrong: map[string]int{}, first: map[string]string{}}}
	for _, id := range []string{"foreign-1", "foreign-2", "foreign-3", "../../users/boss@outside.example/messages", "foreign-1/send", "a/../b", "x?y=1", "x#y", "%2e%2e", "ü/ö", "') or ('", "foreign-2/../foreign-3", "..", "\r\nX-Evil: 1"} {
		x.items[id] = &item{id: id, to: []string{outsiders[0], insiders[0]}}
		x.foreign = append(x.foreign, id)
	}
	x.server = httptest.NewServer(x)
	return x
}

func (x *exchange) root() string {
	if x.pascal {
		return x.server.URL + "/api/v2.0"
	}
	return x.server.URL + "/v1.0"
}

// ServeHTTP judges a request and answers it.
func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	x.mu.Lock()
	x.requests++
	if "http://"+r.Host != x.server.URL || strings.Contains(r.RequestURI, "://") {
		x.verdicts.add("another host", r.Host+" "+r.RequestURI)
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Evil"} {
		if r.Header.Get(name) != "" {
			x.verdicts.add("a header that changes the request", name)
		}
	}
	x.judge(r.Method, r.RequestURI, body)
	status, answer := x.answer(r.Method, r.RequestURI, body)
	links := []string{x.elsewhere(), x.elsewhere()}
	lost := x.r.IntN(40) == 0 && r.Method == http.MethodGet
	x.mu.Unlock()
	w.Header().Set("Location", links[0])
	w.Header().Set("Content-Type", "application/json")
	if lost {
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer) // a client that went away wants no answer
	}
}

// elsewhere is a link that nobody should follow, or only with care.
func (x *exchange) elsewhere() string {
	own := x.root()
	links := []string{
		"http://198.51.100.7/x", "http://169.254.169.254/latest/meta-data", x.rogue + "/x", x.rogue + "/v1.0/me/messages", x.rogue + "/api/v2.0/me/messages", "//198.51.100.7/x", "http://me@198.51.100.7/", x.server.URL + "\\@198.51.100.7/", x.server.URL + "@198.51.100.7/",
		"file:///etc/passwd", own + "/users/boss@outside.example/messages", own + "/me/messages/foreign-1/send", own + "/me/messages?$skip=1", "http://[::ffff:198.51.100.7]/x", x.server.URL + ":81/", "https" + x.server.URL[4:] + "/x",
	}
	return links[x.r.IntN(len(links))]
}

// answer plays the mailbox. The caller holds the lock.
func (x *exchange) answer(method, address string, body []byte) (status int, answer any) {
	parts, _ := segments(address)
	last, of := "", (*item)(nil)
	if len(parts) > 0 {
		last = word(parts[len(parts)-1])
		of = x.items[parts[len(parts)-1]]
	}
	switch {
	case last == "$batch":
		return http.StatusOK, x.answerBatch(body)
	case strings.HasSuffix(last, "asmx"):
		return http.StatusOK, nil
	case method == http.MethodGet && of != nil:
		return http.StatusOK, x.show(of)
	case method == http.MethodGet:
		return http.StatusOK, x.list()
	case method == http.MethodDelete:
		return http.StatusNoContent, nil
	case method == http.MethodPatch || method == http.MethodPut:
		if of != nil {
			of.to = append(of.to, x.people(body)...)
			return http.StatusOK, x.show(of)
		}
		return http.StatusOK, map[string]any{x.spell("id"): "x"}
	case slices.Contains([]string{"send", "sendmail", "reply", "replyall", "forward", "accept", "decline", "tentativelyaccept", "cancel"}, last):
		return http.StatusAccepted, nil
	}
	made := x.create(parts, body)
	shown := x.show(made)
	link := x.elsewhere()
	if x.r.IntN(2) == 0 {
		link = x.server.URL + "/upload/" + made.id
	}
	shown[x.spell("uploadUrl")] = link
	return http.StatusCreated, shown
}

// create makes an item of the run. Now and then somebody else is on it.
func (x *exchange) create(parts []string, body []byte) *item {
	x.made++
	it := &item{id: fmt.Sprintf("own-%d", x.made), own: true, to: x.people(body)}
	switch x.r.IntN(12) {
	case 0:
		it.id += "/../foreign-1"
	case 1:
		it.id += "?x=" + outsiders[0]
	case 2:
		it.to = append(it.to, outsiders[0])
	}
	for _, part := range parts {
		if source := x.items[part]; source != nil {
			it.to = append(it.to, source.to...) // an answer to it, or a copy of it
		}
	}
	x.items[it.id] = it
	return it
}

func (x *exchange) people(body []byte) []string {
	var object any
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	return named(object, body)
}

func (x *exchange) list() any {
	var value []any
	for range 3 {
		value = append(value, x.show(x.items[x.foreign[x.r.IntN(len(x.foreign))]]))
	}
	out := map[string]any{x.spell("value"): value}
	if x.r.IntN(3) == 0 {
		out["@odata.nextLink"] = x.elsewhere()
	} else {
		out["@odata.deltaLink"] = x.elsewhere()
	}
	return out
}

func (x *exchange) show(it *item) map[string]any {
	person := func(address string) any {
		return map[string]any{x.spell("emailAddress"): map[string]any{x.spell("address"): address, x.spell("name"): "x"}}
	}
	out := map[string]any{"@odata.etag": "W/1"}
	all := []any{}
	for _, to := range it.to {
		all = append(all, person(to))
	}
	for key, value := range map[string]any{"id": it.id, "subject": "hello\r\nBcc: " + outsiders[0], "toRecipients": all, "attendees": all, "isDraft": it.own} {
		out[x.spell(key)] = value
	}
	if !it.own {
		out[x.spell("from")], out[x.spell("organizer")] = person(it.to[0]), person(it.to[0])
	}
	return out
}

func (x *exchange) answerBatch(body []byte) any {
	var batch struct {
		Requests []struct {
			ID, Method, URL string
			Body            json.RawMessage
		}
	}
	if json.Unmarshal(body, &batch) != nil {
		return nil
	}
	responses := []any{}
	for _, r := range batch.Requests {
		status, answer := x.answer(strings.ToUpper(r.Method), "/"+strings.TrimPrefix(r.URL, "/"), r.Body)
		responses = append(responses, map[string]any{"id": r.ID, "status": status, "body": answer})
	}
	return map[string]any{"responses": responses}
}

// spell writes a name as the side does.
func (x *exchange) spell(name string) string {
	if x.pascal && name != "value" {
		return strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}
