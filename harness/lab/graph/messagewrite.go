package graph

import (
	"strings"
	"time"

	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// writing says under which rules a body is applied.
type writing bool

const (
	creating writing = false
	updating writing = true // PATCH: some members are fixed
)

// setter writes one member of a body into an item.
type setter[T any] func(x T, n *jsonNode) *fault

// apply writes the members of a body in their order. Read-only members and
// annotations are passed over; an unknown one is refused.
func apply[T any](x T, body *jsonNode, typ string, setters map[string]setter[T], readOnly map[string]bool) *fault {
	for _, m := range body.members {
		set := setters[m.name]
		switch {
		case set != nil:
			if f := set(x, m.value); f != nil {
				return f
			}
		case readOnly[m.name], strings.HasPrefix(m.name, "@odata."):
		case strings.HasPrefix(m.name, "odata."):
			return badCode("RequestBodyRead", "The annotation '"+m.name+"' was found. This annotation is either not recognized or not expected at the current position.")
		case strings.Contains(m.name, "@odata."):
		default:
			return unknownMember(m.name, typ)
		}
	}
	return nil
}

func names(list ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range list {
		m[n] = true
	}
	return m
}

// readMessage reads the message of a POST: JSON, or MIME as base64 text.
func (c *call) readMessage(draft bool) (func(message), *fault) {
	if c.isMIME() {
		return c.readMIME()
	}
	body, f := c.readObject()
	if f != nil {
		return nil, f
	}
	if f := applyMessage(&store.Message{Draft: draft}, body, creating); f != nil {
		return nil, f
	}
	return func(x message) { applyMessage(x, body, creating) }, nil
}

// draftOnly are the members that only a draft lets change.
var draftOnly = names("subject", "body", "internetMessageId", "replyTo", "toRecipients", "ccRecipients", "bccRecipients", "from", "sender")

func applyMessage(x message, body *jsonNode, w writing) *fault {
	if t := body.odataType(); t != "" && !strings.HasPrefix(strings.ToLower(t), "microsoft.graph.") {
		return badCode("RequestBodyRead", "A type named '"+t+"' could not be resolved by the model. When a model is available, each type name must resolve to a valid type.")
	}
	if w == updating && !x.Draft {
		for _, m := range body.members {
			if draftOnly[m.name] {
				return badCode("ErrorInvalidPropertySet", "The property '"+m.name+"' can only be changed while the message is a draft.")
			}
		}
	}
	if f := apply(x, body, "microsoft.graph.message", messageSetters, messageReadOnly); f != nil {
		return f
	}
	if list := body.member("attachments"); list != nil && w == creating {
		return setAttachments(x, list)
	}
	return nil
}

var messageReadOnly = names("id", "changeKey", "createdDateTime", "lastModifiedDateTime", "bodyPreview", "conversationId", "conversationIndex",
	"hasAttachments", "attachments", "isDraft", "parentFolderId", "receivedDateTime", "sentDateTime", "uniqueBody", "webLink", "extensions", "meetingMessageType", "event",
	"type", "isOutOfDate", "isAllDay", "isDelegated", "startDateTime", "endDateTime", "location", "recurrence")

var messageSetters = map[string]setter[message]{
	"subject":                    func(x message, n *jsonNode) (f *fault) { x.Subject, f = n.string(); return },
	"internetMessageId":          func(x message, n *jsonNode) (f *fault) { x.InternetMessageID, f = n.string(); return },
	"categories":                 func(x message, n *jsonNode) (f *fault) { x.Categories, f = n.strings(); return },
	"isRead":                     func(x message, n *jsonNode) (f *fault) { x.Read, f = n.bool(); return },
	"isReadReceiptRequested":     func(x message, n *jsonNode) (f *fault) { x.ReadReceipt, f = n.bool(); return },
	"toRecipients":               func(x message, n *jsonNode) (f *fault) { x.To, f = readRecipients(n); return },
	"ccRecipients":               func(x message, n *jsonNode) (f *fault) { x.Cc, f = readRecipients(n); return },
	"bccRecipients":              func(x message, n *jsonNode) (f *fault) { x.Bcc, f = readRecipients(n); return },
	"replyTo":                    func(x message, n *jsonNode) (f *fault) { x.ReplyTo, f = readRecipients(n); return },
	"from":                       func(x message, n *jsonNode) (f *fault) { x.From, f = readRecipient(n); return },
	"sender":                     func(x message, n *jsonNode) (f *fault) { x.Sender, f = readRecipient(n); return },
	"flag":                       setFlag,
	"internetMessageHeaders":     setHeaders,
	"isDeliveryReceiptRequested": setDeliveryReceipt,
	"body": func(x message, n *jsonNode) *fault {
		b, f := readItemBody(n)
		if f == nil {
			x.SetBody(b)
		}
		return f
	},
	"importance": func(x message, n *jsonNode) (f *fault) {
		x.Importance, f = n.word("microsoft.graph.importance", "low", "normal", "high")
		return
	},
	"inferenceClassification": func(x message, n *jsonNode) (f *fault) {
		x.Inference, f = n.word("microsoft.graph.inferenceClassificationType", "focused", "other")
		return
	},
	"singleValueExtendedProperties": func(x message, n *jsonNode) (f *fault) {
		x.Extended, f = readExtended(x.Extended, n, false)
		if f == nil {
			restoreFlags(x)
		}
		return
	},
	"multiValueExtendedProperties": func(x message, n *jsonNode) (f *fault) { x.Extended, f = readExtended(x.Extended, n, true); return },
}

func setDeliveryReceipt(x message, n *jsonNode) *fault {
	v, f := n.bool()
	x.DeliveryReceipt = &v
	if n.kind == nullNode {
		x.DeliveryReceipt = nil
	}
	return f
}

// restoreFlags honours the property with which clients restore sent mail: MAPI
// message flags without the unsent bit make no draft.
func restoreFlags(x message) {
	for _, p := range x.Extended {
		if strings.EqualFold(p.ID, "Integer 0xe07") && p.Value == "4" || strings.EqualFold(p.ID, "Integer 0xe07") && p.Value == "1" {
			x.Draft = false
			if x.From != nil && x.Sender == nil {
				x.Sender = x.From
			}
		}
		t, err := time.Parse(time.RFC3339, p.Value)
		if err != nil {
			continue
		}
		switch strings.ToLower(p.ID) {
		case "systemtime 0x39":
			x.Sent = t.UTC()
		case "systemtime 0xe06":
			x.Received = t.UTC()
		}
	}
}

func setHeaders(x message, n *jsonNode) *fault {
	if n.kind != arrayNode {
		return badLiteral(n, "Collection(microsoft.graph.internetMessageHeader)")
	}
	x.CustomHeaders = nil
	for _, h := range n.items {
		name, value := h.param("name"), h.param("value")
		if name == nil || value == nil {
			return badLiteral(h, "microsoft.graph.internetMessageHeader")
		}
		if !strings.HasPrefix(strings.ToLower(name.text), "x-") {
			return badCode("InvalidInternetMessageHeader", "The internet message header name '"+name.text+"' should start with 'x-' or 'X-'.")
		}
		x.CustomHeaders = append(x.CustomHeaders, store.Header{Name: name.text, Value: value.text})
	}
	return nil
}

func setFlag(x message, n *jsonNode) *fault {
	if n.kind != objectNode {
		return badLiteral(n, "microsoft.graph.followupFlag")
	}
	flag := store.Flag{Status: x.Flag.Status}
	for _, m := range n.members {
		var f *fault
		switch m.name {
		case "flagStatus":
			flag.Status, f = m.value.word("microsoft.graph.followupFlagStatus", "notFlagged", "complete", "flagged")
		case "startDateTime":
			flag.Start, f = readMoment(m.value)
		case "dueDateTime":
			flag.Due, f = readMoment(m.value)
		case "completedDateTime":
			flag.Completed, f = readMoment(m.value)
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.followupFlag")
			}
		}
		if f != nil {
			return f
		}
	}
	if !flag.Due.At.IsZero() && flag.Start.At.IsZero() {
		return badCode("ErrorInvalidRequest", "The dueDateTime of a flag needs a startDateTime.")
	}
	x.Flag = flag
	return nil
}

func readItemBody(n *jsonNode) (store.Body, *fault) {
	b := store.Body{Kind: "text"}
	if n.kind == nullNode {
		return b, nil
	}
	if n.kind != objectNode {
		return b, badLiteral(n, "microsoft.graph.itemBody")
	}
	for _, m := range n.members {
		var f *fault
		switch m.name {
		case "contentType":
			b.Kind, f = m.value.word("microsoft.graph.bodyType", "text", "html")
		case "content":
			b.Content, f = m.value.string()
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.itemBody")
			}
		}
		if f != nil {
			return b, f
		}
	}
	if b.Kind == "html" {
		b.Content = sanitise(b.Content)
	}
	return b, nil
}

func readRecipients(n *jsonNode) ([]store.Address, *fault) {
	if n.kind == nullNode {
		return nil, nil
	}
	if n.kind != arrayNode {
		return nil, badLiteral(n, "Collection(microsoft.graph.recipient)")
	}
	var list []store.Address
	for _, i := range n.items {
		a, f := readRecipient(i)
		if f != nil {
			return nil, f
		}
		if a != nil {
			list = append(list, *a)
		}
	}
	return list, nil
}

func readRecipient(n *jsonNode) (*store.Address, *fault) {
	if n.kind == nullNode {
		return nil, nil
	}
	if n.kind != objectNode {
		return nil, badLiteral(n, "microsoft.graph.recipient")
	}
	var a *store.Address
	for _, m := range n.members {
		switch {
		case m.name == "emailAddress":
			got, f := readEmailAddress(m.value)
			if f != nil {
				return nil, f
			}
			a = &got
		case !strings.Contains(m.name, "@odata."):
			return nil, unknownMember(m.name, "microsoft.graph.recipient")
		}
	}
	return a, nil
}

func readEmailAddress(n *jsonNode) (store.Address, *fault) {
	var a store.Address
	if n.kind != objectNode {
		return a, badLiteral(n, "microsoft.graph.emailAddress")
	}
	for _, m := range n.members {
		var f *fault
		switch m.name {
		case "name":
			a.Name, f = m.value.string()
		case "address":
			a.Address, f = m.value.string()
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.emailAddress")
			}
		}
		if f != nil {
			return a, f
		}
	}
	if a.Name == "" {
		a.Name = a.Address
	}
	return a, nil
}

// readMoment reads a dateTimeTimeZone. Without a zone it is UTC; an offset in
// the time is heeded.
func readMoment(n *jsonNode) (store.Moment, *fault) {
	var m store.Moment
	if n.kind == nullNode {
		return m, nil
	}
	if n.kind != objectNode {
		return m, badLiteral(n, "microsoft.graph.dateTimeTimeZone")
	}
	at, name := n.param("dateTime"), n.param("timeZone")
	if at == nil || at.kind != stringNode {
		return m, badLiteral(n, "microsoft.graph.dateTimeTimeZone")
	}
	m.Zone = "UTC"
	if name != nil && name.text != "" {
		m.Zone = name.text
	}
	loc, ok := zone.Load(m.Zone)
	if !ok {
		return m, badZone(m.Zone)
	}
	t, ok := parseWall(at.text, loc)
	if !ok {
		return m, badLiteral(at, "Edm.DateTimeOffset")
	}
	m.At = t.UTC()
	return m, nil
}

func parseWall(s string, loc *time.Location) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	for _, layout := range [...]string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly, "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// sanitise drops what Exchange drops from HTML: scripts and handlers of events,
// and with them whatever hides there.
func sanitise(html string) string {
	lower := strings.ToLower(html)
	for {
		open := strings.Index(lower, "<script")
		if open < 0 {
			return html
		}
		end := strings.Index(lower[open:], "</script>")
		if end < 0 {
			return html[:open]
		}
		html = html[:open] + html[open+end+len("</script>"):]
		lower = strings.ToLower(html)
	}
}
