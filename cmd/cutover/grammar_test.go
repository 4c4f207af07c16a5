package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cutover/suites"
)

// Who may be mailed in the generated suites, and who may not. Everybody on neither list
// is an outsider as well.
var (
	insiders  = []string{"friend@friends.example", "pal@friends.example", "ann@left.example", "bob@left.example", "cat@left.example", "ann@right.example", "bob@right.example", "cat@right.example"}
	outsiders = []string{
		"boss@outside.example", "BOSS@Outside.Example", "friend@friends.example.outside.example", "\"friend@friends.example\"@outside.example",
		"boss%outside.example@friends.example", "friend@friends.example,boss@outside.example", "friend@friends.example;boss@outside.example",
		"Friend <boss@outside.example>", "friend@friends.example\u0000", "friend@frіends.example", " boss@outside.example ", "SMTP:boss@outside.example",
		"/o=Contoso/ou=Exchange/cn=boss", "all-staff@left.example", "boss@[198.51.100.7]",
	}
)

// grammar writes suites that try what a suite must not do. The same numbers give the
// same suites.
type grammar struct {
	r       *rand.Rand
	friends []string // more who may be mailed
	steps   []map[string]any
	names   int // of steps and captures that were given out
}

// suite is one whole file of one to three scenarios.
func (g *grammar) suite(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "suite: generated-%d\nvars: {outside: boss@outside.example, inside: friend@friends.example, far: \"http://198.51.100.7/v1.0\", verb: sendMail}\n", n)
	if g.chance(0.3) {
		b.WriteString("compare: {sample: 100%, pages: drain}\n")
	}
	b.WriteString("scenarios:\n")
	for i := range 1 + g.r.IntN(3) {
		g.steps, g.names = nil, 0
		for range 1 + g.r.IntN(3) {
			moves[g.r.IntN(len(moves))](g)
		}
		g.forget()
		fmt.Fprintf(&b, "  - name: s%d\n    steps:\n", i)
		for _, step := range g.steps {
			text, _ := json.Marshal(step) // maps of texts: no error is possible
			fmt.Fprintf(&b, "      - %s\n", text)
		}
	}
	b.WriteString("load: [{constant: {rate: 100/s, for: 1s}}]\n")
	return b.String()
}

// forget drops captures that no step came to use: the language refuses them.
func (g *grammar) forget() {
	text, _ := json.Marshal(g.steps) // maps of texts: no error is possible
	for _, step := range g.steps {
		captures, _ := step["capture"].(map[string]any)
		for name := range captures {
			if !bytes.Contains(text, []byte("{{"+name+"}}")) {
				delete(step, "capture")
			}
		}
	}
}

func (g *grammar) chance(p float64) bool { return g.r.Float64() < p }

func pick[T any](g *grammar, from ...T) T { return from[g.r.IntN(len(from))] }

// name is one that nothing else in the scenario has.
func (g *grammar) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// step adds a request; more are further keys and their values.
func (g *grammar) step(verb, url string, more ...any) map[string]any {
	s := map[string]any{"name": g.name("n"), verb: url}
	for i := 0; i+1 < len(more); i += 2 {
		if key := more[i].(string); verb != "get" || key != "body" {
			s[key] = more[i+1]
		}
	}
	g.steps = append(g.steps, s)
	return s
}

// captured reads something and returns the template that stands for a value in it.
func (g *grammar) captured(url, from string) string {
	name := g.name("c")
	g.step("get", url, "capture", map[string]any{name: from})
	return "{{" + name + "}}"
}

// made creates something and returns the template that stands for its id.
func (g *grammar) made(url string, body any) string {
	name := g.name("c")
	g.step("post", url, "body", body, "capture", map[string]any{name: "$.id"})
	return "{{" + name + "}}"
}

// foreign is an item that was there before.
func (g *grammar) foreign(sort string) string {
	if g.chance(0.15) {
		return pick(g, "foreign-1", "foreign-2", "{{outside}}", "..", "%2e%2e", "foreign-1%2Fsend")
	}
	return g.captured("/me/"+sort, fmt.Sprintf("$.value[%d].id", g.r.IntN(3)))
}

// item is somebody's: often one that was there before.
func (g *grammar) item(sort string) string {
	if g.chance(0.5) {
		return g.foreign(sort)
	}
	return g.made("/me/"+sort, g.content(sort))
}

func (g *grammar) address() string {
	switch {
	case len(g.friends) > 0 && g.chance(0.5):
		return pick(g, g.friends...)
	case g.chance(0.5):
		return pick(g, insiders...)
	case g.chance(0.2):
		return "{{mailbox.smtp}}"
	case g.chance(0.2):
		return pick(g, "{{outside}}", "{{inside}}")
	case g.chance(0.2):
		return g.captured("/me/messages", pick(g, "$.value[0].from.emailAddress.address", "$.value[1].toRecipients[0].emailAddress.address", "$.value[0].subject"))
	}
	return pick(g, outsiders...)
}

func (g *grammar) people() []any {
	var all []any
	for range 1 + g.r.IntN(2) {
		all = append(all, map[string]any{"emailAddress": map[string]any{"address": g.address(), "name": "x"}})
	}
	return all
}

// content is the body of an item, addressed to people now and then.
func (g *grammar) content(sort string) map[string]any {
	body := map[string]any{"subject": "{{random.subject}}"}
	switch sort {
	case "events":
		body["start"] = map[string]any{"dateTime": "{{monday.local+30d9h}}", "timeZone": "UTC"}
		body["end"] = map[string]any{"dateTime": "{{monday.local+30d10h}}", "timeZone": "UTC"}
		if g.chance(0.5) {
			body["attendees"] = g.people()
		}
	case "contacts":
		return map[string]any{"givenName": "{{random.given}}", "emailAddresses": []any{map[string]any{"address": g.address(), "name": "x"}}}
	default:
		for _, key := range []string{"toRecipients", "ccRecipients", "bccRecipients", "replyTo", "ToRecipients", "from"} {
			if !g.chance(0.3) {
				continue
			}
			if body[key] = g.people(); key == "from" {
				body[key] = g.people()[0]
			}
		}
	}
	return body
}

// addresses of sendMail that servers read alike.
func (g *grammar) verb(name string) string {
	switch g.r.IntN(8) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return "microsoft.graph." + name
	case 2:
		return name + "/"
	case 3:
		return name + "()"
	case 4:
		return "%" + fmt.Sprintf("%02x", name[0]) + name[1:]
	}
	return name
}

// moves are what scenarios consist of.
var moves = []func(*grammar){
	func(g *grammar) { // mail
		message := map[string]any{"message": g.content("messages"), "saveToSentItems": g.chance(0.5)}
		if g.chance(0.1) {
			message = map[string]any{"Message": g.content("messages"), "message": g.content("messages")}
		}
		s := g.step("post", "/me/"+g.verb("sendMail"), "body", message)
		g.odd(s)
	},
	func(g *grammar) { // a message as MIME
		s := g.step("post", "/me/"+g.verb("sendMail"), "body_file", pick(g, bodyFiles...), "headers", map[string]any{"Content-Type": "text/plain"})
		g.odd(s)
	},
	func(g *grammar) { // a draft, changed and sent
		id := g.made("/me/messages", g.content("messages"))
		if g.chance(0.3) {
			g.step("patch", "/me/messages/"+id, "body", g.content("messages"))
		}
		g.odd(g.step("post", "/me/messages/"+id+"/"+g.verb("send")))
	},
	func(g *grammar) { // an answer
		id := g.item("messages")
		body := map[string]any{"comment": "hello"}
		if g.chance(0.5) {
			body[pick(g, "toRecipients", "message", "ToRecipients")] = pick(g, any(g.people()), any(g.content("messages")))
		}
		g.odd(g.step("post", "/me/messages/"+id+"/"+g.verb(pick(g, "reply", "replyAll", "forward")), "body", body))
	},
	func(g *grammar) { // an answer by way of a draft
		id := g.made("/me/messages/"+g.item("messages")+"/"+pick(g, "createReply", "createReplyAll", "createForward"), map[string]any{"comment": "x"})
		g.step("post", "/me/messages/"+id+"/send")
	},
	func(g *grammar) { // a meeting
		id := g.made(pick(g, "/me/events", "/me/calendar/events"), g.content("events"))
		g.odd(g.step("patch", "/me/events/"+id, "body", g.content("events")))
		g.odd(g.step(pick(g, "delete", "post"), "/me/events/"+id+pick(g, "", "/cancel", "/forward")))
	},
	func(g *grammar) { // somebody's invitation
		body := map[string]any{"comment": "x"}
		if g.chance(0.5) {
			body["sendResponse"] = g.chance(0.5)
		}
		g.odd(g.step("post", "/me/events/"+g.item("events")+"/"+g.verb(pick(g, "accept", "decline", "tentativelyAccept", "cancel")), "body", body))
	},
	func(g *grammar) { // what others made
		sort := pick(g, "messages", "events", "contacts", "mailFolders", "calendars")
		below := pick(g, "", "", "/move", "/copy", "/permanentDelete", "/attachments", "/attachments/createUploadSession", "/extensions", "/$value", "/unsubscribe")
		verb := pick(g, "patch", "delete", "put", "post")
		g.odd(g.step(verb, "/me/"+sort+"/"+g.item(sort)+below, "body", map[string]any{"destinationId": "archive", "subject": "x", "name": "x"}))
	},
	func(g *grammar) { // whole collections and the mailbox itself
		g.odd(g.step(pick(g, "patch", "delete", "put"), pick(g, "/me", "/me/messages", "/me/mailFolders/inbox", "/me/photo/$value", "/me/calendar", "/users/{{mailbox.smtp}}/messages", "/", "/me/events/"), "body", map[string]any{"displayName": "x"}))
	},
	(*grammar).batch,
	(*grammar).ownWords,
	func(g *grammar) { // a link of the server
		link := g.captured(pick(g, "/me/messages", "/me/messages/delta"), pick(g, "$['@odata.nextLink']", "$['@odata.deltaLink']", "header: Location"))
		g.odd(g.step(pick(g, "get", "get", "post", "delete"), link+pick(g, "", "", "/../../users/boss@outside.example")))
	},
	func(g *grammar) { // an upload
		name := g.name("c")
		g.step("post", "/me/messages/"+g.item("messages")+"/attachments/createUploadSession", "body", map[string]any{"AttachmentItem": map[string]any{"attachmentType": "file", "name": "x", "size": 3}},
			"capture", map[string]any{name: "$.uploadUrl"})
		g.step("put", "{{"+name+"}}", "body_file", "soap-find.xml")
	},
	func(g *grammar) { // what lasts
		g.odd(g.step(pick(g, "post", "patch"), pick(g, "/me/mailFolders/inbox/messageRules", "/me/mailboxSettings", "/subscriptions", "/me/calendar/calendarPermissions", "/groups/1/members",
			"/me/calendars/"+g.foreign("calendars")+"/calendarPermissions", "/me/mailFolders/INBOX/MessageRules/", "/beta/subscriptions"), "body", map[string]any{
			"notificationUrl": pick(g, "https://198.51.100.7/hook", "http://127.0.0.1:1/hook"), "changeType": "created", "resource": "me/messages",
			"actions": map[string]any{"forwardTo": g.people()}, "automaticRepliesSetting": map[string]any{"status": "alwaysEnabled"}, "emailAddress": map[string]any{"address": g.address()}}))
	},
	func(g *grammar) { // elsewhere
		g.odd(g.step(pick(g, "get", "get", "post"), pick(g, "http://198.51.100.7/v1.0/me/messages", "//198.51.100.7/x", "{{far}}/me/messages", "/users/boss@outside.example/messages",
			"/users('boss@outside.example')/sendMail", "/me/../users/boss@outside.example/messages", "/me/messages/%2e%2e/%2e%2e/users/boss%40outside.example/messages", "@198.51.100.7/x", ":81@198.51.100.7/x",
			"\\\\198.51.100.7\\x", "/me/{{verb}}", "/users/{{outside}}/events", "/me/messages?$top=1#/../../x"), "body", map[string]any{"message": g.content("messages")}))
	},
	func(g *grammar) { // contacts name anybody, and mail nobody
		g.odd(g.step("post", "/me/contacts", "body", g.content("contacts")))
	},
}

// odd adds what a step may carry beside its words.
func (g *grammar) odd(s map[string]any) {
	if g.chance(0.1) {
		s["reads"] = true
	}
	if g.chance(0.08) {
		s["headers"] = map[string]any{pick(g, "X-HTTP-Method-Override", "X-HTTP-Method", "X-Original-URL", "Content-Encoding", "x-anchor"): pick(g, "DELETE", "198.51.100.7", "gzip", g.captured("/me/messages", "$.value[0].subject"))}
		if last := len(g.steps) - 1; last > 0 { // what was captured is read first
			g.steps[last-1], g.steps[last] = g.steps[last], g.steps[last-1]
		}
	}
	if g.chance(0.05) {
		s["repeat"] = 2
	}
}

// batch sends several requests as one.
func (g *grammar) batch() {
	if g.chance(0.3) { // written out by hand
		g.odd(g.step("post", pick(g, "/$batch", "/$BATCH", "/%24batch"), "body", map[string]any{"requests": []any{
			map[string]any{"id": "1", "method": pick(g, "POST", "post", "GET"), "url": "/me/" + g.verb("sendMail"), "body": map[string]any{"message": g.content("messages")}, "headers": map[string]any{"Content-Type": "application/json"}},
			map[string]any{"id": "2", "method": pick(g, "DELETE", "PATCH"), "url": pick(g, "/me/messages/", "me/events/", "/me/contacts/") + g.foreign("messages"), "body": map[string]any{"subject": "x"}},
		}}))
		return
	}
	var parts []any
	for i := range 1 + g.r.IntN(3) {
		part := map[string]any{"name": fmt.Sprintf("p%d", i)}
		switch g.r.IntN(6) {
		case 0:
			part["post"], part["body"] = "/me/sendMail", map[string]any{"message": g.content("messages")}
		case 1:
			part["post"] = "/me/messages/" + g.item("messages") + "/" + pick(g, "send", "reply", "move", "attachments")
			part["body"] = map[string]any{"comment": "x"}
		case 2:
			sort := pick(g, "messages", "events", "contacts")
			part[pick(g, "delete", "patch")] = "/me/" + sort + "/" + g.item(sort)
			part["body"] = map[string]any{"subject": "x"}
		case 3:
			part["post"], part["body"] = "/me/events", g.content("events")
		case 4:
			part["get"] = pick(g, "/me/messages", "/users/boss@outside.example/messages")
		case 5:
			part["patch"], part["body"] = "/me/mailboxSettings", map[string]any{"automaticRepliesSetting": map[string]any{"status": "alwaysEnabled"}}
		}
		parts = append(parts, part)
	}
	g.steps = append(g.steps, map[string]any{"name": g.name("n"), "batch": parts})
}

// ownWords has one path say a step in its own way.
func (g *grammar) ownWords() {
	soap := pick(g, slices.DeleteFunc(slices.Clone(bodyFiles), func(name string) bool { return !strings.HasPrefix(name, "soap") })...)
	own := pick(g,
		map[string]any{"post": "/EWS/Exchange.asmx", "body_file": soap, "headers": map[string]any{"Content-Type": "text/xml"}},
		map[string]any{"post": "me/SendMail", "body": map[string]any{"Message": g.content("messages")}},
		map[string]any{"delete": "me/Messages/" + g.foreign("messages")},
		map[string]any{"patch": "me/Events('" + g.item("events") + "')", "body": map[string]any{"Subject": "x", "Attendees": g.people()}},
		map[string]any{"post": "me/messages/" + g.item("messages") + "/microsoft.outlookservices.send"},
		map[string]any{"get": pick(g, "http://198.51.100.7/x", "//198.51.100.7/", "users/boss@outside.example/messages", "../users")},
	)
	own["because"] = "it says so"
	if g.chance(0.4) {
		own["reads"] = true
	}
	g.step("get", "/me/messages", "on", map[string]any{pick(g, "left", "right"): own})
}

// bodyFiles are the bodies that are sent as they are.
var bodyFiles = []string{"mime-in.b64", "mime-out.b64", "mime-bcc.b64", "mime-plain.txt", "mime-folded.b64", "batch.json", "soap-send.xml", "soap-delete.xml", "soap-create.xml", "soap-find.xml", "soap-reply.xml", "soap-rules.xml"}

// writeBodies writes them into a folder.
func writeBodies(t *testing.T, dir string) {
	t.Helper()
	packed := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	envelope := func(s string) string {
		return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="m" xmlns:t="t"><soap:Body>` + s + `</soap:Body></soap:Envelope>`
	}
	for name, text := range map[string]string{
		"mime-in.b64":     packed("To: friend@friends.example\r\nSubject: x\r\n\r\nhello"),
		"mime-out.b64":    packed("To: boss@outside.example\r\nSubject: x\r\n\r\nhello"),
		"mime-bcc.b64":    packed("To: friend@friends.example\r\nBcc: boss@outside.example\r\nSubject: x\r\n\r\nhello"),
		"mime-plain.txt":  "To: friend@friends.example\r\nCc: boss@outside.example\r\n\r\nhello",
		"mime-folded.b64": packed("To: friend@friends.example,\r\n =?utf-8?B?" + packed("x <boss@outside.example>") + "?=\r\nResent-To: pal@friends.example\r\n\r\nhello"),
		"batch.json":      `{"requests":[{"id":"1","method":"POST","url":"/me/messages/foreign-1/send"},{"id":"2","method":"DELETE","url":"/me/events/foreign-2"}]}`,
		"soap-send.xml":   envelope(`<m:SendItem SaveItemToFolder="true"><m:ItemIds><t:ItemId Id="foreign-1"/></m:ItemIds></m:SendItem>`),
		"soap-delete.xml": envelope(`<m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToNone"><m:ItemIds><t:ItemId Id="foreign-2"/></m:ItemIds></m:DeleteItem>`),
		"soap-create.xml": envelope(`<m:CreateItem MessageDisposition="SendOnly"><m:Items><t:Message><t:Subject>x</t:Subject><t:ToRecipients><t:Mailbox><t:EmailAddress>boss@outside.example</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message></m:Items></m:CreateItem>`),
		"soap-find.xml":   envelope(`<m:FindItem Traversal="Shallow"><m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/></m:ParentFolderIds></m:FindItem>`),
		"soap-reply.xml":  envelope(`<m:CreateItem MessageDisposition="SendOnly"><m:Items><t:ReplyToItem><t:ReferenceItemId Id="foreign-1"/></t:ReplyToItem></m:Items></m:CreateItem>`),
		"soap-rules.xml":  envelope(`<m:UpdateInboxRules><m:Operations><t:CreateRuleOperation/></m:Operations></m:UpdateInboxRules>`),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mutated changes a few lines, words or bytes of a text.
func (g *grammar) mutated(text string) string {
	for range 1 + g.r.IntN(3) {
		if len(text) == 0 {
			break
		}
		lines := strings.SplitAfter(text, "\n")
		i, j := g.r.IntN(len(lines)), g.r.IntN(len(lines))
		words := strings.SplitAfter(text, " ")
		v, w := g.r.IntN(len(words)), g.r.IntN(len(words))
		at := g.r.IntN(len(text))
		switch g.r.IntN(9) {
		case 0:
			text = strings.Join(slices.Delete(lines, i, i+1), "")
		case 1:
			text = strings.Join(slices.Insert(lines, i, lines[j]), "")
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
			text = strings.Join(lines, "")
		case 3:
			words[v], words[w] = words[w], words[v]
			text = strings.Join(words, "")
		case 4:
			words[v] = words[w]
			text = strings.Join(words, "")
		case 5:
			text = text[:at] + string(rune(g.r.IntN(256))) + text[at:]
		case 6:
			text = text[:at] + text[at+1:]
		default: // one word of the language for another
			from, to := pick(g, language...), pick(g, language...)
			text = strings.Replace(text, from, to, 1+g.r.IntN(2))
		}
	}
	return text
}

// language are words whose exchange leaves a suite readable more often than noise does.
var language = []string{"get:", "post:", "patch:", "delete:", "put:", "\"get\":", "\"post\":", "\"patch\":", "\"delete\":", "/me/messages", "/me/events", "/me/contacts", "/me/sendMail", "{{mailbox.smtp}}", "boss@outside.example",
	"toRecipients", "attendees", "subject", "/send", "/reply", "/forward", "$.id", "$.value[0].id", "$.value[1].id", "reads: true", "friend@friends.example", "/me/mailFolders/inbox"}

// builtinTexts are the built-in suites as they stand.
func builtinTexts(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range suites.Names() {
		s, err := suites.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(s.Source))
	}
	return all
}
