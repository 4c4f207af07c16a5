package lab_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

const meeting = `{"subject":"m","start":{"dateTime":"2026-03-10T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-10T10:00:00","timeZone":"UTC"}`

// inherent says how each difference that cannot be switched off shows: what one
// side answers and what the other does. A row is "on" on its own side and "off"
// on the other.
var inherent = map[string]func(w *world) (onPrem, cloud any){
	"case.property": func(w *world) (any, any) {
		return w.names(w.rest(0, "GET", "/me/messages?$top=1&$select=Subject", "")), w.names(w.cloud(w.app(0), 0, "GET", "/messages?$top=1&$select=subject", ""))
	},
	"case.enum": func(w *world) (any, any) {
		return field(w.rest(0, "GET", "/me/messages?$top=1&$orderby=ReceivedDateTime", ""), "Importance"), field(w.cloud(w.app(0), 0, "GET", "/messages?$top=1&$orderby=receivedDateTime", ""), "importance")
	},
	"name.renamed": func(w *world) (any, any) {
		return w.rest(0, "POST", "/me/contacts", `{"MobilePhone1":"1"}`).doc["MobilePhone1"], w.cloud(w.app(0), 0, "POST", "/contacts", `{"mobilePhone":"1"}`).doc["mobilePhone"]
	},
	"odata.context": func(w *world) (any, any) {
		on, cl := w.rest(0, "GET", "/me/messages?$top=1", ""), w.cloud(w.app(0), 0, "GET", "/messages?$top=1", "")
		return []bool{strings.Contains(on.body, w.info.Rest+"/$metadata#Me/Messages"), field(on, "@odata.id") != nil},
			[]bool{strings.Contains(cl.body, w.info.Graph+"/$metadata#users('"), field(cl, "@odata.id") != nil}
	},
	"props.absent": func(w *world) (any, any) {
		on, cl := values(w.rest(0, "GET", "/me/messages?$top=1", "").doc)[0], values(w.cloud(w.app(0), 0, "GET", "/messages?$top=1", "").doc)[0]
		return on["Flag"] != nil || on["InternetMessageId"] != nil || on["ConversationIndex"] != nil, cl["flag"] != nil && cl["internetMessageId"] != nil && cl["conversationIndex"] != nil
	},
	"segment.unknown": func(w *world) (any, any) {
		body := `{"schedules":["a@b.test"],"startTime":{"dateTime":"2026-03-02T00:00:00","timeZone":"UTC"},"endTime":{"dateTime":"2026-03-03T00:00:00","timeZone":"UTC"}}`
		on := w.rest(0, "POST", "/me/calendar/getSchedule", body)
		return fmt.Sprint(on.status, " ", on.code), w.cloud(w.app(0), 0, "POST", "/calendar/getSchedule", body).status
	},
	"beta.api": func(w *world) (any, any) {
		return w.past("/beta/me/messages", w.onPremUser()), w.past("/beta/me/messages", w.cloudUser())
	},
	"settings.missing": func(w *world) (any, any) {
		return w.past("/v1.0/me/mailboxSettings", w.onPremUser()), w.past("/v1.0/me/mailboxSettings", w.cloudUser())
	},
	"auth.app_only": func(w *world) (any, any) {
		app := w.app(0)
		return w.past("/v1.0/users/"+w.info.Pairs[0].OnPremUPN+"/messages", app), w.past("/v1.0/users/"+w.info.Pairs[0].CloudUPN+"/messages", app)
	},
	"auth.audience": func(w *world) (any, any) {
		p := w.info.Pairs[0]
		own := w.user(p.OnPremUPN, p.OnPremPassword, origin(w.info.Rest)+"/.default")
		return w.get(w.onPremUser(), w.info.Rest+"/me").header.Get("x-ms-diagnostics")[:7], w.get(own, w.info.Graph+"/me").message
	},
	"auth.scheme": func(w *world) (any, any) {
		return w.schemes(w.info.Rest + "/me"), w.schemes(w.info.Graph + "/me")
	},
	"autod.v2": func(w *world) (any, any) {
		ask := "/autodiscover/autodiscover.json?Protocol=REST&Email=" + w.info.Pairs[0].OnPremUPN
		return w.get("", w.info.AutodiscoverOnPrem+ask).status, w.get("", w.info.Autodiscover+ask).status
	},
	"id.length": func(w *world) (any, any) {
		classic, immutable := w.ids()
		return len(classic) >= 140, len(immutable)
	},
	"id.move": func(w *world) (any, any) {
		on := w.rest(0, "POST", "/me/messages", `{"Subject":"x"}`).doc["Id"].(string)
		w.rest(0, "POST", "/me/messages/"+on+"/move", `{"DestinationId":"DeletedItems"}`)
		app := w.app(0)
		cl := w.cloud(app, 0, "POST", "/messages", `{"subject":"x"}`, "Prefer", `IdType="ImmutableId"`).doc["id"].(string)
		w.cloud(app, 0, "POST", "/messages/"+cl+"/move", `{"destinationId":"deleteditems"}`, "Prefer", `IdType="ImmutableId"`)
		return w.rest(0, "GET", "/me/messages/"+on, "").code, w.cloud(app, 0, "GET", "/messages/"+cl, "").status
	},
	"id.prefer_ignored": func(w *world) (any, any) {
		return w.rest(0, "GET", "/me/messages?$top=1", "", "Prefer", `IdType="ImmutableId"`).header.Get("Preference-Applied"),
			w.cloud(w.app(0), 0, "GET", "/messages?$top=1", "", "Prefer", `IdType="ImmutableId"`).header.Get("Preference-Applied")
	},
	"sync.protocol": func(w *world) (any, any) {
		tracked := w.rest(0, "GET", "/me/mailfolders/inbox/messages", "", "Prefer", "odata.track-changes")
		return fmt.Sprint(w.rest(0, "GET", "/me/mailfolders/inbox/messages/delta", "").status, tracked.header.Get("Preference-Applied") != ""),
			fmt.Sprint(w.cloud(w.app(0), 0, "GET", "/mailFolders/inbox/messages/delta", "").status)
	},
	"id.alphabet": func(w *world) (any, any) {
		rest, ews := w.alphabets()
		return rest, ews
	},
	"recur.exceptions": func(w *world) (any, any) {
		return w.rest(0, "GET", "/me/events?$select=CancelledOccurrences", "").status, w.cloud(w.app(0), 0, "GET", "/events?$select=cancelledOccurrences", "").status
	},
	"xprop.addressing": func(w *world) (any, any) {
		const id = "String {8a3ab57c-62df-45c5-9b6b-0a1b2c3d4e5f} Name Case"
		on := w.rest(0, "POST", "/me/messages", `{"SingleValueExtendedProperties":[{"PropertyId":"`+id+`","Value":"7"}]}`)
		app := w.app(0)
		cl := w.cloud(app, 0, "POST", "/messages", `{"singleValueExtendedProperties":[{"id":"`+id+`","value":"7"}]}`).doc["id"].(string)
		read := w.cloud(app, 0, "GET", "/messages/"+cl+"?$expand=singleValueExtendedProperties("+url.QueryEscape("$filter=id eq '"+id+"'")+")", "")
		return on.code, strings.Contains(read.body, `"value":"7"`)
	},
	"event.txid": func(w *world) (any, any) {
		app := w.app(0)
		id := w.cloud(app, 0, "POST", "/events", meeting+`,"transactionId":"t1"}`).doc["id"].(string)
		on := w.rest(0, "POST", "/me/events", `{"Subject":"m","TransactionId":"t1"}`)
		return on.code, w.cloud(app, 0, "PATCH", "/events/"+id, `{"transactionId":"t2"}`).code
	},
	"cat.master": func(w *world) (any, any) {
		return w.rest(0, "GET", "/me/outlook/masterCategories", "").code, w.cloud(w.app(0), 0, "GET", "/outlook/masterCategories", "").status
	},
	"size.request": func(w *world) (any, any) {
		big := `{"subject":"x","body":{"contentType":"text","content":"` + strings.Repeat("y", 5<<20) + `"}}`
		on := w.rest(0, "POST", "/me/messages", strings.NewReplacer("subject", "Subject", "body", "Body", "contentType", "ContentType", `"text"`, `"Text"`, `"content"`, `"Content"`).Replace(big))
		return on.status, w.cloud(w.app(0), 0, "POST", "/messages", big).status
	},
	"throttle.limit": func(w *world) (any, any) { // five uploads of 4 MB are more than 15 MB in 30 s, the bound of 2021
		today := w.app(0)
		w2021 := start(w.t, lab.Options{Era: 2021})
		app, on, cl, now := w2021.app(0), 0, 0, 0
		content := strings.Repeat("y", 3_900_000)
		for range 5 {
			on = w.rest(0, "POST", "/me/messages", `{"Body":{"ContentType":"Text","Content":"`+content+`"}}`).status
			cl = w2021.cloud(app, 0, "POST", "/messages", `{"body":{"contentType":"text","content":"`+content+`"}}`).status
			now = w.cloud(today, 0, "POST", "/messages", `{"body":{"contentType":"text","content":"`+content+`"}}`).status
		}
		if now != 201 {
			w.t.Errorf("today's Graph says %d: it has 150 MB in 5 minutes", now)
		}
		return on, cl
	},
	"query.combo": func(w *world) (any, any) {
		return w.rest(0, "GET", `/me/messages?$search="x"&$orderby=Subject`, "").code + " " + w.rest(0, "GET", `/me/messages?$filter=Subject%20eq%20'x'&$orderby=ReceivedDateTime`, "").code,
			w.cloud(w.app(0), 0, "GET", `/messages?$search="x"&$orderby=subject`, "").code + " " + w.cloud(w.app(0), 0, "GET", `/messages?$filter=subject%20eq%20'x'&$orderby=receivedDateTime`, "").code
	},
}

// inherentAnswers are what the two sides say.
var inherentAnswers = map[string][2]string{
	"case.property": {"[@odata.etag @odata.id Id Subject]", "[@odata.etag id subject]"},
	"case.enum":     {"Normal", "normal"}, "name.renamed": {"1", "1"},
	"odata.context": {"[true true]", "[true false]"}, "props.absent": {"false", "true"},
	"segment.unknown": {"400 RequestBroker-ParseUri", "200"}, "beta.api": {"400 ErrorInvalidRequest", "200 "},
	"settings.missing": {"404 MailboxNotEnabledForRESTAPI", "200 "}, "auth.app_only": {"401 UnknownError", "200 "},
	"auth.audience": {"2000003", "Access token validation failure. Invalid audience."}, "auth.scheme": {"[Bearer Negotiate NTLM Basic]", "[Bearer]"},
	"autod.v2": {"200", "302"}, "id.length": {"true", "72"}, "id.move": {"ErrorItemNotFound", "200"},
	"id.prefer_ignored": {"", `IdType="ImmutableId"`}, "sync.protocol": {"400 true", "200"},
	"id.alphabet": {"false", "true"}, "recur.exceptions": {"400", "200"}, "xprop.addressing": {"RequestBodyRead", "true"},
	"event.txid": {"RequestBodyRead", "ErrorInvalidRequest"}, "cat.master": {"RequestBroker-ParseUri", "200"},
	"size.request": {"201", "413"}, "throttle.limit": {"201", "429"},
	"query.combo": {"SearchWithOrderBy InefficientFilter", "SearchWithOrderBy InefficientFilter"},
}

// waiting are the rows that only EWS could say.
var waiting = []string{"meeting.unsent", "scope.archive", "export.truncate", "rooms.list", "notify.model"}

func TestEachInherentDifferenceShowsOnItsSideAndNotOnTheOther(t *testing.T) {
	w := start(t, lab.Options{Proxy: "retired"})
	rows := 0
	var waits []string
	for _, q := range quirks.All() {
		switch q.State {
		case quirks.Inherent:
			rows++
			t.Run(q.ID, func(t *testing.T) {
				look, ok := inherent[q.ID]
				if !ok {
					t.Fatal("nothing shows it")
				}
				w.t = t
				on, cl := look(w)
				if got := [2]string{fmt.Sprint(on), fmt.Sprint(cl)}; got != inherentAnswers[q.ID] {
					t.Errorf("on-prem and cloud say %q, want %q", got, inherentAnswers[q.ID])
				}
			})
		case quirks.Waits:
			waits = append(waits, q.ID)
		}
	}
	if rows != len(inherent) {
		t.Errorf("%d inherent rows, %d tests", rows, len(inherent))
	}
	if fmt.Sprint(waits) != fmt.Sprint(waiting) {
		t.Errorf("rows that wait: %v, want %v", waits, waiting)
	}
}

func TestTheIdealDeploymentAnswersWhatIsNewerThanItsModel(t *testing.T) {
	w := start(t, lab.Options{Preset: "ideal"})
	onPrem, cloud := map[string]any{}, map[string]any{}
	for kind, ask := range map[string]string{"message": "/me/messages?$top=1", "event": "/me/events?$top=1", "folder": "/me/mailFolders?$top=1"} {
		for name := range values(w.rest(0, "GET", ask, "").doc)[0] {
			onPrem[kind+" "+strings.ToLower(name)] = true
		}
		for name := range values(w.cloud(w.app(0), 0, "GET", strings.TrimPrefix(ask, "/me"), "").doc)[0] {
			cloud[kind+" "+strings.ToLower(name)] = true
		}
	}
	for kind := range map[string]bool{"message": true, "event": true, "folder": true} {
		delete(onPrem, kind+" @odata.id") // a matter of the dialect
	}
	if on, cl := sortedKeys(onPrem), sortedKeys(cloud); !slices.Equal(on, cl) {
		t.Errorf("on-prem answers %v\ncloud answers   %v", on, cl)
	}
}

// names are the members of the first entity.
func (w *world) names(a answer) []string {
	w.t.Helper()
	return sortedKeys(values(a.doc)[0])
}

// past is what Graph of 2019 answers.
func (w *world) past(path, token string) string {
	w.t.Helper()
	a := w.get(token, origin(w.info.GraphEras["2019"])+path)
	return fmt.Sprint(a.status, " ", a.code)
}

func (w *world) cloudUser() string {
	return w.user(w.info.Pairs[0].CloudUPN, w.info.Pairs[0].CloudPassword, graphScope)
}

// schemes are how one may sign in, by the challenge.
func (w *world) schemes(address string) []string {
	w.t.Helper()
	var out []string
	for _, c := range w.get("", address).header["Www-Authenticate"] {
		name, _, _ := strings.Cut(c, " ")
		out = append(out, name)
	}
	return out
}

// ids are the classic and the immutable id of the same message.
func (w *world) ids() (classic, immutable string) {
	w.t.Helper()
	app := w.app(0)
	classic = field(w.cloud(app, 0, http.MethodGet, "/messages?$top=1", ""), "id").(string)
	immutable = field(w.cloud(app, 0, http.MethodGet, "/messages?$top=1", "", "Prefer", `IdType="ImmutableId"`), "id").(string)
	return classic, immutable
}

// alphabets says whether ids of the REST API, and the same as EWS would write
// them, have characters that a URL has to escape.
func (w *world) alphabets() (rest, ews bool) {
	w.t.Helper()
	var ids []string
	for _, m := range values(w.cloud(w.app(0), 0, "GET", "/messages?$top=20&$select=id", "").doc) {
		ids = append(ids, m["id"].(string))
	}
	ask, err := json.Marshal(map[string]any{"inputIds": ids, "sourceIdType": "restId", "targetIdType": "ewsId"})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, m := range values(w.cloud(w.app(0), 0, "POST", "/translateExchangeIds", string(ask)).doc) {
		rest = rest || strings.ContainsAny(ids[i], "+/")
		ews = ews || strings.ContainsAny(m["targetId"].(string), "+/")
	}
	return rest, ews
}

func sortedKeys(m map[string]any) []string {
	return slices.Sorted(maps.Keys(m))
}
