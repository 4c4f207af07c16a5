package guard_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

var (
	mails  = wire.Effect{Writes: true, Mails: true}
	drafts = wire.Effect{Writes: true, Creates: "message"}
)

type mailCase struct {
	name, url string
	effect    wire.Effect
	body      string
	rule      string // that refuses it, "" for none
}

var jsonMails = []mailCase{
	{"allows who is on the list", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"ann@contoso.test"}}]}}`, ""},
	{"allows a domain on the list, in any case", "/me/sendMail", mails, `{"Message":{"ToRecipients":[{"EmailAddress":{"Address":"Any.One@LAB.test"}}]}}`, ""},
	{"refuses a stranger in to", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"ceo@contoso.test"}}]}}`, "recipient"},
	{"refuses a stranger in cc beside a friend in to", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"ann@contoso.test"}}],"ccRecipients":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"refuses a stranger in bcc", "/me/sendMail", mails, `{"message":{"bccRecipients":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"refuses a stranger in replyTo", "/me/sendMail", mails, `{"message":{"replyTo":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"refuses a stranger in a draft, which could be sent later", "/me/messages", drafts, `{"toRecipients":[{"emailAddress":{"address":"x@y.test"}}]}`, "recipient"},
	{"refuses a strange attendee", "/me/events", drafts, `{"attendees":[{"emailAddress":{"address":"x@y.test"},"type":"optional"}]}`, "recipient"},
	{"refuses the second of two keys of one name", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"ann@contoso.test"}}],"toRecipients":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"reads escapes in names", "/me/sendMail", mails, `{"message":{"\u0074oRecipients":[{"emailAddress":{"\u0061ddress":"x\u0040y.test"}}]}}`, "recipient"},
	{"refuses a recipient that is no SMTP address", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"/o=Org/ou=x/cn=ceo"}}]}}`, "recipient"},
	{"refuses two addresses in one field", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"x@y.test;ann@contoso.test"}}]}}`, "recipient"},
	{"refuses a friend's name around a stranger's address", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"\"ann@contoso.test\" <x@y.test>"}}]}}`, "recipient"},
	{"refuses a routed address", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"x%y.test@lab.test"}}]}}`, "recipient"},
	{"refuses letters that only look alike", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"ann@contoſo.test"}}]}}`, "recipient"},
	{"refuses a subdomain of a domain on the list", "/me/sendMail", mails, `{"message":{"toRecipients":[{"emailAddress":{"address":"x@evil.lab.test"}}]}}`, "recipient"},
	{"leaves an address in free text alone", "/me/messages", drafts, `{"subject":"ask x@y.test","body":{"contentType":"text","content":"or z@y.test"}}`, ""},
	{"refuses an address in a place that it does not know", "/me/messages", drafts, `{"singleValueExtendedProperties":[{"id":"String 0x0E04","value":"x@y.test"}]}`, "recipient"},
	{"lets a contact hold anybody's address", "/me/contacts", wire.Effect{Writes: true, Creates: "contact"}, `{"emailAddresses":[{"address":"x@y.test"}]}`, ""},
	{"refuses a rule that forwards", "/me/mailFolders/inbox/messageRules", wire.Effect{Writes: true}, `{"actions":{"forwardTo":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"refuses a body that is not JSON though it begins so", "/me/sendMail", mails, `{"message":`, "recipient"},
	{"refuses a second value behind the first", "/me/sendMail", mails, `{} {"message":{"toRecipients":[{"emailAddress":{"address":"x@y.test"}}]}}`, "recipient"},
	{"refuses nesting without end", "/me/sendMail", mails, strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100), "recipient"},
	{"refuses bytes that are no text", "/me/sendMail", mails, "{\"a\":\"\xff\"}", "recipient"},
}

var otherMails = []mailCase{
	{"reads MIME", "/me/sendMail", mails, base64Of("To: x@y.test\r\nSubject: hi\r\n\r\nbody"), "recipient"},
	{"reads MIME's hidden fields", "/me/sendMail", mails, base64Of("To: ann@contoso.test\r\nResent-Bcc: x@y.test\r\n\r\nbody"), "recipient"},
	{"reads encoded words in MIME", "/me/sendMail", mails, base64Of("To: =?utf-8?q?x=40y=2Etest?=\r\n\r\nbody"), "recipient"},
	{"allows MIME to a friend, about a stranger", "/me/sendMail", mails, base64Of("From: ann@contoso.test\r\nTo: Ann <ann@contoso.test>\r\nSubject: x@y.test\r\n\r\nz@y.test"), ""},
	{"refuses MIME in a draft's content", "/me/messages", drafts, base64Of("To: x@y.test\r\n\r\nbody"), "recipient"},

	{"looks into a batch", "/$batch", wire.Effect{Writes: true}, `{"requests":[{"id":"1","method":"POST","url":"/me/sendMail","body":{"message":{"toRecipients":[{"emailAddress":{"address":"x@y.test"}}]}}}]}`, "recipient"},
	{"looks into MIME in a batch", "/$batch", wire.Effect{Writes: true}, `{"requests":[{"id":"1","method":"POST","url":"/me/sendMail","headers":{"Content-Type":"text/plain"},"body":"` + base64Of("To: x@y.test\r\n\r\nhi") + `"}]}`, "recipient"},
	{"refuses a batch that writes and says it reads", "/$batch", wire.Effect{}, `{"requests":[{"id":"1","method":"DELETE","url":"/me/messages/1"}]}`, "write"},
	{"allows a batch of reads", "/$batch", wire.Effect{}, `{"requests":[{"id":"1","method":"GET","url":"/me/messages?$top=5"}]}`, ""},
	{"refuses sending a stored draft in a batch", "/$batch", wire.Effect{Writes: true}, `{"requests":[{"id":"1","method":"POST","url":"/me/messages/1/send"}]}`, "recipient"},

	{"refuses sending a draft that was not read", "/me/messages/1/send", wire.Effect{Writes: true, Mails: true, StoredRecipients: true}, "", "recipient"},
	{"allows sending a draft that was read", "/me/messages/mine/send", wire.Effect{Writes: true, Mails: true, Recipients: []string{"ann@contoso.test"}}, "", ""},
	{"refuses sending a draft that was read and names a stranger", "/me/messages/1/send", wire.Effect{Writes: true, Mails: true, Recipients: []string{"x@y.test"}}, "", "recipient"},
	{"refuses replying although the step says that nothing happens", "/me/messages/1/reply", wire.Effect{}, `{"comment":"hi"}`, "recipient"},
	{"sees through other spellings of a verb", "/me/messages/1/microsoft.graph.rEPLYaLL()", wire.Effect{}, `{}`, "recipient"},
	{"sees through escapes in a verb", "/me/messages/1/%73end", wire.Effect{}, ``, "recipient"},
	{"allows declining in silence", "/me/events/mine/decline", wire.Effect{Writes: true}, `{"sendResponse":false}`, ""},
	{"refuses cancelling in silence, which cannot be had", "/me/events/mine/cancel", wire.Effect{Writes: true}, `{"sendResponse":false}`, "recipient"},
	{"refuses replying in silence, which cannot be had", "/me/messages/mine/reply", wire.Effect{Writes: true}, `{"sendResponse":false}`, "recipient"},
	{"refuses mail that the clean-up would not find", "/me/sendMail", wire.Effect{Writes: true, Mails: true, Untraceable: true}, `{"message":{"subject":"x"}}`, "untagged"},
	{"refuses declining aloud when nobody read the organiser", "/me/events/1/decline", wire.Effect{Writes: true}, `{"sendResponse":true}`, "recipient"},

	{"reads EWS", "/EWS/Exchange.asmx", mails, `<s:Envelope xmlns:s="s" xmlns:t="t"><t:Message><t:ToRecipients><t:Mailbox><t:EmailAddress>x@y.test</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message></s:Envelope>`, "recipient"},
	{"reads entities in EWS", "/EWS/Exchange.asmx", mails, `<t:EmailAddress xmlns:t="t">x&#64;y.test</t:EmailAddress>`, "recipient"},
	{"reads MIME in EWS", "/EWS/Exchange.asmx", mails, `<t:MimeContent xmlns:t="t">` + base64Of("To: x@y.test\r\n\r\nhi") + `</t:MimeContent>`, "recipient"},
	{"refuses EWS with a document type", "/EWS/Exchange.asmx", mails, `<!DOCTYPE a [<!ENTITY x "x@y.test">]><a>&x;</a>`, "recipient"},
	{"refuses a document type that is not used", "/EWS/Exchange.asmx", mails, `<!DOCTYPE a SYSTEM "a.dtd"><a/>`, "recipient"},
	{"refuses an EWS reply to a stored item", "/EWS/Exchange.asmx", mails, `<t:ReplyAllToItem xmlns:t="t"/>`, "recipient"},
	{"refuses an EWS deletion that sends cancellations", "/EWS/Exchange.asmx", wire.Effect{Writes: true}, `<m:DeleteItem xmlns:m="m" SendMeetingCancellations="SendToAllAndSaveCopy"/>`, "recipient"},
	{"allows EWS to a friend", "/EWS/Exchange.asmx", mails, `<t:EmailAddress xmlns:t="t">ann@contoso.test</t:EmailAddress>`, ""},

	{"refuses a webhook to a stranger", "/subscriptions", wire.Effect{Writes: true}, `{"notificationUrl":"https://evil.test/hook","resource":"me/messages"}`, "webhook"},
	{"allows a webhook to a consented host", "/subscriptions", wire.Effect{Writes: true}, `{"notificationUrl":"https://graph.contoso.test/hook","resource":"me/messages"}`, ""},
	{"refuses an EWS push to a stranger", "/EWS/Exchange.asmx", wire.Effect{Writes: true}, `<t:URL xmlns:t="t">https://evil.test/</t:URL>`, "webhook"},
	{"refuses text of an unknown form with a strange address", "/me/sendMail", mails, "recipient=x@y.test", "recipient"},
}

func TestTheFirewallFindsRecipientsWhereverTheyTravel(t *testing.T) {
	own := listen(t, true)
	p := through(t, own, real(t, own, agreed(t, "operations: [read, create, change, delete, mail, inbox-rules, webhooks]")))
	for _, test := range slices.Concat(jsonMails, otherMails) {
		t.Run("it "+test.name, func(t *testing.T) {
			before := len(own.reached())
			req := &wire.Request{Method: "POST", URL: "https://mail.contoso.test" + test.url, Effect: test.effect, Body: []byte(test.body), Mailbox: "ann"}
			if got := rule(t, p, req); got != test.rule {
				t.Errorf("rule = %q, want %q", got, test.rule)
			}
			if sent := len(own.reached()) - before; (sent == 1) != (test.rule == "") {
				t.Errorf("requests that reached the server: %d", sent)
			}
		})
	}
}

func TestACompressedBodyIsRefused(t *testing.T) {
	own := listen(t, true)
	p := through(t, own, real(t, own, agreed(t)))
	req := &wire.Request{Method: "POST", URL: root + "/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true}, Header: wire.Header{{Name: "content-encoding", Value: "gzip"}}, Body: []byte("\x1f\x8b"), Mailbox: "ann"}
	if got := rule(t, p, req); got != "recipient" {
		t.Errorf("rule = %q, want recipient", got)
	}
}

// anyAddress is the oracle of the fuzzed test: every shape of an address, with
// escapes already undone by the test's own decoding.
var anyAddress = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`)

// TestMutatedMailsNeverReachAStranger builds mails whose recipients are
// friends and strangers in random places and forms, and mutates their bytes.
// What the lab's server would read as a recipient and is a stranger must not
// have got through.
func TestMutatedMailsNeverReachAStranger(t *testing.T) { mutate(t, 3000) }

func TestSoakMutatedMailsNeverReachAStranger(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: make soak")
	}
	mutate(t, 100_000)
}

func mutate(t *testing.T, mails int) {
	own := listen(t, true)
	p := through(t, own, real(t, own, agreed(t, "items: 1000000", "mails: 1000000", "per_mailbox: {concurrency: 100, rate: 100000/s}", "rate: 100000/s")))
	r := rand.New(rand.NewPCG(1, 2))
	people := []string{"ann@contoso.test", "x@lab.test", "ceo@contoso.test", "a@evil.test", "ann@contoso.test.evil.test", "x@LAB.test"}
	fields := []string{"toRecipients", "ccRecipients", "bccRecipients", "replyTo", "ToRecipients", "from", "sender"}
	passed := 0
	for range mails {
		body := mailOf(r, people, fields)
		if r.IntN(3) == 0 {
			body = mutated(r, body)
		}
		req := &wire.Request{Method: "POST", URL: root + "/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true}, Body: body, Mailbox: "ann"}
		if rule(t, p, req) != "" {
			continue
		}
		passed++
		for _, address := range readAsServer(body) {
			if address != "ann@contoso.test" && !strings.HasSuffix(strings.ToLower(address), "@lab.test") {
				t.Fatalf("a mail to %q got through: %s", address, body)
			}
		}
	}
	if passed < 100 {
		t.Errorf("only %d mails passed: the test shows little", passed)
	}
}

func mailOf(r *rand.Rand, people, fields []string) []byte {
	message := map[string]any{"subject": "s", "body": map[string]any{"content": "write to a@evil.test"}}
	var mime strings.Builder
	for range 1 + r.IntN(3) {
		who := people[r.IntN(len(people))]
		if r.IntN(2) == 0 {
			who = people[r.IntN(2)] // mostly friends, or nothing would pass
		}
		field := fields[r.IntN(len(fields))]
		message[field] = []any{map[string]any{"emailAddress": map[string]any{"address": who, "name": "N"}}}
		fmt.Fprintf(&mime, "%s: N <%s>\r\n", []string{"To", "Cc", "Bcc", "Reply-To", "Resent-To"}[r.IntN(5)], who)
	}
	if r.IntN(3) == 0 {
		return []byte(base64Of(mime.String() + "\r\nbody"))
	}
	body, _ := json.Marshal(map[string]any{"message": message})
	return body
}

func mutated(r *rand.Rand, body []byte) []byte {
	out := append([]byte(nil), body...)
	for range 1 + r.IntN(4) {
		i := r.IntN(len(out))
		switch r.IntN(3) {
		case 0:
			out[i] = `{}[]":,@. ax\`[r.IntN(13)]
		case 1:
			out = append(out[:i], out[min(i+1+r.IntN(5), len(out)):]...)
		default:
			out = append(out[:i], append([]byte(`"b@evil.test",`)[:1+r.IntN(13)], out[i:]...)...)
		}
		if len(out) == 0 {
			return []byte("{")
		}
	}
	return out
}

// readAsServer lists the recipients that a server would find in a body: those
// of the JSON message or of the MIME header fields.
func readAsServer(body []byte) (found []string) {
	var doc map[string]any
	if json.Unmarshal(body, &doc) == nil {
		for key, m := range doc {
			message, _ := m.(map[string]any)
			if !strings.EqualFold(key, "message") {
				continue
			}
			for field, v := range message {
				if strings.Contains(strings.ToLower(field), "recipients") || strings.EqualFold(field, "replyTo") {
					found = append(found, addressesIn(v)...)
				}
			}
		}
		return found
	}
	decoded, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		return nil
	}
	if m, err := mail.ReadMessage(strings.NewReader(string(decoded))); err == nil {
		for _, field := range []string{"To", "Cc", "Bcc", "Reply-To", "Resent-To"} {
			for _, v := range m.Header[field] {
				found = append(found, anyAddress.FindAllString(v, -1)...)
			}
		}
	}
	return found
}

// addressesIn lists the addresses in all texts of a value, names of members
// left out.
func addressesIn(v any) (found []string) {
	switch v := v.(type) {
	case string:
		return anyAddress.FindAllString(v, -1)
	case []any:
		for _, one := range v {
			found = append(found, addressesIn(one)...)
		}
	case map[string]any:
		for _, one := range v {
			found = append(found, addressesIn(one)...)
		}
	}
	return found
}

func TestAStrictListHoldsInTheLabToo(t *testing.T) {
	own := listen(t, false)
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}, Recipients: []string{"@lab.test"}, Mine: func(string, string) bool { return false }})
	p := path(t, d, "cloud")
	got := []string{
		rule(t, p, &wire.Request{Method: "POST", URL: own.URL + "/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true, Recipients: []string{"x@lab.test"}}}),
		rule(t, p, &wire.Request{Method: "POST", URL: own.URL + "/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true, Recipients: []string{"x@y.test"}}}),
		rule(t, p, &wire.Request{Method: "DELETE", URL: own.URL + "/me/messages/1", Effect: wire.Effect{Writes: true, Deletes: true, Target: "1"}}),
	}
	if want := "[ recipient not ours]"; fmt.Sprint(got) != want {
		t.Errorf("rules = %v, want %s", got, want)
	}
}
