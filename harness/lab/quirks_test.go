package lab_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

// field is a member of the first entity of a list, or of its inner object.
func field(a answer, names ...string) any {
	list := values(a.doc)
	if len(list) == 0 {
		return a.body
	}
	var v any = list[0]
	for _, n := range names {
		m, _ := v.(map[string]any)
		v = m[n]
	}
	return v
}

// deltaToken runs a delta round of the first cloud mailbox to its end.
func deltaToken(w *world) string {
	app := w.app(0)
	next := w.info.Graph + "/users/" + w.info.Pairs[0].CloudUPN + "/mailFolders/inbox/messages/delta?$select=isRead"
	for range 50 {
		doc := w.get(app, next, "Prefer", "odata.maxpagesize=200").doc
		if link, ok := doc["@odata.deltaLink"].(string); ok {
			_, token, _ := strings.Cut(link, "deltatoken=")
			return token
		}
		next, _ = doc["@odata.nextLink"].(string)
	}
	w.t.Fatal("the round has no end")
	return ""
}

func TestWithAllQuirksEachHasMailboxesOfItsOwn(t *testing.T) {
	w := start(t, lab.Options{Quirks: []string{"all"}, Mailboxes: 60})
	owner := map[int]string{}
	alone := 0
	for _, q := range quirks.All() {
		if q.Alone {
			alone++
		}
	}
	raw := w.get("", w.info.Control+"/planted").body
	var planted []quirks.Planted
	if err := json.Unmarshal([]byte(raw), &planted); err != nil {
		t.Fatal(err)
	}
	for _, p := range planted {
		if len(p.Pairs) == 0 {
			t.Errorf("%s has no mailbox", p.ID)
		}
		for _, pair := range p.Pairs {
			if owner[pair] != "" {
				t.Errorf("pair %d has %s and %s", pair, owner[pair], p.ID)
			}
			owner[pair] = p.ID
		}
	}
	if len(owner) != 60 || len(planted) != len(quirks.Toggles())-alone {
		t.Errorf("%d mailboxes, %d quirks", len(owner), len(planted))
	}
}
