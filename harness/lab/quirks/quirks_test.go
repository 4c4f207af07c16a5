package quirks_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/lab/quirks"
)

func TestTheLedgerIsComplete(t *testing.T) {
	sides := []string{"onprem", "cloud", "proxy", "both"}
	classes := []string{"breaking", "adapter", "capability", "timing"}
	certainties := []string{"documented", "captured", "client code", "inferred"}
	seen := map[string]bool{}
	for _, q := range quirks.All() {
		if seen[q.ID] {
			t.Errorf("%s stands twice", q.ID)
		}
		seen[q.ID] = true
		if !slices.Contains(sides, q.Side) || !slices.Contains(classes, q.Class) || !slices.Contains(certainties, q.Certainty) || q.Source == "" || q.About == "" || q.Trigger == "" {
			t.Errorf("%+v lacks something", q)
		}
	}
}

func TestWordsExpandToIds(t *testing.T) {
	all, err := quirks.Expand([]string{"all"})
	if err != nil || len(all) != len(quirks.Toggles())-4 || slices.Contains(all, "auth.partner_perm") {
		t.Errorf("all: %v, %v", all, err)
	}
	for _, row := range []struct{ words, want []string }{
		{[]string{"none"}, nil}, {nil, nil}, {[]string{" id.legacy", "event.uid", "id.legacy"}, []string{"event.uid", "id.legacy"}},
	} {
		got, err := quirks.Expand(row.words)
		if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
			t.Errorf("%v: %v\n%s", row.words, err, diff)
		}
	}
	for _, word := range []string{"nonsense", "case.property", "id.alphabet"} {
		if _, err := quirks.Expand([]string{word}); err == nil {
			t.Errorf("%s was accepted", word)
		}
	}
}

func TestQuirksShareMailboxesOnlyWhenTheyMust(t *testing.T) {
	ids := []string{"id.legacy", "event.uid", "page.skip"}
	if s := quirks.NewSet(ids, 1); !s.At("id.legacy", 0) || !s.At("event.uid", 0) || !s.At("page.skip", 0) {
		t.Error("one mailbox has to show them all")
	}
	s := quirks.NewSet(ids, 7)
	for pair := range 7 {
		n := 0
		for _, id := range ids {
			if s.At(id, pair) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("pair %d shows %d quirks", pair, n)
		}
	}
	if s.At("id.legacy", -1) || s.At("conflict.code", 0) || s.On("conflict.code") || !s.On("event.uid") {
		t.Error("a quirk is on where it is not")
	}
	if _, ok := quirks.Lookup("nonsense"); ok {
		t.Error("an unknown id was found")
	}
}

func TestAResourceIsItsPathWithoutUsersAndKeys(t *testing.T) {
	for path, want := range map[string]string{
		"/v1.0/me/messages": "messages",
		"/v1.0/users/a@b.test/mailFolders/inbox/messages/AAMk": "mailfolders/*/messages/*",
		"/v1.0/users('a@b.test')/messages('AAMk')/$value":      "messages/*/$value",
		"/api/v2.0/me/MailFolders('Inbox')/messages":           "mailfolders/*/messages",
		"/api/v2.0/Users('a@b.test')/Events/x/Instances":       "events/*/instances",
		"/v1.0/me/messages/x/microsoft.graph.move":             "messages/*/move",
		"/v1.0/me/messages/delta()":                            "messages/delta",
		"/api/v2.0/users/a@b.test/contactfolders/f/contacts":   "contactfolders/*/contacts",
		"/": "",
	} {
		if got := quirks.Resource(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
