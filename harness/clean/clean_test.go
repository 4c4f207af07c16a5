package clean_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clean"
	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/paths"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

const tag = "cutover-run-1"

// thing is an item of the test's mailbox server.
type thing struct {
	sort, id, subject, category string
	from                        string // who wrote it
	attendees                   []string
	binned                      bool // in Deleted Items: the next deletion removes it
	stuck                       bool // deletions are refused
}

// server is a mailbox service that deletes softly, as Exchange does: an item
// moves to Deleted Items under another id and is gone when deleted there.
type server struct {
	mu       sync.Mutex
	boxes    map[string][]*thing // by user
	throttle int                 // how many requests are pushed back first
	simple   bool                // it does not know lambdas in filters
	ledger   []string            // deletions of things that are not the run's
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.throttle > 0 {
		s.throttle--
		w.Header().Set("Retry-After", "0.001")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // v1.0 users X messages [id]
	user, sort := parts[2], strings.TrimSuffix(parts[3], "s")
	if len(parts) == 4 {
		s.list(w, user, sort, r.URL.Query().Get("$filter"))
		return
	}
	if len(parts) == 6 {
		s.move(w, user, parts[4])
		return
	}
	i := slices.IndexFunc(s.boxes[user], func(t *thing) bool { return t.sort == sort && t.id == parts[4] })
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"ErrorItemNotFound","message":"gone"}}`)
		return
	}
	t := s.boxes[user][i]
	switch {
	case r.Method == "GET":
		attendees := []any{}
		for _, a := range t.attendees {
			attendees = append(attendees, map[string]any{"emailAddress": map[string]any{"address": a}})
		}
		json.NewEncoder(w).Encode(map[string]any{"id": t.id, "attendees": attendees})
	case t.stuck:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"code":"ErrorAccessDenied","message":"no"}}`)
	case sort == "message" && !t.binned:
		t.binned, t.id = true, t.id+"-binned"
		w.WriteHeader(http.StatusNoContent)
	default:
		if t.category != tag && !strings.Contains(t.subject, tag) && !strings.HasPrefix(t.id, "own") {
			s.ledger = append(s.ledger, t.id)
		}
		s.boxes[user] = slices.Delete(s.boxes[user], i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

// move puts a message into Deleted Items, where it has another id.
func (s *server) move(w http.ResponseWriter, user, id string) {
	for _, t := range s.boxes[user] {
		if t.id == id && t.sort == "message" {
			t.binned, t.id = true, t.id+"-binned"
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(map[string]any{"id": t.id})
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, `{"error":{"code":"ErrorItemNotFound","message":"gone"}}`)
}

// row is a thing in a list.
func (t *thing) row() map[string]any {
	who := map[string]any{"emailAddress": map[string]any{"address": t.from}}
	return map[string]any{"id": t.id, "subject": t.subject, "displayName": t.subject, "categories": []string{t.category}, "from": who, "organizer": who}
}

// list understands the two filters that find a tag, a page of two at a time.
func (s *server) list(w http.ResponseWriter, user, sort, filter string) {
	found := []any{}
	if s.simple && strings.Contains(filter, "any(") {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":"ErrorInvalidUrlQueryFilter","message":"no"}}`)
		return
	}
	for _, t := range s.boxes[user] {
		if (filter == "" || strings.HasPrefix(filter, "createdDateTime ge 20")) && t.sort == sort {
			found = append(found, t.row())
			continue
		}
		byCategory := filter == "categories/any(c:c eq '"+t.category+"')"
		// As Exchange does, it overlooks case.
		byText := strings.HasPrefix(filter, "startswith(") && strings.HasPrefix(strings.ToLower(t.subject), tag) ||
			strings.HasPrefix(filter, "contains(") && strings.Contains(strings.ToLower(t.subject), tag)
		if t.sort == sort && (byCategory || byText) && len(found) < 4 {
			found = append(found, t.row())
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"value": found})
}

func (s *server) left(user string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := []string{}
	for _, t := range s.boxes[user] {
		ids = append(ids, t.id)
	}
	return ids
}

// patient is the system's clock for somebody who does not wait.
type patient struct{ clock.Clock }

func (patient) SleepUntil(ctx context.Context, _ time.Time) error { return ctx.Err() }

// deployment is one graph path behind a real door, with a real journal.
type deployment struct {
	*server
	file string
	deps clean.Deps
	door *guard.Door
}

func deploy(t *testing.T, s *server, rules func(*guard.Rules)) *deployment {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	path := profiles.Path{Name: "cloud", URL: web.URL + "/v1.0", Dialect: strictyaml.NewBlock("graph", strictyaml.Pos{}, map[string]any{"url": web.URL + "/v1.0", "as": "app"})}
	adapter, err := paths.New(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{server: s, file: filepath.Join(t.TempDir(), "journal.jsonl")}
	j, err := journal.Open(d.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	u, _ := url.Parse(web.URL)
	r := guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {u.Host}}, Mine: j.Mine}
	if rules != nil {
		rules(&r)
	}
	if d.door, err = guard.Open(r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.door.Close)
	doer, err := d.door.Path("cloud", guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	boxes := []profiles.Mailbox{}
	for _, name := range []string{"ann", "bob"} {
		boxes = append(boxes, profiles.Mailbox{Name: name, Address: map[string]profiles.Address{"cloud": {UPN: name + "@b.test", SMTP: name + "@b.test"}}})
	}
	d.deps = clean.Deps{Profile: &profiles.Profile{Paths: strictyaml.Map[profiles.Path]{{Key: "cloud", Value: path}}, Mailboxes: profiles.Mailboxes{List: boxes}},
		Doers: map[string]wire.Doer{"cloud": doer}, Adapters: map[string]paths.Adapter{"cloud": adapter}, Journal: j, Clock: patient{clock.System()}}
	return d
}

// intended journals an item as a run would.
func (d *deployment) intended(t *testing.T, mailbox, sort, id string, tagged bool) {
	t.Helper()
	j := d.deps.Journal.(*journal.Journal)
	seq, err := j.Intend(journal.Entry{Path: "cloud", Mailbox: mailbox, Sort: sort, Tag: tag, Tagged: tagged, URL: "http://x/v1.0/users/" + mailbox + "/" + sort + "s"})
	if err == nil && id != "" {
		err = j.Done(seq, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d *deployment) clean(t *testing.T) result.Cleanup {
	t.Helper()
	if err := d.deps.Journal.(*journal.Journal).Sync(); err != nil {
		t.Fatal(err)
	}
	entries, err := journal.Read(d.file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := clean.Run(t.Context(), entries, d.deps)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return got
}

func TestEverythingTheRunMadeIsRemovedAndNothingElse(t *testing.T) {
	for _, simple := range []bool{false, true} {
		t.Run(fmt.Sprint("lambdas unknown=", simple), func(t *testing.T) { removesEverything(t, simple) })
	}
}

func removesEverything(t *testing.T, simple bool) {
	s := &server{throttle: 2, simple: simple, boxes: map[string][]*thing{
		"ann@b.test": {
			{sort: "message", id: "own-1"}, {sort: "message", id: "own-2", category: tag}, {sort: "event", id: "own-3"}, {sort: "contact", id: "own-4"},
			{sort: "message", id: "lost-1", category: tag}, {sort: "message", id: "sent-1", subject: tag + " hello"},
			{sort: "message", id: "theirs-1", subject: "minutes about " + tag}, {sort: "message", id: "theirs-2", category: "cutover-run-2"}, {sort: "event", id: "theirs-3"},
			{sort: "message", id: "theirs-5", subject: strings.ToUpper(tag) + " shouted"}, {sort: "message", id: "theirs-6", subject: tag + "0 of another run"},
		},
		"bob@b.test": {{sort: "message", id: "delivered", subject: tag + " hello"}, {sort: "message", id: "theirs-4"}},
	}}
	d := deploy(t, s, nil)
	for _, i := range []struct{ sort, id string }{{"message", "own-1"}, {"message", "own-2"}, {"event", "own-3"}, {"contact", "own-4"}, {"message", "never-existed"}} {
		d.intended(t, "ann", i.sort, i.id, false)
	}
	d.intended(t, "ann", "message", "", true) // lost-1
	j := d.deps.Journal.(*journal.Journal)
	seq, _ := j.Intend(journal.Entry{Path: "cloud", Mailbox: "ann", Sort: "message", Tag: tag, Tagged: true, URL: "http://x/v1.0/users/ann/sendMail"})
	j.Done(seq, "") // sending answers no id
	got := d.clean(t)
	want := result.Cleanup{Created: 6, Removed: 6, Proof: clean.Proof}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first time (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"theirs-1", "theirs-2", "theirs-3", "theirs-5", "theirs-6"}, s.left("ann@b.test")); diff != "" {
		t.Errorf("ann's mailbox (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"theirs-4"}, s.left("bob@b.test")); diff != "" {
		t.Errorf("bob's mailbox (-want +got):\n%s", diff)
	}
	before := d.door.Traffic()["cloud"]
	if before.Sum() != before.Fixtures {
		t.Errorf("traffic = %+v, want fixtures only", before)
	}
	d.clean(t) // again: nothing is asked about what is proved
	if after := d.door.Traffic()["cloud"]; after.Fixtures-before.Fixtures > 20 {
		t.Errorf("cleaning again took %d requests", after.Fixtures-before.Fixtures)
	}
}

// Mail and meetings leave copies with others, under subjects that begin with a word such
// as "RE: ".
func TestCopiesOfWhatWasMailedAreFoundWhereverTheyAre(t *testing.T) {
	s := &server{boxes: map[string][]*thing{
		"ann@b.test": {
			{sort: "event", id: "own-meeting", subject: tag + " lunch", attendees: []string{"bob@b.test"}},
			{sort: "message", id: "sent", subject: "RE: " + tag + " hello", from: "ann@b.test"},
			{sort: "message", id: "theirs-1", subject: "RE: " + tag + " who are you?", from: "stranger@c.test"},
			{sort: "message", id: "theirs-2", subject: "the run " + tag, from: "ann@b.test"},
		},
		"bob@b.test": {
			{sort: "event", id: "booked", subject: "Canceled: " + tag + " lunch", from: "ann@b.test"},
			{sort: "message", id: "cancellation", subject: "Canceled: " + tag + " lunch", from: "ann@b.test"},
			{sort: "event", id: "theirs-3", subject: "lunch", from: "ann@b.test"},
		},
	}}
	d := deploy(t, s, nil)
	j := d.deps.Journal.(*journal.Journal)
	for _, e := range []journal.Entry{{Sort: "event", URL: "http://x/v1.0/users/ann/events", To: []string{"bob@b.test"}}, {Sort: "message", URL: "http://x/v1.0/users/ann/messages/1/reply", To: []string{"bob@b.test"}}} {
		e.Path, e.Mailbox, e.Tag, e.Tagged = "cloud", "ann", tag, true
		id := map[string]string{"event": "own-meeting"}[e.Sort]
		seq, err := j.Intend(e)
		if err != nil {
			t.Fatal(err)
		}
		j.Done(seq, id)
	}
	if diff := cmp.Diff(result.Cleanup{Created: 2, Removed: 2, Proof: clean.Proof}, d.clean(t)); diff != "" {
		t.Errorf("cleanup (-want +got):\n%s", diff)
	}
	left := map[string][]string{"ann": s.left("ann@b.test"), "bob": s.left("bob@b.test")}
	if diff := cmp.Diff(map[string][]string{"ann": {"theirs-1", "theirs-2"}, "bob": {"theirs-3"}}, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeRemovedIsSaid(t *testing.T) {
	s := &server{boxes: map[string][]*thing{"ann@b.test": {{sort: "contact", id: "own-stuck", stuck: true}}}}
	d := deploy(t, s, nil)
	d.intended(t, "ann", "contact", "own-stuck", false)
	d.intended(t, "ann", "message", "", false) // no id, no tag
	d.intended(t, "eve", "message", "own-elsewhere", false)
	got := d.clean(t)
	want := result.Cleanup{Created: 2, Left: 2, Unknown: 1, Proof: clean.Proof, Items: []string{
		"contact …wn-stuck in ann (cloud): the server answered 403 (ErrorAccessDenied)",
		`message …lsewhere in eve (cloud): the profile has no mailbox "eve"`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cleanup (-want +got):\n%s", diff)
	}
}

func TestCleaningGoesOnAfterAnInterruption(t *testing.T) {
	s := &server{boxes: map[string][]*thing{}}
	d := deploy(t, s, nil)
	for i := range 20 {
		id := fmt.Sprint("own-", i)
		s.boxes["ann@b.test"] = append(s.boxes["ann@b.test"], &thing{sort: "contact", id: id})
		d.intended(t, "ann", "contact", id, false)
	}
	d.deps.Journal.(*journal.Journal).Sync()
	entries, _ := journal.Read(d.file)
	for stop := 1; stop < 60; stop += 7 {
		ctx, cancel := context.WithCancel(t.Context())
		counted := d.deps
		n := 0
		counted.Doers = map[string]wire.Doer{"cloud": doerFunc(func(ctx context.Context, req *wire.Request, into *wire.Call) {
			if n++; n == stop {
				cancel()
			}
			d.deps.Doers["cloud"].Do(ctx, req, into)
		})}
		_, err := clean.Run(ctx, entries, counted)
		if n >= stop && !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted at request %d: %v", stop, err)
		}
		cancel()
		entries, _ = journal.Read(d.file)
	}
	got := d.clean(t)
	if diff := cmp.Diff(result.Cleanup{Created: 20, Removed: 20, Proof: clean.Proof}, got); diff != "" {
		t.Errorf("cleanup (-want +got):\n%s", diff)
	}
	if left := s.left("ann@b.test"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

type doerFunc func(context.Context, *wire.Request, *wire.Call)

func (f doerFunc) Do(ctx context.Context, req *wire.Request, into *wire.Call) { f(ctx, req, into) }

func TestDeletingAMeetingMailsNobodyOutsideTheList(t *testing.T) {
	s := &server{boxes: map[string][]*thing{"ann@b.test": {
		{sort: "event", id: "own-alone"}, {sort: "event", id: "own-inside", attendees: []string{"bob@b.test"}}, {sort: "event", id: "own-outside", attendees: []string{"ceo@contoso.test"}},
	}}}
	d := deploy(t, s, func(r *guard.Rules) { r.Recipients = []string{"@b.test"} })
	for _, id := range []string{"own-alone", "own-inside", "own-outside"} {
		d.intended(t, "ann", "event", id, false)
	}
	got := d.clean(t)
	want := result.Cleanup{Created: 3, Removed: 2, Left: 1, Proof: clean.Proof, Items: []string{
		"event …-outside in ann (cloud): refused by rule recipient: DELETE /me/events/{id} names a recipient who is not on the list (c***@contoso.test)"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cleanup (-want +got):\n%s", diff)
	}
}
