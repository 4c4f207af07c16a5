package request

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cutover/harness/wire"
)

// meaning is what a question in Graph's words does to the world.
type meaning struct {
	endpoint   string
	selected   []string
	searches   bool
	top        int
	effect     wire.Effect
	recipients []string
	target     string
}

// understand reads a question in Graph's words. What it does not recognise and is not a GET counts
// as a write: guessing wrong in that direction asks for permission once too often, never too seldom.
func understand(q Question) meaning {
	segments := Segments(q.URL)
	m := meaning{endpoint: Endpoint(q.Method, segments)}
	if value, ok := q.Option("$select"); ok {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				m.selected = append(m.selected, lowerFirst(name))
			}
		}
	}
	_, m.searches = q.Option("$search")
	if value, ok := q.Option("$top"); ok {
		m.top, _ = strconv.Atoi(strings.TrimSpace(value)) // a placeholder is no number: 0
	}
	switch strings.ToUpper(q.Method) {
	case "GET", "HEAD", "OPTIONS":
		return m
	case "DELETE":
		m.delete(segments)
	case "PATCH", "PUT":
		m.change(q, segments)
	default:
		m.post(q, segments)
	}
	return m
}

func (m *meaning) delete(segments []Segment) {
	m.effect = wire.Effect{Writes: true, Deletes: true}
	m.target = lastKey(segments)
	if len(segments) > 0 && segments[len(segments)-1].Entity == "event" {
		// Deleting an organiser's meeting sends a cancellation to whoever was invited.
		m.mailsStored()
	}
}

func (m *meaning) change(q Question, segments []Segment) {
	m.effect.Writes = true
	m.target = lastKey(segments)
	body := fields(q.JSON)
	switch entity, _ := Returns("PATCH", segments); entity {
	case "event":
		// An update of a meeting is always mailed to its attendees; Graph has no switch for it.
		m.mailsStored()
		m.mailsTo(body)
	case "messageRule":
		m.mailsTo(body)
	}
	if len(segments) > 0 && strings.HasPrefix(segments[len(segments)-1].Name, "mailboxSettings") && body["automaticrepliessetting"] != nil {
		m.mailsStored() // from then on the mailbox answers whoever writes to it
	}
}

// actions of POST that only ask.
var asking = map[string]bool{
	"getSchedule": true, "findMeetingTimes": true, "translateExchangeIds": true, "getMailTips": true, "delta": true,
}

func (m *meaning) post(q Question, segments []Segment) {
	if len(segments) == 0 {
		m.effect.Writes = true
		return
	}
	last := segments[len(segments)-1]
	if asking[last.Name] {
		return
	}
	m.effect.Writes = true
	body := fields(q.JSON)
	switch last.Name {
	case "sendMail":
		m.mails(q, body)
	case "send":
		m.target = lastKey(segments)
		m.mailsStored()
	case "reply", "replyAll", "accept", "decline", "tentativelyAccept", "cancel":
		m.target = lastKey(segments)
		answered := last.Name == "accept" || last.Name == "decline" || last.Name == "tentativelyAccept"
		if answer, ok := body["sendresponse"].(bool); answered && ok && !answer {
			return // other actions have no such parameter
		}
		m.mailsStored()
		m.mailsTo(body)
	case "forward":
		m.target = lastKey(segments)
		m.mails(q, body)
	case "createReply", "createReplyAll", "createForward":
		m.effect.Creates = "message"
	case "move", "copy", "permanentDelete":
		m.moved(last.Name, segments)
	case "createUploadSession":
		m.effect.Creates = "attachment"
	case "$batch":
		m.batch(body)
	default:
		m.create(q, segments, body)
	}
}

func (m *meaning) moved(action string, segments []Segment) {
	m.target = lastKey(segments)
	if action == "permanentDelete" {
		m.effect.Deletes = true
		return
	}
	m.effect.Creates = sortOf(segments[max(0, len(segments)-2)].Entity)
}

func (m *meaning) create(q Question, segments []Segment, body map[string]any) {
	entity, _ := Returns("POST", segments)
	m.effect.Creates = sortOf(entity)
	switch entity {
	case "event":
		// Creating an event with attendees invites them.
		m.mailsTo(body)
	case "messageRule", "calendarPermission":
		m.mailsTo(body)
	case "":
		// The suite's word counts only where nothing is recognised.
		if !m.soap(q.Raw) && q.Reads {
			m.effect.Writes = false
		}
	}
}

// sortOf is the journal's word for an entity.
func sortOf(entity string) string {
	switch entity {
	case "mailFolder", "contactFolder":
		return "folder"
	}
	return entity
}

func (m *meaning) mailsStored() {
	m.effect.Mails, m.effect.StoredRecipients = true, true
}

// mails judges a request that certainly mails: recipients come from its body, and where the body
// cannot be read they are unknown, which counts as stored.
func (m *meaning) mails(q Question, body map[string]any) {
	m.effect.Mails = true
	m.mailsTo(body)
	if len(m.recipients) > 0 {
		return
	}
	addresses, ok := mimeRecipients(q.Raw)
	m.recipients = append(m.recipients, addresses...)
	m.effect.StoredRecipients = !ok || len(addresses) == 0
}

// mailsTo adds the recipients that a JSON body names.
func (m *meaning) mailsTo(body map[string]any) {
	found := recipients(nil, body, false)
	if len(found) > 0 {
		m.effect.Mails = true
		m.recipients = append(m.recipients, found...)
	}
}

// batch joins the effects of the requests in a JSON batch.
func (m *meaning) batch(body map[string]any) {
	m.effect.Writes = false
	parts, _ := body["requests"].([]any)
	for _, p := range parts {
		part, _ := p.(map[string]any)
		method, _ := part["method"].(string)
		address, _ := part["url"].(string)
		var content []byte
		if part["body"] != nil {
			content, _ = json.Marshal(part["body"])
		}
		one := understand(Question{Method: method, URL: address, JSON: content}.Split())
		m.effect.Writes = m.effect.Writes || one.effect.Writes
		m.effect.Deletes = m.effect.Deletes || one.effect.Deletes
		m.effect.Mails = m.effect.Mails || one.effect.Mails
		m.effect.StoredRecipients = m.effect.StoredRecipients || one.effect.StoredRecipients
		if m.effect.Creates == "" {
			m.effect.Creates = one.effect.Creates
		}
		m.recipients = append(m.recipients, one.recipients...)
	}
}

// fields decodes a JSON object with its names in lower case, so that camelCase and PascalCase bodies
// are judged alike. A body that is not an object has no fields.
func fields(body []byte) map[string]any {
	var object map[string]any
	if len(body) == 0 || json.Unmarshal(body, &object) != nil {
		return nil
	}
	lowered, _ := lowerNames(object).(map[string]any)
	return lowered
}

func lowerNames(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range sortedNames(v) {
			lower, value := strings.ToLower(name), lowerNames(v[name])
			if twice, ok := out[lower]; ok {
				value = []any{twice, value} // servers differ in which of the two counts
			}
			out[lower] = value
		}
		return out
	case []any:
		for i := range v {
			v[i] = lowerNames(v[i])
		}
	}
	return v
}

// Members of a body that name people who will be mailed.
var addressing = map[string]bool{
	"torecipients": true, "ccrecipients": true, "bccrecipients": true, "attendees": true,
	"forwardto": true, "redirectto": true, "forwardasattachmentto": true, "emailaddress": true,
}

// recipients collects the addresses below the addressing members, in the order of their names.
func recipients(found []string, v any, inside bool) []string {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			if address, ok := v[name].(string); ok && inside && name == "address" {
				found = append(found, address)
				continue
			}
			found = recipients(found, v[name], inside || addressing[name])
		}
	case []any:
		for _, one := range v {
			found = recipients(found, one, inside)
		}
	}
	return found
}

// mimeRecipients reads To, Cc and Bcc of a base64 MIME body. ok is false when it is none.
func mimeRecipients(raw []byte) (addresses []string, ok bool) {
	decoded, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(bytes.TrimSpace(raw))))
	if err != nil || len(decoded) == 0 {
		return nil, false
	}
	message, err := mail.ReadMessage(bytes.NewReader(decoded))
	if err != nil {
		return nil, false
	}
	for _, name := range []string{"To", "Cc", "Bcc"} {
		list, err := message.Header.AddressList(name)
		if err != nil {
			continue
		}
		for _, a := range list {
			addresses = append(addresses, a.Address)
		}
	}
	return addresses, true
}

var (
	soapAddress = lazy(`<(?:[A-Za-z0-9_]+:)?(?:EmailAddress|SmtpAddress)>\s*([^<]+?)\s*<`)
)

// lazy compiles a pattern when it is first needed: most runs never do.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// soap judges an Exchange Web Services request, for paths that say a question in their own words,
// and reports whether it is one.
func (m *meaning) soap(raw []byte) bool {
	operations, ok := SOAPOperations(raw)
	switch {
	case len(operations) == 0:
		return false
	case ok && !slices.ContainsFunc(operations, func(o xml.StartElement) bool { return !SOAPReads(o.Name.Local) }):
		m.effect.Writes = false
		return true
	case !ok || len(operations) > 1:
		return true // nobody can tell what it does: it counts as a write
	}
	operation, quiet, loud := operations[0].Name.Local, false, false
	for _, a := range operations[0].Attr {
		silent := a.Value == "SaveOnly" || a.Value == "SendToNone"
		quiet, loud = quiet || silent, loud || !silent && strings.HasPrefix(a.Value, "Send")
	}
	m.effect.Deletes = strings.HasPrefix(operation, "Delete") || operation == "EmptyFolder"
	if strings.HasPrefix(operation, "Create") {
		m.effect.Creates = "item"
	}
	mayMail := operation == "SendItem" || loud || !quiet && strings.HasPrefix(operation, "Delete")
	if !mayMail {
		return true
	}
	m.effect.Mails = true
	for _, address := range soapAddress().FindAllSubmatch(raw, -1) {
		m.recipients = append(m.recipients, string(address[1]))
	}
	m.effect.StoredRecipients = operation != "CreateItem" || len(m.recipients) == 0
	return true
}

// lastKey is the id that a URL ends with or acts on.
func lastKey(segments []Segment) string {
	for i := len(segments) - 1; i >= 0; i-- {
		if segments[i].Key != "" && segments[i].Entity != "user" {
			return segments[i].Key
		}
	}
	return ""
}
