package onprem

import (
	"cutover/harness/lab/store"
)

// messageTable is the message of v2.0 as documented in August 2016. What Graph
// has besides (flag, internetMessageId, conversationIndex, headers) is absent.
var messageTable = []property[store.Message]{
	{name: "Id", edm: "Edm.String", write: func(c *render, m *store.Message) { c.id(m.Ref()) }},
	{name: "CreatedDateTime", old: "DateTimeCreated", edm: "Edm.DateTimeOffset",
		write: func(c *render, m *store.Message) { c.time(m.Created) }, value: func(m *store.Message) any { return m.Created }},
	{name: "LastModifiedDateTime", old: "DateTimeLastModified", edm: "Edm.DateTimeOffset",
		write: func(c *render, m *store.Message) { c.time(m.Modified) }, value: func(m *store.Message) any { return m.Modified }},
	{name: "ChangeKey", edm: "Edm.String", write: func(c *render, m *store.Message) { c.changeKey(m.Change) }},
	{name: "Categories", edm: "Collection(Edm.String)", write: func(c *render, m *store.Message) { c.texts(m.Categories) },
		set: into(someTexts, func(m *store.Message) *[]string { return &m.Categories })},
	{name: "ReceivedDateTime", old: "DateTimeReceived", edm: "Edm.DateTimeOffset",
		write: func(c *render, m *store.Message) { c.time(m.Received) }, value: func(m *store.Message) any { return m.Received }},
	{name: "SentDateTime", old: "DateTimeSent", edm: "Edm.DateTimeOffset",
		write: func(c *render, m *store.Message) { c.time(m.Sent) }, value: func(m *store.Message) any { return m.Sent }},
	{name: "HasAttachments", edm: "Edm.Boolean",
		write: func(c *render, m *store.Message) { c.bool(m.Attached) }, value: func(m *store.Message) any { return m.Attached }},
	{name: "Subject", edm: "Edm.String", write: func(c *render, m *store.Message) { c.str(m.Subject) },
		set: into(aText, func(m *store.Message) *string { return &m.Subject }), value: func(m *store.Message) any { return m.Subject }},
	{name: "BodyPreview", edm: "Edm.String", write: func(c *render, m *store.Message) { c.str(m.Preview()) }},
	{name: "Importance", edm: "Microsoft.OutlookServices.Importance", write: func(c *render, m *store.Message) { c.enum(m.Importance) },
		set:   into(anEnum("Importance", "low", "normal", "high"), func(m *store.Message) *string { return &m.Importance }),
		value: func(m *store.Message) any { return m.Importance }},
	{name: "ParentFolderId", edm: "Edm.String", write: func(c *render, m *store.Message) { c.folderID(m.Folder) }},
	{name: "ConversationId", edm: "Edm.String", write: func(c *render, m *store.Message) {
		c.b = append(c.b, '"')
		c.b = c.mb.AppendConversationID(c.b, m.Conversation)
		c.b = append(c.b, '"', ',')
	}},
	{name: "IsDeliveryReceiptRequested", edm: "Edm.Boolean", write: func(c *render, m *store.Message) {
		switch {
		case m.DeliveryReceipt != nil:
			c.bool(*m.DeliveryReceipt)
		case m.Draft:
			c.bool(false)
		default: // of received mail nothing is known
			c.raw("null")
		}
	}, set: func(raw []byte) (func(*store.Message), error) {
		v, err := aBool(raw)
		return func(m *store.Message) { m.DeliveryReceipt = &v }, err
	}},
	{name: "IsReadReceiptRequested", edm: "Edm.Boolean", write: func(c *render, m *store.Message) { c.bool(m.ReadReceipt) },
		set: into(aBool, func(m *store.Message) *bool { return &m.ReadReceipt })},
	{name: "IsRead", edm: "Edm.Boolean", write: func(c *render, m *store.Message) { c.bool(m.Read) },
		set: into(aBool, func(m *store.Message) *bool { return &m.Read }), value: func(m *store.Message) any { return m.Read }},
	{name: "IsDraft", edm: "Edm.Boolean", write: func(c *render, m *store.Message) { c.bool(m.Draft) },
		value: func(m *store.Message) any { return m.Draft }},
	{name: "WebLink", edm: "Edm.String", write: func(c *render, m *store.Message) {
		c.b = append(c.b, '"')
		c.b = append(c.b, c.service.cfg.Base...)
		c.b = append(c.b, "/owa/?ItemID="...)
		c.b = c.mb.AppendID(c.b, m.Ref(), false)
		c.b = append(c.b, `&exvsurl=1&viewmodel=ReadMessageItem",`...)
	}},
	{name: "InferenceClassification", old: "-", edm: "Microsoft.OutlookServices.InferenceClassificationType",
		write: func(c *render, m *store.Message) { c.enum(m.Inference) },
		set:   into(anEnum("InferenceClassificationType", "focused", "other"), func(m *store.Message) *string { return &m.Inference }),
		value: func(m *store.Message) any { return m.Inference }},
	{name: "MeetingMessageType", edm: "Microsoft.OutlookServices.MeetingMessageType", has: func(m *store.Message) bool { return m.Meeting != nil },
		write: func(c *render, m *store.Message) { c.enum(m.Meeting.Kind) }},
	{name: "Body", edm: "Microsoft.OutlookServices.ItemBody", write: func(c *render, m *store.Message) { c.body(m.Body()) },
		set: func(raw []byte) (func(*store.Message), error) {
			b, err := aBody(raw)
			return func(m *store.Message) { m.SetBody(b) }, err
		}},
	{name: "UniqueBody", edm: "Microsoft.OutlookServices.ItemBody", asked: true, write: func(c *render, m *store.Message) { c.body(m.Unique()) }},
	{name: "Sender", edm: "Microsoft.OutlookServices.Recipient", has: func(m *store.Message) bool { return m.Sender != nil },
		write: func(c *render, m *store.Message) { c.address(*m.Sender) },
		set:   into(aSender, func(m *store.Message) **store.Address { return &m.Sender })},
	{name: "From", edm: "Microsoft.OutlookServices.Recipient", has: func(m *store.Message) bool { return m.From != nil },
		write: func(c *render, m *store.Message) { c.address(*m.From) },
		set:   into(aSender, func(m *store.Message) **store.Address { return &m.From })},
	{name: "From/EmailAddress/Address", edm: path, value: func(m *store.Message) any {
		if m.From == nil {
			return nil
		}
		return m.From.Address
	}},
	{name: "ToRecipients", edm: "Collection(Microsoft.OutlookServices.Recipient)", write: func(c *render, m *store.Message) { c.addresses(m.To) },
		set: into(someRecipients, func(m *store.Message) *[]store.Address { return &m.To })},
	{name: "CcRecipients", edm: "Collection(Microsoft.OutlookServices.Recipient)", write: func(c *render, m *store.Message) { c.addresses(m.Cc) },
		set: into(someRecipients, func(m *store.Message) *[]store.Address { return &m.Cc })},
	{name: "BccRecipients", edm: "Collection(Microsoft.OutlookServices.Recipient)", write: func(c *render, m *store.Message) { c.addresses(m.Bcc) },
		set: into(someRecipients, func(m *store.Message) *[]store.Address { return &m.Bcc })},
	{name: "ReplyTo", edm: "Collection(Microsoft.OutlookServices.Recipient)", write: func(c *render, m *store.Message) { c.addresses(m.ReplyTo) },
		set: into(someRecipients, func(m *store.Message) *[]store.Address { return &m.ReplyTo })},
}

// path marks a row that is no member of its own: a longer way that $filter and
// $orderby may name.
const path = "path"

// folderTable is MailFolder of v2.0, Folder of v1.0. isHidden is Graph's only.
var folderTable = []property[store.Folder]{
	{name: "Id", edm: "Edm.String", write: func(c *render, f *store.Folder) { c.folderID(f.Key) }},
	{name: "DisplayName", edm: "Edm.String", write: func(c *render, f *store.Folder) { c.str(f.Name) },
		set: into(aText, func(f *store.Folder) *string { return &f.Name }), value: func(f *store.Folder) any { return f.Name }},
	{name: "ParentFolderId", edm: "Edm.String", write: func(c *render, f *store.Folder) { c.folderID(f.Parent) }},
	{name: "ChildFolderCount", edm: "Edm.Int32", write: func(c *render, f *store.Folder) { c.num(f.Children) },
		value: func(f *store.Folder) any { return int64(f.Children) }},
	{name: "UnreadItemCount", edm: "Edm.Int32", write: func(c *render, f *store.Folder) { c.num(f.Unread) },
		value: func(f *store.Folder) any { return int64(f.Unread) }},
	{name: "TotalItemCount", edm: "Edm.Int32", write: func(c *render, f *store.Folder) { c.num(f.Total) },
		value: func(f *store.Folder) any { return int64(f.Total) }},
}

// attachmentTable is Attachment with what a file attachment adds.
var attachmentTable = []property[store.Attachment]{
	{name: "Id", edm: "Edm.String", write: func(c *render, a *store.Attachment) { c.id(store.Ref{Key: a.Key}) }},
	{name: "LastModifiedDateTime", old: "DateTimeLastModified", edm: "Edm.DateTimeOffset", write: func(c *render, a *store.Attachment) { c.time(a.Modified) }},
	{name: "Name", edm: "Edm.String", write: func(c *render, a *store.Attachment) { c.str(a.Name) },
		set: into(aText, func(a *store.Attachment) *string { return &a.Name })},
	{name: "ContentType", edm: "Edm.String", write: func(c *render, a *store.Attachment) { c.opt(a.ContentType) },
		set: into(aText, func(a *store.Attachment) *string { return &a.ContentType })},
	{name: "Size", edm: "Edm.Int32", write: func(c *render, a *store.Attachment) { c.num(a.Size) }},
	{name: "IsInline", edm: "Edm.Boolean", write: func(c *render, a *store.Attachment) { c.bool(a.Inline) },
		set: into(aBool, func(a *store.Attachment) *bool { return &a.Inline })},
	{name: "ContentId", edm: "Edm.String", has: isFile, write: func(c *render, a *store.Attachment) { c.opt(a.ContentID) },
		set: into(aText, func(a *store.Attachment) *string { return &a.ContentID })},
	{name: "ContentLocation", edm: "Edm.String", has: isFile, write: func(c *render, a *store.Attachment) { c.raw("null") }, set: ignored[store.Attachment]},
	{name: "-", old: "IsContactPhoto", edm: "Edm.Boolean", has: isFile, write: func(c *render, a *store.Attachment) { c.bool(false) }, set: ignored[store.Attachment]},
	{name: "ContentBytes", edm: "Edm.Binary", has: isFile, write: func(c *render, a *store.Attachment) { c.b = appendBase64(c.b, a.Bytes()) }},
}

func isFile(a *store.Attachment) bool { return a.Kind == "file" }

// ignored accepts a value and does nothing with it.
func ignored[T any]([]byte) (func(*T), error) { return func(*T) {}, nil }
