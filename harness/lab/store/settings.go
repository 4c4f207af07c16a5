package store

import (
	"slices"
	"strings"
	"time"
)

// Settings are the mailbox settings, master categories and other small lists of
// a mailbox. A value handed out is immutable.
type Settings struct {
	AutoReply     AutoReply
	TimeZone      string
	Locale        string
	DateFormat    string
	TimeFormat    string
	Delegates     string // delegateMeetingMessageDeliveryOptions
	WorkDays      []time.Weekday
	WorkStart     time.Duration // since midnight
	WorkEnd       time.Duration
	WorkZone      string
	Categories    []Category
	Permissions   []Permission
	InboxRules    []InboxRule
	Overrides     []Override
	CalendarShare string // details that others see: none, time, all
}

// AutoReply is the out-of-office setting.
type AutoReply struct {
	Status, Audience   string // disabled|alwaysEnabled|scheduled; none|contactsOnly|all
	Start, End         Moment
	Internal, External string
}

// Category is an entry of the master category list. Color is none or preset0–preset24.
type Category struct{ ID, Name, Color string }

// Permission is a sharing permission of the default calendar.
type Permission struct {
	ID        string
	Who       Address
	Inside    bool
	Removable bool
	Role      string
}

// InboxRule is a message rule; Body is its JSON text as the client gave it.
type InboxRule struct {
	Key  Key
	Body string
}

// Override is a focused-inbox override.
type Override struct {
	ID       string
	Classify string
	Sender   Address
}

func (m *Mailbox) defaultSettings() *Settings {
	z := m.HomeZone()
	s := &Settings{
		TimeZone: z, Locale: "en-US", DateFormat: "yyyy-MM-dd", TimeFormat: "HH:mm", Delegates: "sendToDelegateOnly",
		WorkDays:  []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		WorkStart: 8 * time.Hour, WorkEnd: 17 * time.Hour, WorkZone: z, CalendarShare: "all",
		AutoReply: AutoReply{Status: "disabled", Audience: "all",
			Start: Moment{At: Epoch.Add(24 * time.Hour), Zone: "UTC"}, End: Moment{At: Epoch.Add(48 * time.Hour), Zone: "UTC"}},
		Permissions: []Permission{{ID: guid(mix(m.secret, 101)), Who: Address{Name: "My Organization"}, Inside: true, Role: "freeBusyRead"}},
	}
	for i, name := range categoryNames {
		s.Categories = append(s.Categories, Category{ID: guid(mix(m.content, uint64(110+i))), Name: name, Color: [...]string{"preset0", "preset7", "preset4", "preset9", "none"}[i]})
	}
	return s
}

// Settings returns the settings of the mailbox.
func (m *Mailbox) Settings() *Settings {
	m.mu.RLock()
	s := m.settings
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lockedSettings()
}

func (m *Mailbox) lockedSettings() *Settings {
	if m.settings == nil {
		m.settings = m.defaultSettings()
	}
	return m.settings
}

// UpdateSettings changes the settings. An error of edit is handed back and
// nothing is changed. id is fresh for what edit may want to add.
func (m *Mailbox) UpdateSettings(edit func(s *Settings, id string, key Key) error) (*Settings, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := *m.lockedSettings()
	c.Categories, c.Permissions = slices.Clone(c.Categories), slices.Clone(c.Permissions)
	c.InboxRules, c.Overrides = slices.Clone(c.InboxRules), slices.Clone(c.Overrides)
	key := m.newSerial(RuleSort)
	if err := edit(&c, guid(mix(m.secret, uint64(key))), key); err != nil {
		return nil, err
	}
	m.settings = &c
	m.next()
	m.log(Changed, key)
	return &c, nil
}

// FindCategory finds a master category by id.
func (s *Settings) FindCategory(id string) (int, bool) {
	i := slices.IndexFunc(s.Categories, func(c Category) bool { return strings.EqualFold(c.ID, id) })
	return i, i >= 0
}
