package graph_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// assertion is one line of the catalogue of what Graph does, as facts about the
// real service, with how sure they are: D documented, I captured, X inferred, C
// from client code. The number is the catalogue's.
type assertion struct {
	n         int
	certainty string
	it        string
	check     func(b *bench)
}

// elsewhere lists the assertions that need the proxy in front of on-premises
// mailboxes. Package lab proves them, under the same numbers and words.
var elsewhere = []assertion{
	{n: 87, certainty: "D/I", it: "lets a user into an on-premises mailbox in the preview, and answers 404 since"},
	{n: 88, certainty: "I", it: "refuses an app-only token for an on-premises mailbox without a word"},
	{n: 89, certainty: "D/X", it: "answers for another API set of an on-premises mailbox with the preview sentence"},
	{n: 90, certainty: "I", it: "names the server's own type when a body was not translated"},
	{n: 92, certainty: "D", it: "has no beta for an on-premises mailbox: the preview sentence"},
}

var update = flag.Bool("update", false, "write the table of docs/lab-graph.md")

func TestTheCatalogueOfAssertions(t *testing.T) {
	all := slices.Concat(mailAssertions, mailWriteAssertions, calendarAssertions, contactAssertions, otherAssertions)
	seen := map[int]bool{}
	for _, a := range all {
		if seen[a.n] {
			t.Errorf("assertion %d stands twice in the table", a.n)
		}
		seen[a.n] = true
		t.Run(fmt.Sprintf("%02d %s it %s", a.n, a.certainty, a.it), func(t *testing.T) { a.check(newBench(t)) })
	}
	for _, a := range elsewhere {
		if seen[a.n] {
			t.Errorf("assertion %d is proven here and said to be proven elsewhere", a.n)
		}
		seen[a.n] = true
	}
	for n := 1; n <= 93; n++ {
		if !seen[n] {
			t.Errorf("assertion %d is neither proven here nor said to be proven elsewhere", n)
		}
	}
	if len(seen) != 93 {
		t.Errorf("%d assertions, want 93", len(seen))
	}
	documented(t, all)
}

// documented holds the table of docs/lab-graph.md against the code's.
func documented(t *testing.T, here []assertion) {
	t.Helper()
	const file, start = "../../../docs/lab-graph.md", "<!-- assertions -->\n"
	rows := slices.Concat(here, elsewhere)
	slices.SortFunc(rows, func(a, b assertion) int { return a.n - b.n })
	var table strings.Builder
	table.WriteString("| n | sure | Graph … | proven in |\n|---|---|---|---|\n")
	for _, a := range rows {
		where := "harness/lab/graph"
		if a.check == nil {
			where = "harness/lab"
		}
		fmt.Fprintf(&table, "| %d | %s | %s | %s |\n", a.n, a.certainty, a.it, where)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(raw), start)
	inside, after, closed := strings.Cut(rest, "<!-- end -->")
	switch {
	case !opened || !closed:
		t.Fatalf("%s has no table of assertions", file)
	case inside == table.String():
	case *update:
		if err := os.WriteFile(file, []byte(before+start+table.String()+"<!-- end -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of %s is out of date: run go test ./harness/lab/graph -run Catalogue -update", file)
	}
}

var mailAssertions = []assertion{
	{1, "D", "pages messages by ten and links on while there are more", func(b *bench) {
		r := b.get("/me/messages").ok(b, 200)
		if len(r.values()) != 10 || r.text("@odata.nextLink") == "" {
			b.t.Errorf("%d messages, next %q", len(r.values()), r.text("@odata.nextLink"))
		}
		r = b.get("/me/messages?$top=1000").ok(b, 200)
		if len(r.values()) != 120 || r.text("@odata.nextLink") != "" {
			b.t.Errorf("%d messages on the last page, next %q", len(r.values()), r.text("@odata.nextLink"))
		}
	}},
	{2, "D", "gives exactly etag, id and what was selected", func(b *bench) {
		b.keys(b.get("/me/messages?$top=1&$select=subject").values()[0], "@odata.etag", "id", "subject")
	}},
	{3, "D", "clamps a page over 1000", func(b *bench) { b.get("/me/messages?$top=1001").ok(b, 200) }},
	{4, "D", "counts all when asked", func(b *bench) {
		r := b.get("/me/messages?$count=true").ok(b, 200)
		if r.body["@odata.count"] != 120.0 {
			b.t.Errorf("count %v, want 120", r.body["@odata.count"])
		}
	}},
	{5, "D", "knows both key forms of a folder, in any case", func(b *bench) {
		if x, y := b.get("/me/mailFolders/inbox").text("id"), b.get("/me/mailfolders('Inbox')").text("id"); x == "" || x != y {
			b.t.Errorf("%q and %q", x, y)
		}
	}},
	{6, "X", "answers each well-known name", func(b *bench) {
		for _, name := range []string{"archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail", "localfailures", "msgfolderroot",
			"outbox", "recoverableitemsdeletions", "scheduled", "searchfolders", "sentitems", "serverfailures", "syncissues"} {
			b.get("/me/mailFolders/"+name).ok(b, 200)
		}
	}},
	{7, "I", "calls garbage a malformed id", func(b *bench) { b.get("/me/messages/garbage").refused(b, 400, "ErrorInvalidIdMalformed") }},
	{8, "I", "does not find a well-formed unknown id", func(b *bench) {
		other := newBench(b.t)
		other.me = other.store.Pairs()[1].Cloud
		page, _ := other.me.Messages(0, firstOnly)
		b.get("/me/messages/"+other.me.ID(page.Items[0].Ref(), false)).refused(b, 404, "ErrorItemNotFound")
	}},
	{9, "I", "names an unknown property", func(b *bench) {
		r := b.get("/me/messages?$select=isJunk")
		r.refused(b, 400, "RequestBroker--ParseUri")
		if want := "Could not find a property named 'isJunk' on type 'microsoft.graph.message'."; r.message() != want {
			b.t.Errorf("message %q, want %q", r.message(), want)
		}
	}},
	{10, "D", "refuses to sort by what it does not filter by", func(b *bench) {
		b.get("/me/messages?$filter=subject eq 'x'&$orderby=receivedDateTime").refused(b, 400, "InefficientFilter")
	}},
	{11, "D", "sorts when the filter begins with the sort key", func(b *bench) {
		r := b.get("/me/messages?$filter=receivedDateTime ge 2016-01-01T00:00:00Z and isRead eq true&$orderby=receivedDateTime desc&$top=50&$select=receivedDateTime,isRead").ok(b, 200)
		last := "9999"
		for _, v := range r.values() {
			at := v["receivedDateTime"].(string)
			if at > last || v["isRead"] != true {
				b.t.Errorf("%v after %s", v, last)
			}
			last = at
		}
	}},
	{12, "I", "does not sort a search", func(b *bench) {
		b.get("/me/messages?$search=\"x\"&$orderby=subject").refused(b, 400, "SearchWithOrderBy")
	}},
	{27, "D", "deletes a message so that its id is gone", func(b *bench) {
		id := b.draft(nil)
		b.do("DELETE", "/me/messages/"+id, nil).ok(b, 204)
		b.get("/me/messages/"+id).refused(b, 404, "ErrorItemNotFound")
	}},
	{28, "D", "gives the MIME of a message", func(b *bench) {
		id := b.firstMessage()["id"].(string)
		if r := b.get("/me/messages/"+id+"/$value").ok(b, 200); !contains(r.raw, "MIME-Version: 1.0", "Message-ID: <", "Subject: ") {
			b.t.Errorf("no MIME: %.200s", r.raw)
		}
	}},
	{29, "D", "gives bodies as text when preferred, and says so", func(b *bench) {
		r := b.get("/me/messages?$top=5&$select=body", "Prefer", `outlook.body-content-type="text"`).ok(b, 200)
		for _, v := range r.values() {
			if kind := v["body"].(map[string]any)["contentType"]; kind != "text" {
				b.t.Errorf("contentType %v", kind)
			}
		}
		if got := r.header.Get("Preference-Applied"); got != `outlook.body-content-type="text"` {
			b.t.Errorf("Preference-Applied %q", got)
		}
	}},
	{30, "D", "gives headers and unique body only when selected", func(b *bench) {
		m := b.firstMessage()
		if m["internetMessageHeaders"] != nil || m["uniqueBody"] != nil {
			b.t.Errorf("they are there by default")
		}
		b.keys(b.get("/me/messages/"+m["id"].(string)+"?$select=internetMessageHeaders,uniqueBody").body, "@odata.context", "@odata.etag", "id", "internetMessageHeaders", "uniqueBody")
	}},
	{31, "D", "expands attachments, and only on demand", func(b *bench) {
		r := b.get("/me/messages?$filter=hasAttachments eq true&$top=1&$expand=attachments($select=name,size)").ok(b, 200)
		list, _ := r.values()[0]["attachments"].([]any)
		if len(list) == 0 {
			b.t.Fatalf("no attachments: %s", r.raw)
		}
		b.keys(list[0].(map[string]any), "@odata.type", "@odata.mediaContentType", "id", "name", "size")
		if b.firstMessage()["attachments"] != nil {
			b.t.Errorf("attachments without being asked for")
		}
	}},
	{33, "D", "hides hidden folders unless asked for them", func(b *bench) {
		b.post("/me/mailFolders", map[string]any{"displayName": "secret", "isHidden": true}).ok(b, 201)
		if names(b.get("/me/mailFolders?$top=100"), "displayName")["secret"] {
			b.t.Errorf("the hidden folder is listed")
		}
		if !names(b.get("/me/mailFolders?$top=100&includeHiddenFolders=true"), "displayName")["secret"] {
			b.t.Errorf("the hidden folder is not listed when asked for")
		}
	}},
	{38, "D", "has no content for a reference attachment", func(b *bench) {
		id := b.draft(nil)
		a := b.post("/me/messages/"+id+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.referenceAttachment", "name": "link"}).ok(b, 201)
		if r := b.get("/me/messages/" + id + "/attachments/" + a.text("id") + "/$value"); r.status != 405 {
			b.t.Errorf("status %d, want 405", r.status)
		}
	}},
}

func (b *bench) keys(got map[string]any, want ...string) {
	b.t.Helper()
	var have []string
	for k := range got {
		have = append(have, k)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		b.t.Errorf("members %v, want %v", have, want)
	}
}

func names(r reply, member string) map[string]bool {
	m := map[string]bool{}
	for _, v := range r.values() {
		s, _ := v[member].(string)
		m[s] = true
	}
	return m
}
