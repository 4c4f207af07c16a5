package graph

import (
	"encoding/base64"
	"net/url"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type message = *store.Message

// messages is the type message, members in the order of every documented sample.
var messages = newSchema(schema[message]{
	name: "message", ruled: true, annotate: annotateMessage,
	links:  []string{"attachments", "extensions", "singlevalueextendedproperties", "multivalueextendedproperties", "event"},
	expand: []string{"attachments", "extensions", "singlevalueextendedproperties", "multivalueextendedproperties", "event"},
	fields: append(append([]*field[message]{
		{name: "id", emit: func(b []byte, e *encoder, m message) []byte { return e.appendID(b, m.Ref()) }},
		{name: "createdDateTime", kind: odata.Time, value: func(m message) odata.Value { return odata.Moment(m.Created) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendSecond(b, m.Created) }},
		{name: "lastModifiedDateTime", kind: odata.Time, value: func(m message) odata.Value { return odata.Moment(m.Modified) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendSecond(b, m.Modified) }},
		{name: "changeKey", emit: func(b []byte, e *encoder, m message) []byte { return e.appendChangeKey(b, m.Change) }},
		{name: "categories", emit: func(b []byte, _ *encoder, m message) []byte { return appendStrings(b, m.Categories) }},
		{name: "receivedDateTime", kind: odata.Time, value: func(m message) odata.Value { return odata.Moment(m.Received) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendSecond(b, m.Received) }},
		{name: "sentDateTime", kind: odata.Time, value: func(m message) odata.Value { return odata.Moment(m.Sent) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendSecond(b, m.Sent) }},
		{name: "hasAttachments", kind: odata.Bool, value: func(m message) odata.Value { return odata.Flag(m.Attached) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendBool(b, m.Attached) }},
		{name: "internetMessageId", kind: odata.String, value: func(m message) odata.Value { return odata.Text(m.InternetMessageID) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.InternetMessageID) }},
		{name: "subject", kind: odata.String, value: func(m message) odata.Value { return odata.Text(m.Subject) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.Subject) }},
		{name: "bodyPreview", kind: odata.String, value: func(m message) odata.Value { return odata.Text(m.Preview()) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.Preview()) }},
		{name: "importance", kind: odata.Enum, value: func(m message) odata.Value { return odata.Word(m.Importance) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.Importance) }},
		{name: "parentFolderId", kind: odata.String, value: func(m message) odata.Value { return odata.Text(m.Mailbox().FolderID(m.Folder)) },
			emit: func(b []byte, e *encoder, m message) []byte { return e.appendFolderID(b, m.Folder) }},
		{name: "conversationId", kind: odata.String, value: func(m message) odata.Value {
			return odata.Text(string(m.Mailbox().AppendConversationID(nil, m.Conversation)))
		}, emit: func(b []byte, e *encoder, m message) []byte {
			b = append(b, '"')
			b = e.mb.AppendConversationID(b, m.Conversation)
			return append(b, '"')
		}},
		{name: "conversationIndex", emit: func(b []byte, _ *encoder, m message) []byte { return appendBinary(b, m.ConversationIndex) }},
		{name: "isDeliveryReceiptRequested", emit: appendDeliveryReceipt},
		{name: "isReadReceiptRequested", kind: odata.Bool, value: func(m message) odata.Value { return odata.Flag(m.ReadReceipt) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendBool(b, m.ReadReceipt) }},
		{name: "isRead", kind: odata.Bool, value: func(m message) odata.Value { return odata.Flag(m.Read) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendBool(b, m.Read) }},
		{name: "isDraft", kind: odata.Bool, value: func(m message) odata.Value { return odata.Flag(m.Draft) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendBool(b, m.Draft) }},
		{name: "webLink", emit: func(b []byte, e *encoder, m message) []byte { return e.appendWebLink(b, m.Ref(), m.Draft) }},
		{name: "inferenceClassification", kind: odata.Enum, value: func(m message) odata.Value { return odata.Word(m.Inference) },
			emit: func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.Inference) }},
	}, meetingFields...), []*field[message]{
		{name: "body", emit: func(b []byte, e *encoder, m message) []byte { return e.appendBody(b, m.Body()) }},
		{name: "uniqueBody", hidden: true, emit: func(b []byte, e *encoder, m message) []byte { return e.appendBody(b, m.Unique()) }},
		{name: "sender", has: func(m message) bool { return m.Sender != nil }, emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipient(b, *m.Sender) }},
		{name: "from", has: func(m message) bool { return m.From != nil }, emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipient(b, *m.From) }},
		{name: "toRecipients", emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipients(b, m.To) }},
		{name: "ccRecipients", emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipients(b, m.Cc) }},
		{name: "bccRecipients", emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipients(b, m.Bcc) }},
		{name: "replyTo", emit: func(b []byte, _ *encoder, m message) []byte { return appendRecipients(b, m.ReplyTo) }},
		{name: "internetMessageHeaders", hidden: true, emit: func(b []byte, _ *encoder, m message) []byte { return appendHeaders(b, m) }},
		{name: "flag", emit: func(b []byte, e *encoder, m message) []byte { return e.appendFlag(b, m.Flag) }},
	}...),
	paths: map[string]odata.Field[message]{
		"from/emailaddress/address":   address(func(m message) *store.Address { return m.From }, false),
		"from/emailaddress/name":      address(func(m message) *store.Address { return m.From }, true),
		"sender/emailaddress/address": address(func(m message) *store.Address { return m.Sender }, false),
		"sender/emailaddress/name":    address(func(m message) *store.Address { return m.Sender }, true),
		"flag/flagstatus":             {Kind: odata.Enum, Value: func(m message) odata.Value { return odata.Word(m.Flag.Status) }},
		// contains on a body is accepted and does not match, as reported.
		"body/content":                  {Kind: odata.String, Value: func(message) odata.Value { return odata.Text("") }},
		"categories":                    {Elements: func(m message) []map[string]odata.Value { return texts(m.Categories) }},
		"singlevalueextendedproperties": {Elements: func(m message) []map[string]odata.Value { return properties(m.Extended) }},
		"multivalueextendedproperties":  {Elements: func(m message) []map[string]odata.Value { return properties(m.Extended) }},
	},
})

// meetingFields are the members of eventMessage; they are there on those only.
var meetingFields = []*field[message]{
	meetingField("meetingMessageType", func(b []byte, _ *encoder, m message) []byte { return appendString(b, m.Meeting.Kind) }),
	meetingField("type", func(b []byte, _ *encoder, _ message) []byte { return append(b, `"singleInstance"`...) }),
	meetingField("isOutOfDate", func(b []byte, _ *encoder, _ message) []byte { return append(b, "false"...) }),
	meetingField("isAllDay", func(b []byte, _ *encoder, m message) []byte { return appendBool(b, m.Meeting.AllDay) }),
	meetingField("isDelegated", func(b []byte, _ *encoder, _ message) []byte { return append(b, "false"...) }),
	meetingField("startDateTime", func(b []byte, e *encoder, m message) []byte {
		return e.appendMoment(b, m.Meeting.Start, m.Meeting.AllDay)
	}),
	meetingField("endDateTime", func(b []byte, e *encoder, m message) []byte {
		return e.appendMoment(b, m.Meeting.End, m.Meeting.AllDay)
	}),
	meetingField("location", func(b []byte, _ *encoder, m message) []byte {
		b = append(b, `{"displayName":`...)
		b = appendString(b, m.Meeting.Location)
		return append(b, `,"locationType":"default"}`...)
	}),
	meetingField("recurrence", func(b []byte, _ *encoder, _ message) []byte { return append(b, "null"...) }),
}

func meetingField(name string, emit func([]byte, *encoder, message) []byte) *field[message] {
	return &field[message]{name: name, emit: emit, has: func(m message) bool { return m.Meeting != nil }}
}

func annotateMessage(b []byte, e *encoder, m message) []byte {
	if m.Meeting != nil {
		b = append(b, `"@odata.type":"#microsoft.graph.`...)
		b = append(b, meetingType(m.Meeting.Kind)...)
		b = append(b, `",`...)
	}
	return e.appendEtag(b, m.Change)
}

func meetingType(kind string) string {
	switch kind {
	case "meetingRequest":
		return "eventMessageRequest"
	case "meetingAccepted", "meetingDeclined", "meetingTenativelyAccepted":
		return "eventMessageResponse"
	}
	return "eventMessage"
}

func address(of func(message) *store.Address, name bool) odata.Field[message] {
	return odata.Field[message]{Kind: odata.String, Value: func(m message) odata.Value {
		a := of(m)
		switch {
		case a == nil:
			return odata.Value{}
		case name:
			return odata.Text(a.Name)
		}
		return odata.Text(a.Address)
	}}
}

func texts(list []string) []map[string]odata.Value {
	out := make([]map[string]odata.Value, len(list))
	for i, s := range list {
		out[i] = map[string]odata.Value{"": odata.Text(s)}
	}
	return out
}

func properties(list []store.Property) []map[string]odata.Value {
	out := make([]map[string]odata.Value, len(list))
	for i, p := range list {
		out[i] = map[string]odata.Value{"id": odata.Text(p.ID), "value": odata.Text(p.Value)}
	}
	return out
}

func (e *encoder) appendID(b []byte, r store.Ref) []byte {
	b = append(b, '"')
	b = e.mb.AppendID(b, r, e.immutable)
	return append(b, '"')
}

func (e *encoder) appendFolderID(b []byte, k store.Key) []byte {
	b = append(b, '"')
	b = e.mb.AppendFolderID(b, k)
	return append(b, '"')
}

func (e *encoder) appendChangeKey(b []byte, change uint64) []byte {
	b = append(b, '"')
	b = e.mb.AppendChangeKey(b, change)
	return append(b, '"')
}

func (e *encoder) appendEtag(b []byte, change uint64) []byte {
	b = append(b, `"@odata.etag":"W/\"`...)
	b = e.mb.AppendChangeKey(b, change)
	return append(b, `\"",`...)
}

func etag(mb *store.Mailbox, change uint64) string { return `W/"` + mb.ChangeKey(change) + `"` }

func (e *encoder) appendWebLink(b []byte, r store.Ref, draft bool) []byte {
	b = append(b, `"https://`...)
	b = append(b, e.owa...)
	b = append(b, "/owa/?ItemID="...)
	b = append(b, url.QueryEscape(e.mb.ID(r, false))...)
	if draft {
		return append(b, `&exvsurl=1&viewmodel=IMailComposeViewModelFactory"`...)
	}
	return append(b, `&exvsurl=1&viewmodel=ReadMessageItem"`...)
}

func appendBinary(b, raw []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"')
}

// A received message has null here, a draft false, as captured.
func appendDeliveryReceipt(b []byte, _ *encoder, m message) []byte {
	switch {
	case m.DeliveryReceipt != nil:
		return appendBool(b, *m.DeliveryReceipt)
	case m.Draft:
		return append(b, "false"...)
	}
	return append(b, "null"...)
}

// appendBody writes HTML unless text was preferred or the caller asked for it.
func (e *encoder) appendBody(b []byte, body store.Body) []byte {
	switch {
	case e.body == "text" && body.Kind == "html":
		body = store.Body{Kind: "text", Content: store.PlainText(body.Content)}
	case e.body == "html" && body.Kind == "text":
		body = store.Hypertext(body)
	}
	b = append(b, `{"contentType":"`...)
	b = append(b, body.Kind...)
	b = append(b, `","content":`...)
	b = appendString(b, body.Content)
	return append(b, '}')
}

func appendEmailAddress(b []byte, a store.Address) []byte {
	b = append(b, `{"name":`...)
	b = appendText(b, a.Name)
	b = append(b, `,"address":`...)
	b = appendText(b, a.Address)
	return append(b, '}')
}

func appendRecipient(b []byte, a store.Address) []byte {
	b = append(b, `{"emailAddress":`...)
	b = appendEmailAddress(b, a)
	return append(b, '}')
}

func appendRecipients(b []byte, list []store.Address) []byte {
	b = append(b, '[')
	for i, a := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRecipient(b, a)
	}
	return append(b, ']')
}

func (e *encoder) appendFlag(b []byte, f store.Flag) []byte {
	b = append(b, '{')
	for _, m := range []struct {
		name   string
		moment store.Moment
	}{{"completedDateTime", f.Completed}, {"dueDateTime", f.Due}, {"startDateTime", f.Start}} {
		if !m.moment.At.IsZero() {
			b = append(b, '"')
			b = append(b, m.name...)
			b = append(b, `":`...)
			b = e.appendMoment(b, m.moment, false)
			b = append(b, ',')
		}
	}
	b = append(b, `"flagStatus":`...)
	b = appendString(b, f.Status)
	return append(b, '}')
}

// appendMoment writes a dateTimeTimeZone: UTC unless another zone was preferred.
// An all-day moment has the same date in every zone.
func (e *encoder) appendMoment(b []byte, m store.Moment, allDay bool) []byte {
	t, name := m.At.UTC(), "UTC"
	if e.loc != nil {
		name = e.zone
		if !allDay {
			t = t.In(e.loc)
		}
	}
	return appendZoned(b, t, name)
}

func appendZoned(b []byte, t time.Time, name string) []byte {
	b = append(b, `{"dateTime":"`...)
	b = appendClock(b, t)
	b = appendFraction(b, t)
	b = append(b, `","timeZone":`...)
	b = appendString(b, name)
	return append(b, '}')
}
