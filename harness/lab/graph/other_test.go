package graph_test

import (
	"fmt"
	"strings"

	"cutover/harness/lab/faults"
)

var contactAssertions = []assertion{
	{65, "D/X", "names a contact after its parts", func(b *bench) {
		r := b.post("/me/contacts", map[string]any{"givenName": "Ana", "surname": "Lab"}).ok(b, 201)
		if r.text("displayName") != "Ana Lab" || r.text("fileAs") != "Lab, Ana" {
			b.t.Errorf("%q %q", r.text("displayName"), r.text("fileAs"))
		}
	}},
	{66, "D", "names it again when the parts change", func(b *bench) {
		id := b.post("/me/contacts", map[string]any{"givenName": "Ana", "surname": "Lab", "displayName": "Boss"}).ok(b, 201).text("id")
		if r := b.do("PATCH", "/me/contacts/"+id, map[string]any{"surname": "Neu"}).ok(b, 200); r.text("displayName") != "Ana Neu" {
			b.t.Errorf("displayName %q", r.text("displayName"))
		}
	}},
	{67, "D", "filters contacts by an address and by nothing else", func(b *bench) {
		address := b.get("/me/contacts?$top=1").values()[0]["emailAddresses"].([]any)[0].(map[string]any)["address"].(string)
		r := b.get("/me/contacts?$filter=emailAddresses/any(a:a/address eq '"+address+"')").ok(b, 200)
		if len(r.values()) != 1 {
			b.t.Errorf("%d contacts, want 1", len(r.values()))
		}
		b.get("/me/contacts?$filter=emailAddresses/any(a:startswith(a/address,'a'))").refused(b, 400, "ErrorInvalidUrlQueryFilter")
		b.get("/me/contacts?$filter=displayName eq 'x'").refused(b, 400, "ErrorInvalidUrlQueryFilter")
	}},
	{68, "D", "puts contacts into folders", func(b *bench) {
		f := b.post("/me/contactFolders", map[string]any{"displayName": "Neue"}).ok(b, 201).text("id")
		c := b.post("/me/contactFolders/"+f+"/contacts", map[string]any{"givenName": "Ana"}).ok(b, 201)
		if c.text("parentFolderId") != f || len(b.get("/me/contactFolders/"+f+"/contacts").values()) != 1 {
			b.t.Errorf("%s", c.raw)
		}
	}},
	{69, "D", "writes empty addresses as {} and phones as []", func(b *bench) {
		r := b.post("/me/contacts", map[string]any{"givenName": "Ana"}).ok(b, 201)
		if !contains(r.raw, `"homeAddress":{},"businessAddress":{},"otherAddress":{}`, `"homePhones":[]`, `"businessPhones":[]`, `"personalNotes":""`) {
			b.t.Errorf("%s", r.raw)
		}
	}},
}

// fresh is a folder with five drafts; it returns the folder's and their ids.
func (b *bench) fresh() (folder string, ids []string) {
	b.t.Helper()
	folder = b.post("/me/mailFolders", map[string]any{"displayName": "delta"}).ok(b, 201).text("id")
	for i := range 5 {
		ids = append(ids, b.post("/me/mailFolders/"+folder+"/messages", map[string]any{"subject": fmt.Sprint(i), "isRead": false}).ok(b, 201).text("id"))
	}
	return folder, ids
}

// round follows a delta to its end and returns all entries, page sizes and the
// last link.
func (b *bench) round(link string, headers ...string) (all []map[string]any, sizes []int, last string) {
	b.t.Helper()
	for range 50 {
		r := b.get(link, headers...).ok(b, 200)
		all = append(all, r.values()...)
		sizes = append(sizes, len(r.values()))
		if last = r.text("@odata.deltaLink"); last != "" {
			return all, sizes, last
		}
		link = r.text("@odata.nextLink")
	}
	b.t.Fatal("the round does not end")
	return nil, nil, ""
}

var otherAssertions = []assertion{
	{70, "D", "pages a first delta round", func(b *bench) {
		folder, _ := b.fresh()
		_, sizes, _ := b.round("/me/mailFolders/"+folder+"/messages/delta", "Prefer", "odata.maxpagesize=2")
		if fmt.Sprint(sizes) != "[2 2 1]" {
			b.t.Errorf("pages of %v, want [2 2 1]", sizes)
		}
	}},
	{71, "D", "reports what was removed and what changed", func(b *bench) {
		folder, ids := b.fresh()
		_, _, link := b.round("/me/mailFolders/" + folder + "/messages/delta")
		b.do("DELETE", "/me/messages/"+ids[1], nil).ok(b, 204)
		b.do("PATCH", "/me/messages/"+ids[3], map[string]any{"isRead": true}).ok(b, 200)
		all, _, _ := b.round(link)
		if len(all) != 2 || fmt.Sprint(all[0]["@removed"]) != "map[reason:deleted]" || all[0]["id"] != ids[1] || all[1]["id"] != ids[3] || all[1]["isRead"] != true {
			b.t.Errorf("%v", all)
		}
	}},
	{72, "D", "has nothing to say when nothing changed", func(b *bench) {
		folder, _ := b.fresh()
		_, _, link := b.round("/me/mailFolders/" + folder + "/messages/delta")
		if all, _, _ := b.round(link); len(all) != 0 {
			b.t.Errorf("%v", all)
		}
	}},
	{73, "D", "ignores $select in an event delta", func(b *bench) {
		all, _, _ := b.round("/me/calendarView/delta?startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-09T00:00:00Z&$select=subject", "Prefer", "odata.maxpagesize=50")
		if len(all) == 0 || all[0]["start"] == nil {
			b.t.Errorf("%d entries", len(all))
		}
	}},
	{74, "I", "calls an expired token gone", func(b *bench) {
		_, _, link := b.round("/me/mailFolders/inbox/messages/delta")
		b.me.ExpireSync()
		b.get(link).refused(b, 410, "SyncStateNotFound")
	}},
	{75, "D", "takes a token with either kind of id", func(b *bench) {
		folder, ids := b.fresh()
		_, _, link := b.round("/me/mailFolders/" + folder + "/messages/delta")
		b.do("PATCH", "/me/messages/"+ids[0], map[string]any{"isRead": true}).ok(b, 200)
		all, _, _ := b.round(link, "Prefer", `IdType="ImmutableId"`)
		if len(all) != 1 || !strings.HasPrefix(all[0]["id"].(string), "AAkA") {
			b.t.Errorf("%v", all)
		}
	}},
	{76, "D", "takes 20 requests in a batch, not 21", func(b *bench) {
		if r := b.batch(parts(20, "/me/messages?$top=1")).ok(b, 200); len(r.body["responses"].([]any)) != 20 {
			b.t.Errorf("%d responses", len(r.body["responses"].([]any)))
		}
		b.batch(parts(21, "/me")).refused(b, 400, "BadRequest")
	}},
	{77, "D", "refuses an id twice, in any case", func(b *bench) {
		b.batch([]any{part("a", "GET", "/me"), part("A", "GET", "/me")}).refused(b, 400, "BadRequest")
	}},
	{78, "D", "fails what depends on a failure", func(b *bench) {
		first, second := part("1", "GET", "/me/messages/garbage"), part("2", "GET", "/me")
		second["dependsOn"] = []string{"1"}
		r := b.batch([]any{first, second}).ok(b, 200)
		if got := statuses(r); got["1"] != 400 || got["2"] != 424 {
			b.t.Errorf("%v", got)
		}
	}},
	{79, "D", "wants relative urls and a type for a body", func(b *bench) {
		b.batch([]any{part("1", "GET", host+"/v1.0/me")}).refused(b, 400, "BadRequest")
		p := part("1", "POST", "/me/messages")
		p["body"] = map[string]any{"subject": "x"}
		b.batch([]any{p}).refused(b, 400, "BadRequest")
		p["headers"] = map[string]any{"Content-Type": "application/json"}
		if got := statuses(b.batch([]any{p}).ok(b, 200)); got["1"] != 201 {
			b.t.Errorf("%v", got)
		}
	}},
	{80, "I", "throttles parts of a batch, each with its Retry-After", func(b *bench) {
		b = newBench(b.t, b.withThrottle(faults.Limits{Requests: 15, Window: 600e9}))
		r := b.batch(parts(20, "/me/messages?$top=1")).ok(b, 200)
		refused := 0
		for _, v := range r.body["responses"].([]any) {
			p := v.(map[string]any)
			if p["status"] == 429.0 && p["headers"].(map[string]any)["Retry-After"] != "" {
				refused++
			}
		}
		if refused != 5 {
			b.t.Errorf("%d parts throttled, want 5", refused)
		}
	}},
	{81, "D", "wants work to start before it ends", func(b *bench) {
		r := b.do("PATCH", "/me/mailboxSettings", map[string]any{"workingHours": map[string]any{"startTime": "17:00:00", "endTime": "08:00:00"}})
		r.refused(b, 400, "ErrorInvalidTimeSettings")
		if r.message() != "Start Time should occur before End Time." {
			b.t.Errorf("message %q", r.message())
		}
	}},
	{82, "D", "translates up to 1000 ids", func(b *bench) {
		body := map[string]any{"sourceIdType": "restId", "targetIdType": "restImmutableEntryId", "inputIds": make([]string, 1001)}
		if r := b.post("/me/translateExchangeIds", body); r.status != 400 {
			b.t.Errorf("status %d, want 400", r.status)
		}
		id := b.firstMessage()["id"].(string)
		body["inputIds"] = []string{id}
		immutable := b.post("/me/translateExchangeIds", body).ok(b, 200).values()[0]["targetId"].(string)
		if b.get("/me/messages/"+immutable).ok(b, 200).text("id") != id {
			b.t.Errorf("the translated id names another message")
		}
	}},
	{83, "I", "has no me for an app", func(b *bench) {
		b.token = "app:a1 Mail.Read"
		r := b.get("/me/messages")
		r.refused(b, 400, "BadRequest")
		if r.message() != "/me request is only valid with delegated authentication flow." {
			b.t.Errorf("message %q", r.message())
		}
	}},
	{84, "I", "challenges whoever brings no token", func(b *bench) {
		b.token = ""
		r := b.get("/me/nonsense")
		r.refused(b, 401, "InvalidAuthenticationToken")
		if !contains(r.header.Get("Www-Authenticate"), `Bearer `, `client_id="00000003-0000-0000-c000-000000000000"`) {
			b.t.Errorf("WWW-Authenticate %q", r.header.Get("Www-Authenticate"))
		}
	}},
	{85, "D", "echoes the client's request id, in errors too", func(b *bench) {
		r := b.get("/me/messages/garbage", "client-request-id", "11111111-2222-3333-4444-555555555555")
		inner := r.body["error"].(map[string]any)["innerError"].(map[string]any)
		if r.header.Get("Client-Request-Id") != "11111111-2222-3333-4444-555555555555" || inner["client-request-id"] != "11111111-2222-3333-4444-555555555555" || inner["request-id"] != r.header.Get("Request-Id") {
			b.t.Errorf("%v %v", r.header, inner)
		}
	}},
	{86, "D/I", "refuses the fifth request at once to one mailbox", func(b *bench) {
		limiter := faults.Limits{Concurrent: 4}
		b = newBench(b.t, b.withThrottle(limiter))
		b.fifth()
	}},
	{91, "I", "has no subscriptions for a mailbox on-premises", func(b *bench) {
		r := b.post("/subscriptions", map[string]any{"resource": "users/" + b.store.Pairs()[0].OnPrem.User().UPN + "/messages", "changeType": "created"})
		r.refused(b, 400, "ExtensionError")
	}},
	{93, "I", "answers for an unlicensed user as for one on-premises", func(b *bench) {
		b.token = "app:a1 Mail.Read"
		unlicensed := b.get("/users/" + b.store.Others()[0].User().UPN + "/messages")
		onprem := b.get("/users/" + b.store.Pairs()[0].OnPrem.User().UPN + "/messages")
		unlicensed.refused(b, 404, "MailboxNotEnabledForRESTAPI")
		onprem.refused(b, 404, "MailboxNotEnabledForRESTAPI")
		if want := "The mailbox is either inactive, soft-deleted, or is hosted on-premise."; onprem.message() != want || unlicensed.message() != want {
			b.t.Errorf("%q %q", onprem.message(), unlicensed.message())
		}
	}},
}

func part(id, method, url string) map[string]any {
	return map[string]any{"id": id, "method": method, "url": url}
}

func parts(n int, url string) []any {
	var list []any
	for i := range n {
		list = append(list, part(fmt.Sprint(i), "GET", url))
	}
	return list
}

func (b *bench) batch(requests []any) reply {
	b.t.Helper()
	return b.post("/$batch", map[string]any{"requests": requests})
}

func statuses(r reply) map[string]float64 {
	m := map[string]float64{}
	for _, v := range r.body["responses"].([]any) {
		p := v.(map[string]any)
		m[p["id"].(string)] = p["status"].(float64)
	}
	return m
}
