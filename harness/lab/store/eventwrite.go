package store

import (
	"slices"
	"time"

	"cutover/harness/lab/recur"
)

// CreateEvent makes an event in a calendar (0: the default one). edit fills it
// in; with attendees the event is a meeting and they are invited. An event
// whose Transaction exists already is answered by that one.
func (m *Mailbox) CreateEvent(calendar Key, edit func(*Event) error) (*Event, error) {
	e, invite, err := m.createEvent(calendar, edit)
	if err == nil && invite {
		m.store.invite(e, "")
	}
	return e, err
}

func (m *Mailbox) createEvent(calendar Key, edit func(*Event) error) (e *Event, invite bool, err error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	if calendar == 0 {
		calendar = DefaultCalendar
	}
	if _, err := byKey(sec.calendars, calendar, calendarKey); err != nil {
		return nil, false, err
	}
	if m.store.full() {
		return nil, false, ErrQuota
	}
	key := m.newSerial(EventSort)
	now := m.now()
	e = &Event{
		Created: now, Modified: now, Importance: "normal", Sensitivity: "normal", ShowAs: "busy", Body: Body{Kind: "html"},
		Organizer: m.Address(), IsOrganizer: true, UID: newUID(mix(m.secret, uint64(key))), Reminder: 15, ReminderOn: true,
		ResponseWanted: true, Response: "organizer", OnlineProvider: "unknown",
	}
	if err := edit(e); err != nil {
		return nil, false, err
	}
	if e.Transaction != "" {
		for _, old := range sec.events {
			if old.Transaction == e.Transaction {
				return old, false, nil
			}
		}
	}
	e.Key, e.Calendar, e.Change = key, calendar, m.next()
	e.settle(m)
	sec.events = append(sec.events, e)
	m.store.written.Add(smallCost + int64(len(e.Body.Content)))
	m.log(Created, key)
	return e, len(e.Attendees) > 0 && e.IsOrganizer, nil
}

// settle derives what follows from other members.
func (e *Event) settle(m *Mailbox) {
	e.owner = m
	if e.Day == 0 {
		e.Type = Single
		if e.Rule != nil {
			e.Type = Master
		}
	}
	for _, a := range e.attachments {
		if a.Key == 0 {
			a.Key = m.newSerial(AttachmentSort)
			a.Modified = m.now()
		}
	}
}

// SetAttachments replaces the attachments of an event under edit.
func (e *Event) SetAttachments(list []*Attachment) { e.attachments = slices.Clone(list) }

// UpdateEvent changes a single event, a whole series, or one date of it: that
// becomes an exception. The attendees of a meeting are told. ErrCrossing: an
// exception would pass its neighbour.
func (m *Mailbox) UpdateEvent(r Ref, ifMatch string, edit func(*Event) error) (*Event, error) {
	e, err := m.updateEvent(r, ifMatch, edit)
	if err == nil && e.IsOrganizer && len(e.Attendees) > 0 {
		m.store.invite(e, "")
	}
	return e, err
}

// UpdateEventQuietly changes an event and tells nobody.
func (m *Mailbox) UpdateEventQuietly(r Ref, ifMatch string, edit func(*Event) error) (*Event, error) {
	return m.updateEvent(r, ifMatch, edit)
}

func (m *Mailbox) updateEvent(r Ref, ifMatch string, edit func(*Event) error) (*Event, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	old, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	if !m.matches(ifMatch, old.Change) {
		return nil, ErrConflict
	}
	e := *old
	if err := edit(&e); err != nil {
		return nil, err
	}
	e.Key, e.Day, e.Calendar, e.Change, e.Modified = old.Key, old.Day, old.Calendar, m.next(), m.now()
	if e.Day == 0 {
		if old.Rule != nil && (e.Rule != old.Rule || !e.Start.At.Equal(old.Start.At)) {
			e.exceptions, e.CancelledDays = nil, nil
		}
		e.settle(m)
		sec.replace(old, &e)
		m.log(Changed, e.Key)
		return &e, nil
	}
	master, err := byKey(sec.events, r.Key, eventKey)
	if err != nil {
		return nil, err
	}
	if err := master.fits(&e); err != nil {
		return nil, err
	}
	e.Type, e.Rule = Exception, nil
	e.settle(m)
	c := *master
	c.exceptions = slices.DeleteFunc(slices.Clone(master.exceptions), func(x *Event) bool { return x.Day == e.Day })
	c.exceptions = append(c.exceptions, &e)
	slices.SortFunc(c.exceptions, func(a, b *Event) int { return int(a.Day - b.Day) })
	c.Change, c.Modified = e.Change, e.Modified
	sec.replace(master, &c)
	m.log(Changed, e.Key)
	return &e, nil
}

// fits says whether exception x stays between the dates beside its own.
func (e *Event) fits(x *Event) error {
	loc := e.location()
	day := recur.DateOf(x.Start.At.In(loc))
	if day == x.Day {
		return nil
	}
	crossing := false
	e.Rule.Dates(func(d recur.Date) bool {
		if d == x.Day || slices.Contains(e.CancelledDays, d) {
			return true
		}
		at := recur.DateOf(e.on(d).Start.At.In(loc))
		crossing = crossing || d < x.Day && day <= at || d > x.Day && day >= at
		return d <= x.Day && !crossing
	})
	if crossing {
		return ErrCrossing
	}
	return nil
}

// DeleteEvent removes an event, a series, or one date of it. The attendees of
// the caller's own meeting get a cancellation.
func (m *Mailbox) DeleteEvent(r Ref, ifMatch string) error {
	e, err := m.removeEvent(r, ifMatch)
	if err == nil && e.IsOrganizer && len(e.Attendees) > 0 {
		m.store.cancel(e, "")
	}
	return err
}

// Cancel is DeleteEvent with a word to the attendees, for organizers only:
// ErrNotOrganizer.
func (m *Mailbox) Cancel(r Ref, comment string) error {
	e, err := m.Event(r)
	if err != nil {
		return err
	}
	if !e.IsOrganizer {
		return ErrNotOrganizer
	}
	if e, err = m.removeEvent(r, ""); err == nil {
		m.store.cancel(e, comment)
	}
	return err
}

func (m *Mailbox) removeEvent(r Ref, ifMatch string) (*Event, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	if !m.matches(ifMatch, e.Change) {
		return nil, ErrConflict
	}
	m.log(Deleted, r.Key)
	if r.Day == 0 {
		m.dropEvent(sec, e)
		return e, nil
	}
	master, err := byKey(sec.events, r.Key, eventKey)
	if err != nil {
		return nil, err
	}
	c := *master
	c.CancelledDays = append(slices.Clone(master.CancelledDays), e.Day)
	slices.Sort(c.CancelledDays)
	c.exceptions = slices.DeleteFunc(slices.Clone(master.exceptions), func(x *Event) bool { return x.Day == e.Day })
	c.Change, c.Modified = m.next(), m.now()
	sec.replace(master, &c)
	sec.gone.add(m.next(), e.Ref())
	return e, nil
}

// Answer is an attendee's response to a meeting.
type Answer struct {
	Response string // accepted, tentativelyAccepted, declined
	Comment  string
	Send     bool // tell the organizer
	Proposed *[2]Moment
}

// Respond answers a meeting; a declined one leaves the calendar. ErrOrganizer:
// it is the caller's own.
func (m *Mailbox) Respond(r Ref, a Answer) error {
	e, err := m.Event(r)
	if err != nil {
		return err
	}
	if e.IsOrganizer {
		return ErrOrganizer
	}
	if a.Response == "declined" {
		_, err = m.removeEvent(r, "")
	} else {
		_, err = m.updateEvent(r, "", func(e *Event) error {
			e.Response, e.Responded, e.ShowAs = a.Response, m.now().Truncate(time.Second), "busy"
			if a.Response == "tentativelyAccepted" {
				e.ShowAs = "tentative"
			}
			return nil
		})
	}
	if err == nil && a.Send {
		m.store.answer(m, e, a)
	}
	return err
}

// TouchEvent changes what concerns the owner of the calendar alone, such as the
// reminder: nobody is told.
func (m *Mailbox) TouchEvent(r Ref, edit func(*Event) error) (*Event, error) {
	return m.updateEvent(r, "", edit)
}
