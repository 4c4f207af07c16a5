package clean_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"cutover/harness/clean"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

// scripted answers by method and path, and remembers what it was asked. What it does not
// know is gone.
type scripted struct {
	asked   []string
	answers map[string]string // "METHOD path" to a body; the status is 200
}

func (s *scripted) Do(_ context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	u, err := url.Parse(req.URL)
	if err != nil {
		panic(err)
	}
	asked := req.Method + " " + strings.TrimPrefix(u.Path, "/v1.0/users/ann@b.test")
	s.asked = append(s.asked, asked)
	body, known := s.answers[asked]
	into.Response.Status = 404
	if known {
		into.Response.Status = 200
	}
	into.Response.Body = append(into.Response.Body[:0], body...)
}

func TestAnItemIsRemovedWhereItsSortLives(t *testing.T) {
	tests := []struct {
		name, sort, created string
		want                []string
		items               []string // left, with reasons
	}{
		{"removes a mail folder", "folder", "https://h/v1.0/users/ann@b.test/mailFolders/inbox/childFolders", []string{"DELETE /mailFolders/own-1"}, nil},
		{"removes a contact folder", "folder", "https://h/v1.0/users/ann@b.test/contactFolders", []string{"DELETE /contactFolders/own-1"}, nil},
		{"removes a calendar", "calendar", "https://h/v1.0/users/ann@b.test/calendars", []string{"DELETE /calendars/own-1"}, nil},
		{"removes what has no place of its own below where it was created", "rule", "https://h/v1.0/users/ann@b.test/mailFolders/inbox/messageRules",
			[]string{"DELETE /mailFolders/inbox/messageRules/own-1"}, nil},
		{"says that it does not know where an item is", "rule", "", nil, []string{"rule own-1 in ann (cloud): the journal does not say where it was created"}},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			d := deploy(t, &server{}, nil)
			s := &scripted{}
			d.deps.Doers["cloud"] = s
			entries := []journal.Entry{{Seq: 1, Path: "cloud", Mailbox: "ann", Sort: test.sort, ID: "own-1", URL: test.created, State: journal.Created}}
			d.deps.Journal = nil
			got, err := clean.Run(t.Context(), entries, d.deps)
			if err != nil && len(test.items) == 0 {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.items, got.Items); diff != "" || got.Removed+got.Left != 1 || (got.Left == 1) != (len(test.items) == 1) {
				t.Errorf("clean-up %+v (-want +got):\n%s", got, diff)
			}
		})
	}
}

func TestCountingAsksForWhatCarriesNoTag(t *testing.T) {
	d := deploy(t, &server{}, nil)
	s := &scripted{answers: map[string]string{
		"GET /calendars/own-1": `{"id":"own-1"}`,
		"GET /messages":        `{"value":[{"id":"m1","categories":["` + tag + `"]},{"id":"m2","categories":["other"]}],"@odata.nextLink":"http://h/v1.0/users/ann@b.test/messages/page2"}`,
		"GET /messages/page2":  `{"value":[{"id":"m3","categories":["` + tag + `"]}]}`,
	}}
	d.deps.Doers["cloud"] = s
	made := func(sort, id string) journal.Entry {
		return journal.Entry{Path: "cloud", Mailbox: "ann", Sort: sort, ID: id, Tag: tag, State: journal.Created}
	}
	got, err := clean.Count(t.Context(), "cloud", "ann", []journal.Entry{made("calendar", "own-1"), made("calendar", "own-2"), made("calendar", ""), made("message", "m1"), made("message", "m3")}, d.deps)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"calendar": 1, "message": 2}, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s\n%q", diff, s.asked)
	}
	if _, err := clean.Count(t.Context(), "cloud", "nobody", nil, d.deps); err == nil {
		t.Error("a mailbox that the profile does not have was counted")
	}
	if _, err := clean.Count(t.Context(), "elsewhere", "ann", nil, d.deps); err == nil {
		t.Error("a path that the profile does not have was counted")
	}
}

// What is done and not written down would be unknown to whoever cleans next.
func TestCleaningStopsWhenItCannotBeRecorded(t *testing.T) {
	d := deploy(t, &server{boxes: map[string][]*thing{"ann@b.test": {{sort: "event", id: "own-1"}, {sort: "event", id: "own-2"}}}}, nil)
	d.intended(t, "ann", "event", "own-1", true)
	d.intended(t, "ann", "event", "own-2", true)
	log := d.deps.Journal.(*journal.Journal)
	if err := log.Sync(); err != nil {
		t.Fatal(err)
	}
	entries, err := journal.Read(d.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = clean.Run(t.Context(), entries, d.deps)
	if !errors.Is(err, journal.ErrClosed) || !strings.HasPrefix(err.Error(), "clean-up could not be recorded: ") {
		t.Errorf("Run = %v", err)
	}
	if left := d.server.left("ann@b.test"); len(left) != 1 {
		t.Errorf("%q are left: it went on without a record", left)
	}
}

// A rule's no keeps one item, and says so; the others are removed.
func TestARefusedDeletionIsTheItemsTrouble(t *testing.T) {
	d := deploy(t, &server{boxes: map[string][]*thing{"ann@b.test": {{sort: "contact", id: "own-1"}, {sort: "contact", id: "other"}}}},
		func(r *guard.Rules) { r.Mine = func(_, id string) bool { return id == "own-1" } })
	d.intended(t, "ann", "contact", "own-1", false)
	d.intended(t, "ann", "contact", "other", false)
	got := d.clean(t)
	if got.Removed != 1 || got.Left != 1 || len(got.Items) != 1 || !strings.Contains(got.Items[0], "rule not ours") {
		t.Errorf("clean-up %+v", got)
	}
	if left := d.server.left("ann@b.test"); !cmp.Equal(left, []string{"other"}) {
		t.Errorf("%q are left", left)
	}
}
