package onprem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/lab/onprem"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

const base = "https://mail.contoso.test"

// site is a deployment with a caller: the first pair's on-prem user, by Basic.
type site struct {
	t      *testing.T
	store  *store.Store
	tokens *token.Authority
	clock  *clock.Fake
	front  *onprem.Service
	mb     *store.Mailbox
	header http.Header
}

func open(t *testing.T, change func(*onprem.Config)) *site {
	t.Helper()
	c := clock.NewFake(store.Epoch)
	s := &site{t: t, clock: c, store: store.New(store.Config{Pairs: 3, Now: c.Now}), header: http.Header{}}
	var err error
	if s.tokens, err = token.New(s.store.Tenant(), c); err != nil {
		t.Fatal(err)
	}
	config := onprem.Config{Store: s.store, Authority: s.tokens, Clock: c, Base: base, ServiceAccount: "svc", ServicePassword: "service secret"}
	if change != nil {
		change(&config)
	}
	s.front = onprem.New(config)
	s.mb = s.store.Pairs()[0].OnPrem
	return s
}

// ask sends a request; path is below the host. It signs in by Basic unless the
// site's headers say otherwise.
func (s *site) ask(method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	for k, v := range s.header {
		r.Header[k] = v
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if r.Header.Get("Authorization") == "" {
		u := s.mb.User()
		r.SetBasicAuth(u.UPN, u.Password)
	}
	w := httptest.NewRecorder()
	s.front.ServeHTTP(w, r)
	return w
}

func (s *site) get(path string) map[string]any {
	s.t.Helper()
	return s.doc(s.ask(http.MethodGet, path, ""), http.StatusOK)
}

func (s *site) doc(w *httptest.ResponseRecorder, status int) map[string]any {
	s.t.Helper()
	var doc map[string]any
	if w.Code != status {
		s.t.Fatalf("got %d %s, want %d", w.Code, w.Body, status)
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			s.t.Fatalf("%v in %s", err, w.Body)
		}
	}
	return doc
}

// refused asks and compares status and code of the error.
func (s *site) refused(method, path, body string, status int, code string) string {
	s.t.Helper()
	w := s.ask(method, path, body)
	var doc struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string
		}
	}
	_ = json.Unmarshal(w.Body.Bytes(), &doc)
	if w.Code != status || doc.Error.Code != code {
		s.t.Errorf("%s %s: got %d %s, want %d %s", method, path, w.Code, w.Body, status, code)
	}
	return doc.Error.Message
}

func list(doc map[string]any) []map[string]any {
	var out []map[string]any
	values, _ := doc["value"].([]any)
	for _, v := range values {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}

func keys(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestListsComeInPascalCaseInPagesOfTenAndAtMostFifty(t *testing.T) {
	s := open(t, nil)
	doc := s.get("/api/v2.0/me/MailFolders/Inbox/messages?$select=Subject,IsRead")
	items := list(doc)
	if len(items) != 10 || doc["@odata.nextLink"] != base+"/api/v2.0/me/MailFolders/Inbox/messages?$select=Subject%2CIsRead&$skip=10" {
		t.Errorf("%d items, next %v", len(items), doc["@odata.nextLink"])
	}
	if want := base + "/api/v2.0/$metadata#Me/MailFolders('Inbox')/Messages(Subject,IsRead)"; doc["@odata.context"] != want {
		t.Errorf("context %v, want %s", doc["@odata.context"], want)
	}
	less := cmp.Transformer("set", func(in []string) map[string]bool {
		out := map[string]bool{}
		for _, k := range in {
			out[k] = true
		}
		return out
	})
	if diff := cmp.Diff([]string{"@odata.id", "@odata.etag", "Id", "Subject", "IsRead"}, keys(items[0]), less); diff != "" {
		t.Error(diff)
	}
	if n := len(list(s.get("/api/v2.0/me/messages?$top=1000"))); n != 50 {
		t.Errorf("asked for 1000, got %d", n)
	}
	full := list(s.get("/api/v2.0/me/messages?$top=1"))[0]
	for _, absent := range []string{"Flag", "InternetMessageId", "ConversationIndex", "InternetMessageHeaders", "UniqueBody", "Attachments"} {
		if _, ok := full[absent]; ok {
			t.Errorf("%s is there: it is newer than 2016", absent)
		}
	}
	if full["Importance"] != "Normal" && full["Importance"] != "High" && full["Importance"] != "Low" {
		t.Errorf("importance %v", full["Importance"])
	}
}

func TestPagesAddUpToTheCollection(t *testing.T) {
	s := open(t, nil)
	total := int(s.get("/api/v2.0/me/messages?$count=true&$top=1")["@odata.count"].(float64))
	seen := map[string]bool{}
	next := "/api/v2.0/me/messages?$top=33&$select=Id"
	for next != "" {
		doc := s.get(strings.TrimPrefix(next, base))
		for _, m := range list(doc) {
			seen[m["Id"].(string)] = true
		}
		next, _ = doc["@odata.nextLink"].(string)
	}
	if len(seen) != total || total == 0 {
		t.Errorf("drained %d of %d", len(seen), total)
	}
}

func TestQueriesSelectOrderAndFilter(t *testing.T) {
	s := open(t, nil)
	subjects := func(path string) (out []string) {
		for _, m := range list(s.get(path)) {
			out = append(out, m["Subject"].(string))
		}
		return out
	}
	newest := subjects("/api/v2.0/me/mailfolders/inbox/messages?$top=5&$orderby=receivedDateTime%20desc&$select=Subject")
	oldest := subjects("/api/v2.0/me/mailfolders/inbox/messages?$top=5&$orderby=ReceivedDateTime&$select=Subject")
	if cmp.Equal(newest, oldest) {
		t.Error("both directions gave the same")
	}
	for _, m := range list(s.get("/api/v2.0/me/messages?$filter=IsRead%20eq%20false&$top=50")) {
		if m["IsRead"] != false {
			t.Errorf("a read message passed the filter: %v", m["Subject"])
		}
	}
	from := list(s.get("/api/v2.0/me/messages?$top=50"))[0]["From"].(map[string]any)["EmailAddress"].(map[string]any)["Address"].(string)
	if got := list(s.get("/api/v2.0/me/messages?$filter=From/EmailAddress/Address%20eq%20'" + from + "'&$select=From")); len(got) == 0 {
		t.Errorf("nothing from %s", from)
	}
	byName := list(s.get("/api/v2.0/me/mailfolders?$orderby=TotalItemCount%20desc&$top=2&$count=true"))
	if len(byName) != 2 || byName[0]["TotalItemCount"].(float64) < byName[1]["TotalItemCount"].(float64) {
		t.Errorf("folders by count: %v", byName)
	}
	for _, row := range []struct{ path, code string }{
		{"/api/v2.0/me/messages?$select=Flag", "RequestBroker-ParseUri"},
		{"/api/v2.0/me/messages?$filter=Nothing%20eq%201", "RequestBroker-ParseUri"},
		{"/api/v2.0/me/messages?$filter=IsRead%20eq", "ErrorInvalidUrlQuery"},
		{"/api/v2.0/me/messages?$filter=Body%20eq%20'x'", "ErrorInvalidUrlQueryFilter"},
		{"/api/v2.0/me/messages?$orderby=Nothing", "RequestBroker-ParseUri"},
		{"/api/v2.0/me/messages?$orderby=Body", "ErrorInvalidUrlQuery"},
		{"/api/v2.0/me/messages?$filter=IsRead%20eq%20true&$orderby=Subject", "InefficientFilter"},
		{"/api/v2.0/me/messages?$search=x&$orderby=Subject", "SearchWithOrderBy"},
		{"/api/v2.0/me/messages?$top=x", "ErrorInvalidUrlQuery"},
		{"/api/v2.0/me/messages?$expand=singleValueExtendedProperties", "ErrorInvalidRequest"},
		{"/api/v2.0/me/messages/delta", "RequestBroker-ParseUri"},
		{"/api/v2.0/me/calendarView", "ErrorInvalidParameter"},
		{"/api/v2.0/me/calendarView?startDateTime=2026-03-09&endDateTime=2026-03-02", "ErrorInvalidParameter"},
		{"/api/v2.0/me/messages/x", "ErrorInvalidIdMalformed"},
		{"/api/v2.0/groups", "RequestBroker-ParseUri"},
	} {
		s.refused(http.MethodGet, row.path, "", http.StatusBadRequest, row.code)
	}
	if got := s.refused(http.MethodPost, "/api/v2.0/me/calendar/Microsoft.OutlookServices.getSchedule", "{}", 400, "RequestBroker-ParseUri"); got != "Resource not found for the segment 'Microsoft.OutlookServices.getSchedule'." {
		t.Errorf("message %q", got)
	}
	lenient := open(t, func(c *onprem.Config) { c.IgnoreUnknownSelect = true })
	if got := list(lenient.get("/api/v2.0/me/messages?$select=Flag,Subject&$top=1")); len(got) != 1 {
		t.Error("an unknown name was not ignored")
	}
}

func TestAMessageLivesFromDraftToDeletion(t *testing.T) {
	s := open(t, nil)
	body := `{"Subject":"Plan","Importance":"high","Body":{"ContentType":"HTML","Content":"<p>x</p>"},"ToRecipients":[{"EmailAddress":{"Address":"ben@fabrikam.test"}}],
		"Categories":["Blue"],"Attachments":[{"@odata.type":"#Microsoft.OutlookServices.FileAttachment","Name":"a.txt","ContentBytes":"aGk="}]}`
	w := s.ask(http.MethodPost, "/api/v2.0/me/messages", body)
	made := s.doc(w, http.StatusCreated)
	id := made["Id"].(string)
	if made["IsDraft"] != true || made["Subject"] != "Plan" || made["Importance"] != "High" || made["HasAttachments"] != true || !strings.HasSuffix(w.Header().Get("Location"), "Messages('"+id+"')") {
		t.Errorf("%v, location %s", made, w.Header().Get("Location"))
	}
	changed := s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/messages/"+id, `{"Subject":"Plan B","IsRead":false,"IsDeliveryReceiptRequested":true}`), 200)
	if changed["Subject"] != "Plan B" || changed["IsRead"] != false || changed["IsDeliveryReceiptRequested"] != true || changed["ChangeKey"] == made["ChangeKey"] {
		t.Errorf("%v", changed)
	}
	s.header.Set("If-Match", made["@odata.etag"].(string))
	s.refused(http.MethodPatch, "/api/v2.0/me/messages/"+id, `{"Subject":"C"}`, 412, "ErrorIrresolvableConflict")
	s.header.Del("If-Match")
	attachments := list(s.get("/api/v2.0/me/messages('" + id + "')/attachments"))
	if len(attachments) != 1 || attachments[0]["ContentBytes"] != "aGk=" || attachments[0]["@odata.type"] != "#Microsoft.OutlookServices.FileAttachment" {
		t.Errorf("attachments %v", attachments)
	}
	one := attachments[0]["Id"].(string)
	if got := s.get("/api/v2.0/me/messages/" + id + "/attachments/" + one); got["Name"] != "a.txt" {
		t.Errorf("attachment %v", got)
	}
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages/"+id+"/attachments", `{"Name":"b.txt","ContentBytes":"aGk=","ContentType":"text/plain"}`), 201)
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/messages/"+id+"/attachments/"+one, ""), 204)
	if got := s.get("/api/v2.0/me/messages/" + id + "?$expand=attachments")["Attachments"].([]any); len(got) != 1 {
		t.Errorf("expanded %v", got)
	}
	copied := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages/"+id+"/copy", `{"DestinationId":"Archive"}`), 201)
	moved := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages/"+id+"/Microsoft.OutlookServices.Move", `{"DestinationId":"inbox"}`), 201)
	if moved["Id"] == id || moved["ParentFolderId"] == made["ParentFolderId"] || copied["Id"] == id {
		t.Error("moving and copying must give new ids")
	}
	s.refused(http.MethodGet, "/api/v2.0/me/messages/"+id, "", 404, "ErrorItemNotFound")
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages/"+moved["Id"].(string)+"/send", ""), 202)
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/messages/"+copied["Id"].(string), ""), 204)
}

func TestMailIsSentAnsweredAndForwarded(t *testing.T) {
	s := open(t, nil)
	to := s.store.Pairs()[1].OnPrem
	count := func() int {
		p, err := to.Messages(store.InboxFolder, store.MessageQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	before := count()
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/sendmail", `{"Message":{"Subject":"hi","ToRecipients":[{"EmailAddress":{"Address":"`+to.User().SMTP+`"}}]},"SaveToSentItems":false}`), 202)
	if count() != before+1 {
		t.Errorf("%d arrived", count()-before)
	}
	s.refused(http.MethodPost, "/api/v2.0/me/sendmail", `{"Message":{"Subject":"hi"}}`, 400, "ErrorInvalidRecipients")
	s.refused(http.MethodPost, "/api/v2.0/me/sendmail", `{"SaveToSentItems":true}`, 400, "ErrorInvalidRequest")
	s.refused(http.MethodPost, "/api/v2.0/me/sendmail", `{"Nothing":1}`, 400, "RequestBodyRead")
	first := list(s.get("/api/v2.0/me/mailfolders/inbox/messages?$top=1"))[0]
	path := "/api/v2.0/me/messages/" + first["Id"].(string)
	for action, status := range map[string]int{"reply": 202, "replyall": 202, "createreply": 201, "CreateReplyAll": 201} {
		s.doc(s.ask(http.MethodPost, path+"/"+action, `{"Comment":"thanks"}`), status)
	}
	forward := `{"Comment":"see","ToRecipients":[{"EmailAddress":{"Address":"` + to.User().SMTP + `"}}]}`
	s.doc(s.ask(http.MethodPost, path+"/forward", forward), 202)
	draft := s.doc(s.ask(http.MethodPost, path+"/createforward", forward), 201)
	if !strings.HasPrefix(draft["Subject"].(string), "FW: ") {
		t.Errorf("subject %v", draft["Subject"])
	}
}

func TestABodyInGraphsWordsIsRefusedByItsFirstUnknownName(t *testing.T) {
	s := open(t, nil)
	for body, want := range map[string]string{
		`{"subject":"x","Importance":"Low"}`:        "The property 'subject' does not exist on type 'Microsoft.OutlookServices.Message'. Make sure to only use property names that are defined by the type or mark the type as open type.",
		`{"Body":{"contentType":"Text"}}`:           "The property 'contentType' does not exist on type 'Microsoft.OutlookServices.ItemBody'. Make sure to only use property names that are defined by the type or mark the type as open type.",
		`{"@odata.type":"microsoft.graph.message"}`: "A type named 'microsoft.graph.message' could not be resolved by the model. When a model is available, each type name must resolve to a valid type.",
		`{"IsRead":"yes"}`:                          "Cannot convert the literal 'yes' to the expected type 'Edm.Boolean'.",
		`{"Importance":"odd"}`:                      "Cannot convert the literal 'odd' to the expected type 'Microsoft.OutlookServices.Importance'.",
		`[]`:                                        "An object of type 'Microsoft.OutlookServices.Message' was expected.",
		`{"Subject":`:                               "The body is not valid JSON.",
	} {
		if got := s.refused(http.MethodPost, "/api/v2.0/me/messages", body, 400, "RequestBodyRead"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, got, want)
		}
	}
	s.header.Set("Content-Type", "text/plain")
	s.refused(http.MethodPost, "/api/v2.0/me/messages", `{}`, 415, "ErrorInvalidRequest")
}

func TestFoldersAreMadeRenamedMovedAndRemoved(t *testing.T) {
	s := open(t, nil)
	made := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/mailfolders/inbox/childfolders", `{"DisplayName":"New"}`), 201)
	id := made["Id"].(string)
	s.refused(http.MethodPost, "/api/v2.0/me/mailfolders/inbox/childfolders", `{"DisplayName":"New"}`, 409, "ErrorFolderExists")
	s.refused(http.MethodPost, "/api/v2.0/me/mailfolders", `{}`, 400, "ErrorInvalidRequest")
	if got := list(s.get("/api/v2.0/me/mailfolders('inbox')/childfolders")); len(got) != 1 || got[0]["Id"] != id {
		t.Errorf("children %v", got)
	}
	if got := s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/mailfolders/"+id, `{"DisplayName":"Newer"}`), 200); got["DisplayName"] != "Newer" {
		t.Errorf("%v", got)
	}
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/mailfolders/"+id+"/messages", `{"Subject":"in it"}`), 201)
	copied := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/mailfolders/"+id+"/copy", `{"DestinationId":"archive"}`), 200)
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/mailfolders/"+id+"/move", `{"DestinationId":"drafts"}`), 200)
	if got := s.get("/api/v2.0/me/mailfolders/" + copied["Id"].(string)); got["TotalItemCount"] != 1.0 {
		t.Errorf("copy %v", got)
	}
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/mailfolders/"+copied["Id"].(string), ""), 204)
	s.refused(http.MethodDelete, "/api/v2.0/me/mailfolders/inbox", "", 403, "ErrorDeleteDistinguishedFolder")
}

func TestVersionOneCallsItsFoldersByAnotherName(t *testing.T) {
	s := open(t, nil)
	for path, want := range map[string]string{
		"/api/v1.0/me/Folders?$top=1": "Me/Folders", "/api/v1.0/me/RootFolder": "Me/Folders/$entity",
		"/api/v1.0/me/Folders/Inbox/Messages?$top=1": "Me/Folders('Inbox')/Messages", "/api/v2.0/me/MailFolders?$top=1": "Me/MailFolders",
	} {
		if got, _ := s.get(path)["@odata.context"].(string); !strings.HasSuffix(got, "/$metadata#"+want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	s.refused(http.MethodGet, "/api/v2.0/me/RootFolder", "", 400, "RequestBroker-ParseUri")
}
