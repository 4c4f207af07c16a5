package store

import (
	"cmp"
	"slices"
	"strings"

	"cutover/harness/lab/recur"
)

// calendarSection is the calendars and events of a mailbox, guarded by the
// mailbox lock.
type calendarSection struct {
	groups    []*CalendarGroup
	calendars []*Calendar
	events    []*Event // singles and masters, oldest creation first
	gone      graves
}

// Keys of the default calendar and its group.
var (
	DefaultCalendar = newKey(CalendarSort, 1)
	DefaultGroup    = newKey(GroupSort, 1)
)

func (m *Mailbox) openCalendar() *calendarSection {
	m.mu.RLock()
	if m.calendar != nil {
		return m.calendar
	}
	m.mu.RUnlock()
	m.lockCalendar()
	m.mu.Unlock()
	m.mu.RLock()
	return m.calendar
}

func (m *Mailbox) lockCalendar() *calendarSection {
	m.mu.Lock()
	if m.calendar == nil {
		m.calendar = m.generateCalendar()
	}
	return m.calendar
}

// Calendars lists the calendars of a group, or all for group 0.
func (m *Mailbox) Calendars(group Key) []*Calendar {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	var list []*Calendar
	for _, c := range sec.calendars {
		if group == 0 || c.Group == group {
			list = append(list, c)
		}
	}
	return list
}

// Calendar returns one calendar.
func (m *Mailbox) Calendar(k Key) (*Calendar, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	return byKey(sec.calendars, k, calendarKey)
}

// Groups lists the calendar groups, the default one first.
func (m *Mailbox) Groups() []*CalendarGroup {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	return slices.Clone(sec.groups)
}

// Group returns one calendar group.
func (m *Mailbox) Group(k Key) (*CalendarGroup, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	return byKey(sec.groups, k, groupKey)
}

func calendarKey(c *Calendar) Key   { return c.Key }
func groupKey(g *CalendarGroup) Key { return g.Key }
func eventKey(e *Event) Key         { return e.Key }

func byKey[T any](list []*T, k Key, key func(*T) Key) (*T, error) {
	if i := slices.IndexFunc(list, func(x *T) bool { return key(x) == k }); i >= 0 {
		return list[i], nil
	}
	return nil, ErrNotFound
}

// FindCalendar resolves the id of a calendar.
func (m *Mailbox) FindCalendar(id string) (Key, error) {
	r, err := m.parseSort(id, CalendarSort)
	return r.Key, err
}

// FindGroup resolves the id of a calendar group.
func (m *Mailbox) FindGroup(id string) (Key, error) {
	r, err := m.parseSort(id, GroupSort)
	return r.Key, err
}

// CreateCalendar makes a calendar in a group (0: the default one).
func (m *Mailbox) CreateCalendar(group Key, name, color string) (*Calendar, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	if group == 0 {
		group = DefaultGroup
	}
	if _, err := byKey(sec.groups, group, groupKey); err != nil {
		return nil, err
	}
	if sec.named(name) != nil {
		return nil, ErrExists
	}
	if color == "" {
		color = "auto"
	}
	c := &Calendar{Key: m.newSerial(CalendarSort), Group: group, Change: m.next(), Name: name, Color: color}
	sec.calendars = append(sec.calendars, c)
	m.log(Created, c.Key)
	return c, nil
}

func (s *calendarSection) named(name string) *Calendar {
	for _, c := range s.calendars {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// UpdateCalendar changes name or color of a calendar, or makes it the default.
func (m *Mailbox) UpdateCalendar(k Key, edit func(*Calendar)) (*Calendar, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	old, err := byKey(sec.calendars, k, calendarKey)
	if err != nil {
		return nil, err
	}
	c := *old
	edit(&c)
	if other := sec.named(c.Name); other != nil && other.Key != k {
		return nil, ErrExists
	}
	c.Key, c.Default, c.Change = old.Key, old.Default, m.next()
	sec.calendars[slices.Index(sec.calendars, old)] = &c
	m.log(Changed, k)
	return &c, nil
}

// DeleteCalendar removes a calendar with its events. ErrDistinguished: the default one.
func (m *Mailbox) DeleteCalendar(k Key) error {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	c, err := byKey(sec.calendars, k, calendarKey)
	if err != nil {
		return err
	}
	if c.Default {
		return ErrDistinguished
	}
	for _, e := range slices.Clone(sec.events) {
		if e.Calendar == k {
			m.dropEvent(sec, e)
		}
	}
	sec.calendars = slices.Delete(sec.calendars, slices.Index(sec.calendars, c), slices.Index(sec.calendars, c)+1)
	m.log(Deleted, k)
	return nil
}

// CreateGroup makes a calendar group.
func (m *Mailbox) CreateGroup(name string) (*CalendarGroup, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	for _, g := range sec.groups {
		if strings.EqualFold(g.Name, name) {
			return nil, ErrExists
		}
	}
	k := m.newSerial(GroupSort)
	g := &CalendarGroup{Key: k, Change: m.next(), Name: name, ClassID: guid(mix(m.content, uint64(k)))}
	sec.groups = append(sec.groups, g)
	m.log(Created, k)
	return g, nil
}

// UpdateGroup renames a calendar group.
func (m *Mailbox) UpdateGroup(k Key, name string) (*CalendarGroup, error) {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	old, err := byKey(sec.groups, k, groupKey)
	if err != nil {
		return nil, err
	}
	g := *old
	g.Name, g.Change = name, m.next()
	sec.groups[slices.Index(sec.groups, old)] = &g
	m.log(Changed, k)
	return &g, nil
}

// DeleteGroup removes an empty group. ErrDistinguished: the default one;
// ErrNotEmpty: it has calendars.
func (m *Mailbox) DeleteGroup(k Key) error {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	g, err := byKey(sec.groups, k, groupKey)
	switch {
	case err != nil:
		return err
	case g.Default:
		return ErrDistinguished
	case slices.ContainsFunc(sec.calendars, func(c *Calendar) bool { return c.Group == k }):
		return ErrNotEmpty
	}
	at := slices.Index(sec.groups, g)
	sec.groups = slices.Delete(sec.groups, at, at+1)
	m.log(Deleted, k)
	return nil
}

// EventQuery selects events: singles and masters. The zero value is all of
// them, oldest creation first.
type EventQuery struct {
	Skip, Top int
	Keep      func(*Event) bool
	Compare   func(a, b *Event) int
}

// Events lists single events and series masters of a calendar, or of all for 0.
func (m *Mailbox) Events(calendar Key, q EventQuery) (Page[*Event], error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	if calendar != 0 {
		if _, err := byKey(sec.calendars, calendar, calendarKey); err != nil {
			return Page[*Event]{}, err
		}
	}
	var kept []*Event
	for _, e := range sec.events {
		if (calendar == 0 || e.Calendar == calendar) && (q.Keep == nil || q.Keep(e)) {
			kept = append(kept, e)
		}
	}
	if q.Compare != nil {
		slices.SortStableFunc(kept, q.Compare)
	}
	return cut(kept, q.Skip, q.Top), nil
}

// Ref is what ids of the event are made of.
func (e *Event) Ref() Ref { return Ref{Key: e.Key, Day: int32(e.Day), Moves: e.Moves} }

// FindEvent resolves the text of an id, of occurrences too.
func (m *Mailbox) FindEvent(id string) (*Event, error) {
	r, err := m.parseSort(id, EventSort)
	if err != nil {
		return nil, err
	}
	return m.Event(r)
}

// Event returns a single event, a master, an occurrence or an exception.
func (m *Mailbox) Event(r Ref) (*Event, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	return sec.find(r)
}

func (s *calendarSection) find(r Ref) (*Event, error) {
	e, err := byKey(s.events, r.Key, eventKey)
	if err != nil || r.Day == 0 {
		return e, err
	}
	day := recur.Date(r.Day)
	if e.Rule == nil || !e.Rule.Has(day) || slices.Contains(e.CancelledDays, day) {
		return nil, ErrNotFound
	}
	return e.on(day), nil
}

// FindEventByUID finds a single event or master by its iCalUId.
func (m *Mailbox) FindEventByUID(uid string) (*Event, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	return sec.byUID(uid)
}

func (s *calendarSection) byUID(uid string) (*Event, error) {
	for _, e := range s.events {
		if e.UID == uid {
			return e, nil
		}
	}
	return nil, ErrNotFound
}

func (s *calendarSection) replace(old, e *Event) { s.events[slices.Index(s.events, old)] = e }

func (m *Mailbox) dropEvent(sec *calendarSection, e *Event) {
	at := slices.Index(sec.events, e)
	sec.events = slices.Delete(sec.events, at, at+1)
	if e.Key.serial() >= createdSerial {
		m.store.written.Add(-smallCost - int64(len(e.Body.Content)))
	}
	sec.gone.add(m.next(), e.Ref())
}

func byStart(a, b *Event) int {
	if c := a.Start.At.Compare(b.Start.At); c != 0 {
		return c
	}
	return cmp.Compare(a.Key, b.Key)
}
