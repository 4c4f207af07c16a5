package graph

import (
	"encoding/base64"
	"net/http"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type attachment = *store.Attachment

// attachments is the type attachment with the members of its subtypes.
var attachments = newSchema(schema[attachment]{
	name: "attachment", links: []string{"item"}, expand: []string{"item"}, fallback: 1000, capped: 1000,
	annotate: annotateAttachment,
	fields: []*field[attachment]{
		{name: "id", emit: func(b []byte, e *encoder, a attachment) []byte { return e.appendID(b, store.Ref{Key: a.Key}) }},
		{name: "lastModifiedDateTime", emit: func(b []byte, _ *encoder, a attachment) []byte { return appendSecond(b, a.Modified) }},
		{name: "name", kind: odata.String, emit: func(b []byte, _ *encoder, a attachment) []byte { return appendString(b, a.Name) }},
		{name: "contentType", emit: func(b []byte, _ *encoder, a attachment) []byte { return appendText(b, a.ContentType) }},
		{name: "size", emit: func(b []byte, _ *encoder, a attachment) []byte { return appendInt(b, a.Size) }},
		{name: "isInline", emit: func(b []byte, _ *encoder, a attachment) []byte { return appendBool(b, a.Inline) }},
		{name: "contentId", has: isFile, emit: func(b []byte, _ *encoder, a attachment) []byte { return appendText(b, a.ContentID) }},
		{name: "contentLocation", has: isFile, emit: func(b []byte, _ *encoder, a attachment) []byte { return append(b, "null"...) }},
		{name: "contentBytes", has: isFile, emit: func(b []byte, _ *encoder, a attachment) []byte { return appendBinary(b, a.Bytes()) }},
	},
})

func isFile(a attachment) bool { return a.Kind == "file" }

func annotateAttachment(b []byte, _ *encoder, a attachment) []byte {
	b = append(b, `"@odata.type":"#microsoft.graph.`+a.Kind+`Attachment",`...)
	if a.Kind == "file" && a.ContentType != "" {
		b = append(b, `"@odata.mediaContentType":`...)
		b = appendString(b, a.ContentType)
		b = append(b, ',')
	}
	return b
}

func (e *encoder) appendAttachments(b []byte, kind string, ref store.Ref, list []attachment, x odata.Expand) []byte {
	p := &plan[attachment]{q: &odata.Query{Select: x.Select}}
	if attachments.selects(p) != nil {
		p.fields = attachments.defaults()
	}
	if e.etags {
		b = append(b, `"attachments@odata.context":"`...)
		b = append(b, e.c.base()+"/"+e.c.version+"/$metadata#"+e.c.userContext()+"/"+kind+"('"+contextKey(e.mb.ID(ref, e.immutable))+"')/attachments"...)
		b = append(b, `",`...)
	}
	inner := *e
	inner.expand = x.Expand
	b = append(b, `"attachments":[`...)
	for i, a := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = attachments.item(b, &inner, p.fields, a)
	}
	return append(b, ']', ',')
}

// holder is the item of the path that has attachments: a message or an event.
func (c *call) holder() (ref store.Ref, list []attachment, kind string, f *fault) {
	if c.arg[argEvent] != "" {
		e, err := c.mb.FindEvent(c.arg[argEvent])
		if err != nil {
			return ref, nil, "", storeFault(err)
		}
		return e.Ref(), e.Attachments(), "events", nil
	}
	m, f := c.message()
	if f != nil {
		return ref, nil, "", f
	}
	return c.itemRef(m.Ref()), m.Attachments(), "messages", nil
}

func (c *call) attachmentsContext(kind string, ref store.Ref) string {
	return c.userContext() + "/" + kind + "('" + contextKey(c.mb.ID(ref, c.prefer.immutable)) + "')/attachments"
}

// listAttachments gives all at once: paging and filters of attachments are
// unreliable in the original.
func listAttachments(c *call) *fault {
	ref, list, kind, f := c.holder()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[attachment])
	return writeList(c, attachments, p, c.attachmentsContext(kind, ref), list, len(list), 0)
}

func countAttachments(c *call) *fault {
	_, list, _, f := c.holder()
	if f != nil {
		return f
	}
	return c.countOnly(len(list))
}

func (c *call) attachment() (a attachment, ref store.Ref, kind string, f *fault) {
	ref, list, kind, f := c.holder()
	if f != nil {
		return nil, ref, "", f
	}
	a, err := c.mb.FindAttachment(list, c.arg[argAttachment])
	return a, ref, kind, storeFault(err)
}

func getAttachment(c *call) *fault {
	a, ref, kind, f := c.attachment()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[attachment])
	e := c.encoder()
	b := take()
	body := c.context(b.bytes, c.attachmentsContext(kind, ref), p.selected, "/$entity")
	body = attachments.members(body, e, p.fields, a)
	if len(p.expand) > 0 && a.Kind == "item" {
		body = append(body[:len(body)-1], ',')
		body = e.appendItem(body, a, p.expand[0])
		body = append(body, '}')
	}
	return c.send(http.StatusOK, b, body)
}

// appendItem writes the item of an item attachment.
func (e *encoder) appendItem(b []byte, a attachment, x odata.Expand) []byte {
	inner := *e
	inner.expand = x.Expand
	b = append(b, `"item":`...)
	switch v := a.Item.(type) {
	case message:
		return messages.members(append(b, `{"@odata.type":"#microsoft.graph.message",`...), &inner, messages.defaults(), v)
	case event:
		return events.members(append(b, `{"@odata.type":"#microsoft.graph.event",`...), &inner, events.defaults(), v)
	case contact:
		return contacts.members(append(b, `{"@odata.type":"#microsoft.graph.contact",`...), &inner, contacts.defaults(), v)
	}
	return append(b, "null"...)
}

func addAttachment(c *call) *fault {
	ref, _, kind, f := c.holder()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	a, f := readAttachment(body)
	if f != nil {
		return f
	}
	if _, err := c.mb.AddAttachment(ref, a); err != nil {
		return storeFault(err)
	}
	c.location("/" + kind + "('" + c.mb.ID(ref, c.prefer.immutable) + "')/attachments('" + c.mb.ID(store.Ref{Key: a.Key}, c.prefer.immutable) + "')")
	return writeOne(c, attachments, http.StatusCreated, c.attachmentsContext(kind, ref), "", a)
}

func deleteAttachment(c *call) *fault {
	a, ref, _, f := c.attachment()
	if f != nil {
		return f
	}
	if err := c.mb.RemoveAttachment(ref, a.Key); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func attachmentContent(c *call) *fault {
	a, _, _, f := c.attachment()
	if f != nil {
		return f
	}
	switch v := a.Item.(type) {
	case message:
		return c.bytes("message/rfc822", mimeOf(v))
	case event:
		return c.bytes("text/calendar", iCalendar(v))
	case contact:
		return c.bytes("text/vcard", vCard(v))
	}
	if a.Kind != "file" {
		return &fault{status: http.StatusMethodNotAllowed, code: "ErrorInvalidRequest", message: "The content of a reference attachment cannot be read."}
	}
	contentType := a.ContentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	return c.bytes(contentType, a.Bytes())
}

// maxAttachment is the documented size from which upload sessions are needed.
const maxAttachment = 3 << 20

// readAttachment reads one attachment. The declared type is abstract, so
// @odata.type is required.
func readAttachment(n *jsonNode) (attachment, *fault) {
	typ := strings.ToLower(n.odataType())
	var a *store.Attachment
	switch strings.TrimPrefix(typ, "microsoft.graph.") {
	case "fileattachment":
		content, f := readContent(n.param("contentBytes"))
		if f != nil {
			return nil, f
		}
		a = store.NewFile("", "", content)
	case "itemattachment":
		item, f := readItem(n.param("item"))
		if f != nil {
			return nil, f
		}
		a = &store.Attachment{Kind: "item", Item: item, Size: 1024}
	case "referenceattachment":
		a = &store.Attachment{Kind: "reference", Size: 382}
	case "":
		return nil, badCode("RequestBodyRead", "Cannot create an abstract class 'microsoft.graph.attachment': the annotation '@odata.type' is missing.")
	default:
		return nil, badCode("RequestBodyRead", "A type named '"+n.odataType()+"' could not be resolved by the model. When a model is available, each type name must resolve to a valid type.")
	}
	return a, apply(a, n, "microsoft.graph."+a.Kind+"Attachment", attachmentSetters, attachmentReadOnly)
}

var attachmentReadOnly = names("id", "lastModifiedDateTime", "size", "contentBytes", "contentLocation", "item", "providerType", "permission", "isFolder", "thumbnailUrl", "previewUrl")

var attachmentSetters = map[string]setter[attachment]{
	"name":        func(a attachment, n *jsonNode) (f *fault) { a.Name, f = n.string(); return },
	"contentType": func(a attachment, n *jsonNode) (f *fault) { a.ContentType, f = n.string(); return },
	"contentId":   func(a attachment, n *jsonNode) (f *fault) { a.ContentID, f = n.string(); return },
	"isInline":    func(a attachment, n *jsonNode) (f *fault) { a.Inline, f = n.bool(); return },
	"sourceUrl":   func(a attachment, n *jsonNode) (f *fault) { a.URL, f = n.string(); return },
}

func readContent(n *jsonNode) ([]byte, *fault) {
	if n == nil || n.kind == nullNode {
		return nil, badCode("ErrorRequiredPropertyMissing", "Required property is missing. The property 'contentBytes' is required.")
	}
	raw, err := base64.StdEncoding.DecodeString(n.text)
	if err != nil || n.kind != stringNode {
		return nil, badLiteral(n, "Edm.Binary")
	}
	if len(raw) > maxAttachment {
		return nil, &fault{status: http.StatusRequestEntityTooLarge, empty: true}
	}
	return raw, nil
}

func readItem(n *jsonNode) (any, *fault) {
	if n == nil || n.kind != objectNode {
		return nil, badCode("ErrorRequiredPropertyMissing", "Required property is missing. The property 'item' is required.")
	}
	switch strings.TrimPrefix(strings.ToLower(n.odataType()), "microsoft.graph.") {
	case "event":
		e := &store.Event{}
		return e, applyEvent(e, n, creating)
	case "contact":
		x := &store.Contact{}
		return x, applyContact(x, n)
	}
	m := &store.Message{Draft: true}
	return m, applyMessage(m, n, creating)
}

// setAttachments takes the attachments that stand inside a new message.
func setAttachments(x message, n *jsonNode) *fault {
	if n.kind != arrayNode {
		return badLiteral(n, "Collection(microsoft.graph.attachment)")
	}
	var list []attachment
	for _, i := range n.items {
		a, f := readAttachment(i)
		if f != nil {
			return f
		}
		list = append(list, a)
	}
	x.SetAttachments(list)
	return nil
}
