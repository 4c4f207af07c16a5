package store

import (
	"sync/atomic"
	"time"
)

// Address is a mail address with its display name.
type Address struct{ Name, Address string }

// Body is the text of an item. Kind is "text" or "html".
type Body struct{ Kind, Content string }

// Header is one internet message header.
type Header struct{ Name, Value string }

// Flag is a follow-up flag. Status is notFlagged, flagged or complete; a moment
// with a zero time is unset.
type Flag struct {
	Status                string
	Start, Due, Completed Moment
}

// Moment is a wall-clock time in a named zone: how clients speak of calendar times.
type Moment struct {
	At   time.Time // the instant
	Zone string    // Windows or IANA name as given; "" means UTC
}

// Property is an extended property, single-valued (Value) or multi-valued (Values not nil).
type Property struct {
	ID     string // normalised: GUID and hex digits in lower case
	Value  string
	Values []string
}

// Extension is an open extension: a name and its further members as JSON text
// (the inside of an object, without braces).
type Extension struct{ Name, Members string }

// Message is one message, also a draft. Immutable once published.
type Message struct {
	Key      Key    // the message for its whole life in this mailbox
	Moves    uint32 // how often it changed folder: part of the classic id
	Change   uint64 // change number: the change key
	Folder   Key
	Created  time.Time
	Modified time.Time
	Received time.Time
	Sent     time.Time

	Subject           string
	Sender, From      *Address // nil on a fresh draft
	To, Cc, Bcc       []Address
	ReplyTo           []Address
	Categories        []string
	Importance        string // low, normal, high
	Inference         string // focused, other
	InternetMessageID string // with angle brackets; equal on both twins
	Conversation      uint64 // see Mailbox.AppendConversationID
	ConversationIndex []byte // 22 bytes and 5 more per reply
	Read, Draft       bool
	Attached          bool // has attachments that are not inline
	ReadReceipt       bool
	DeliveryReceipt   *bool
	Flag              Flag
	Meeting           *Meeting // set on meeting requests, responses and cancellations
	Extended          []Property
	Extensions        []Extension
	CustomHeaders     []Header

	owner       *Mailbox
	made        bool // generated: body and attachments come from the generator
	ordinal     uint32
	body        Body
	unique      string
	attachments []*Attachment
	derived     *derived // made anew with each published snapshot
}

// Derived is something that a service made of a snapshot and wants to find
// again, such as its encoding. For says what exactly it was made for.
type Derived struct {
	For   any
	Bytes []byte
}

// derived holds the last Derived of one snapshot.
type derived struct{ last atomic.Pointer[Derived] }

// Derived is what was kept last for this snapshot, or nil.
func (m *Message) Derived() *Derived {
	if m.derived == nil {
		return nil
	}
	return m.derived.last.Load()
}

// Keep remembers d as long as the snapshot is in memory, or until something else
// is kept.
func (m *Message) Keep(d *Derived) {
	if m.derived != nil {
		m.derived.last.Store(d)
	}
}

// Meeting is what a message says about a meeting. Kind is meetingRequest,
// meetingCancelled, meetingAccepted, meetingTenativelyAccepted (the schema's own
// spelling) or meetingDeclined.
type Meeting struct {
	Kind       string
	Event      Key // the event in this mailbox, 0 when there is none
	Start, End Moment
	AllDay     bool
	Location   string
	Proposed   *[2]Moment
	Requested  bool // an answer is asked for
}

// Attachment is a file, an item or a reference. Kind is file, item or reference.
type Attachment struct {
	Key         Key
	Kind        string
	Name        string
	ContentType string // "" when unknown
	ContentID   string
	Inline      bool
	Modified    time.Time
	Size        int // bytes as stored, overhead included
	Item        any // *Message, *Event or *Contact of an item attachment
	URL         string

	content func() []byte
}

// Bytes is the content of a file attachment; nil for the other kinds.
func (a *Attachment) Bytes() []byte {
	if a.content == nil {
		return nil
	}
	return a.content()
}

// NewFile makes a file attachment of content, which must not change any more.
func NewFile(name, contentType string, content []byte) *Attachment {
	return &Attachment{Kind: "file", Name: name, ContentType: contentType, Size: len(content) + 108,
		content: func() []byte { return content }}
}

// Mailbox is the mailbox that holds the message.
func (m *Message) Mailbox() *Mailbox { return m.owner }
