package store

import (
	"time"

	"cutover/harness/lab/recur"
)

// Place is a location of an event. A zero Place is "no location".
type Place struct {
	Name, Email, URI, Kind, UniqueID, UniqueIDKind string
	Street, City, State, Country, PostalCode       string
}

// Attendee is an invited person or resource.
type Attendee struct {
	Address
	Kind      string // required, optional, resource
	Response  string // none, accepted, declined, tentativelyAccepted, notResponded, organizer
	Responded time.Time
	Proposed  *[2]Moment
}

// Type says what an Event value stands for.
type Type string

// The types, in the words of Graph v1.0.
const (
	Single     Type = "singleInstance"
	Occurrence Type = "occurrence"
	Exception  Type = "exception"
	Master     Type = "seriesMaster"
)

// Event is an appointment or meeting; a series master, or one date of a series.
// Immutable once published.
type Event struct {
	Key      Key        // of an occurrence or exception: its master's key
	Day      recur.Date // of an occurrence or exception: the date it had by the rule
	Moves    uint32
	Change   uint64
	Calendar Key
	Created  time.Time
	Modified time.Time
	Type     Type

	Subject          string
	Body             Body
	Start, End       Moment // an all-day event has UTC midnights: its dates hold in every zone
	AllDay           bool
	Cancelled, Draft bool
	Organizer        Address
	IsOrganizer      bool
	Attendees        []Attendee
	Places           []Place
	Categories       []string
	Importance       string // low, normal, high
	Sensitivity      string // normal, personal, private, confidential
	ShowAs           string // free, tentative, busy, oof, workingElsewhere, unknown
	UID              string // iCalUId; differs per occurrence
	Transaction      string // transactionId of the creator
	Reminder         int    // minutes before the start
	ReminderOn       bool
	ResponseWanted   bool
	Response         string // own answer: organizer, none, accepted …
	Responded        time.Time
	NoProposals      bool
	HideAttendees    bool
	Online           bool
	OnlineProvider   string // unknown, teamsForBusiness
	JoinURL          string
	Rule             *recur.Rule // of a master
	OriginalStart    time.Time   // of an occurrence or exception
	CancelledDays    []recur.Date
	Extended         []Property
	Extensions       []Extension

	owner       *Mailbox
	attachments []*Attachment
	exceptions  []*Event // of a master, ordered by Day
}

// Mailbox is the mailbox that holds the event.
func (e *Event) Mailbox() *Mailbox { return e.owner }

// Attachments of the event.
func (e *Event) Attachments() []*Attachment { return e.attachments }

// Exceptions are the changed dates of a master, in order.
func (e *Event) Exceptions() []*Event { return e.exceptions }

// Calendar is one calendar of a mailbox.
type Calendar struct {
	Key     Key
	Group   Key
	Change  uint64
	Name    string
	Color   string // auto, lightBlue …
	Default bool
}

// CalendarGroup is a named set of calendars.
type CalendarGroup struct {
	Key     Key
	Change  uint64
	Name    string
	ClassID string
	Default bool
}
