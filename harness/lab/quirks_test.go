package lab_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

const week = "?startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-16T00:00:00Z&$top=50"

// shown says how each toggle shows in a mailbox that has it: what is asked, and
// whether the answer has the quirk.
var shown = map[string]func(w *world) bool{
	"null.absent": func(w *world) bool {
		_, there := values(w.rest(0, "GET", "/me/contacts?$top=1", "").doc)[0]["MiddleName"]
		return !there
	},
	"write.casing": func(w *world) bool {
		return w.ask(w.onPremUser(), "POST", w.info.GraphEras["2019"]+"/me/messages", `{"subject":"x"}`).code == "RequestBodyRead"
	},
	"locate.error": func(w *world) bool {
		return w.get(w.onPremUser(), w.info.Graph+"/me/messages").code == "ResourceNotFound"
	},
	"meta.headers": func(w *world) bool {
		return w.rest(0, "GET", "/me", "").header.Get("Rate-Limit-Limit") == "10000"
	},
	"auth.partner_perm": func(w *world) bool { return strings.HasPrefix(w.hybridRefusal(), "2000008;") },
	"auth.policy":       func(w *world) bool { return w.appReads() == "403 Access to OData is disabled." },
	"autod.stale": func(w *world) bool {
		upn := w.info.Pairs[0].OnPremUPN
		if err := w.lab.Move(upn, "cloud"); err != nil {
			w.t.Fatal(err)
		}
		return w.get("", w.info.Autodiscover+"/autodiscover/autodiscover.json?Protocol=EWS&Email="+upn).status == http.StatusFound
	},
	"id.legacy": func(w *world) bool {
		id := values(w.rest(0, "GET", "/me/messages?$top=1", "").doc)[0]["Id"].(string)
		return w.rest(0, "GET", "/me/messages/"+id, "").code == "ErrorInvalidIdMalformed"
	},
	"sync.reset": func(w *world) bool {
		return w.cloud(w.app(0), 0, "GET", "/mailFolders/inbox/messages/delta?$deltatoken="+deltaToken(w), "").code == "SyncStateNotFound"
	},
	"page.skip": func(w *world) bool {
		doc := w.cloud(w.app(0), 0, "GET", "/messages?$top=10", "").doc
		return len(values(doc)) == 8 && strings.HasSuffix(doc["@odata.nextLink"].(string), "skip=8")
	},
	"conflict.code": func(w *world) bool {
		app := w.app(0)
		id := values(w.cloud(app, 0, "GET", "/messages?$top=1&$select=id", "").doc)[0]["id"].(string)
		return w.cloud(app, 0, "PATCH", "/messages/"+id, `{"isRead":true}`).status == http.StatusPreconditionFailed
	},
	"delta.bigpage": func(w *world) bool {
		a := w.cloud(w.app(0), 0, "GET", "/mailFolders/inbox/messages/delta", "", "Prefer", "odata.maxpagesize=500")
		return a.status == http.StatusServiceUnavailable && a.body == ""
	},
	"migrated.broken": func(w *world) bool {
		app := w.app(0)
		for _, m := range values(w.cloud(app, 0, "GET", "/messages?$top=20&$select=id", "").doc) {
			if w.cloud(app, 0, "GET", "/messages/"+m["id"].(string)+"?$select=id", "").code == "ErrorCorruptData" {
				return true
			}
		}
		return false
	},
	"body.event_text": func(w *world) bool {
		return field(w.rest(0, "GET", "/me/events?$top=1", ""), "Body", "ContentType") == "Text"
	},
	"body.sanitise": func(w *world) bool {
		return strings.Contains(w.rest(0, "GET", "/me/messages?$top=10&$select=Body", "").body, "<script>")
	},
	"body.prefer": func(w *world) bool {
		a := w.rest(0, "GET", "/me/messages?$top=1", "", "Prefer", `outlook.body-content-type="text"`)
		return a.header.Get("Preference-Applied") == "" && field(a, "Body", "ContentType") == "HTML"
	},
	"time.zone_default": func(w *world) bool {
		return field(w.rest(0, "GET", "/me/events?$top=1", ""), "Start", "TimeZone") == "W. Europe Standard Time"
	},
	"time.custom_zone": func(w *world) bool {
		return strings.Contains(w.cloud(w.app(0), 0, "GET", "/events?$top=5", "").body, "tzone://Microsoft/Custom")
	},
	"time.original_start": func(w *world) bool {
		return strings.Contains(w.cloud(w.app(0), 0, "GET", "/calendarView"+week, "").body, `+00:00"`)
	},
	"recur.tz_empty": func(w *world) bool {
		return strings.Contains(w.cloud(w.app(0), 0, "GET", "/events?$top=50", "").body, `"recurrenceTimeZone":""`)
	},
	"recur.sentinels": func(w *world) bool {
		body := w.rest(0, "GET", "/me/events?$top=50", "").body
		return strings.Contains(body, `"Type":"NoEnd"`) && !strings.Contains(body, "0001-01-01\"")
	},
	"recur.inexpressible": func(w *world) bool {
		return w.cloud(w.app(0), 0, "POST", "/events", `{"subject":"y","start":{"dateTime":"2026-03-10T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-10T10:00:00","timeZone":"UTC"},
			"recurrence":{"pattern":{"type":"relativeYearly","interval":1,"month":3,"daysOfWeek":["tuesday"],"index":"second"},"range":{"type":"noEnd","startDate":"2026-03-10"}}}`).status == http.StatusBadRequest
	},
	"event.uid": func(w *world) bool {
		uids := map[any]int{}
		for _, e := range values(w.rest(0, "GET", "/me/calendarview"+week, "").doc) {
			if e["Type"] == "Occurrence" {
				uids[e["iCalUId"]]++
			}
		}
		for _, n := range uids {
			if n > 1 {
				return true
			}
		}
		return false
	},
	"folder.visibility": func(w *world) bool {
		return strings.Contains(w.rest(0, "GET", "/me/mailfolders?$top=50", "").body, `"Sync Issues"`)
	},
	"size.slow": func(w *world) bool {
		app := w.app(0)
		id := values(w.cloud(app, 0, "GET", "/messages?$top=1&$select=id", "").doc)[0]["id"].(string)
		return w.cloud(app, 0, "GET", "/messages/"+id+"/$value", "").status == http.StatusGatewayTimeout
	},
	"throttle.shape": func(w *world) bool {
		app := w.app(0)
		onPrem, cloud := false, false
		for range 5 {
			onPrem = w.rest(0, "GET", "/me", "").code == "ErrorServerBusy" || onPrem
			a := w.cloud(app, 0, "GET", "/messages?$top=1", "")
			cloud = a.code == "ApplicationThrottled" && a.header.Get("Retry-After") == "2.128" || cloud
		}
		return onPrem && cloud
	},
	"index.lag": func(w *world) bool {
		a := w.cloud(w.app(0), 0, "GET", `/messages?$search="the"`, "")
		return a.status == 200 && len(values(a.doc)) == 0
	},
}

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

func TestEachQuirkShowsWhenItIsOnAndOnlyThen(t *testing.T) {
	off := start(t, lab.Options{})
	for _, q := range quirks.All() {
		if q.State != quirks.Toggle {
			continue
		}
		t.Run(q.ID, func(t *testing.T) {
			look, ok := shown[q.ID]
			if !ok {
				t.Fatal("nothing shows it")
			}
			if q.ID != "autod.stale" && look(off) { // moving a mailbox of the shared lab would spoil the others
				t.Error("it shows although it is off")
			}
			w := start(t, lab.Options{Quirks: []string{q.ID}})
			if !look(w) {
				t.Error("it does not show")
			}
			planted := w.lab.Planted()
			if len(planted) != 1 || planted[0].ID != q.ID || fmt.Sprint(planted[0].Pairs) != "[0 1 2]" {
				t.Errorf("planted: %+v", planted)
			}
		})
	}
}

func TestWithAllQuirksEachHasMailboxesOfItsOwn(t *testing.T) {
	w := start(t, lab.Options{Quirks: []string{"all"}, Mailboxes: 60})
	owner := map[int]string{}
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
	if len(owner) != 60 || len(planted) != len(quirks.Toggles())-2 {
		t.Errorf("%d mailboxes, %d quirks", len(owner), len(planted))
	}
}
