package onprem

import (
	"slices"

	"cutover/harness/lab/store"
)

// The tables of this file are what Graph has beside the model of August 2016. A server that is told to be ideal
// (Config.Newer) answers these members too, in v2.0; no server is known that does.

// messageModel is the message as this service serves it.
func (s *Service) messageModel() []property[store.Message] {
	if s.cfg.Newer {
		return newerMessage
	}
	return messageTable
}

func (s *Service) eventModel() []property[store.Event] {
	if s.cfg.Newer {
		return newerEvent
	}
	return eventTable
}

func (s *Service) folderModel() []property[store.Folder] {
	if s.cfg.Newer {
		return newerFolder
	}
	return folderTable
}

var newerMessage = slices.Concat(messageTable, []property[store.Message]{
	{name: "InternetMessageId", old: "-", edm: "Edm.String", write: func(c *render, m *store.Message) { c.str(m.InternetMessageID) },
		value: func(m *store.Message) any { return m.InternetMessageID }},
	{name: "ConversationIndex", old: "-", edm: "Edm.Binary", write: func(c *render, m *store.Message) { c.b = appendBase64(c.b, m.ConversationIndex) }},
	{name: "Flag", old: "-", edm: "Microsoft.OutlookServices.FollowupFlag", write: func(c *render, m *store.Message) { c.flag(m.Flag) }},
})

var newerEvent = slices.Concat(eventTable, []property[store.Event]{
	newerFlag("HideAttendees", func(e *store.Event) bool { return e.HideAttendees }),
	newerFlag("IsDraft", func(e *store.Event) bool { return e.Draft }),
	newerFlag("IsOnlineMeeting", func(e *store.Event) bool { return e.Online }),
	newerFlag("AllowNewTimeProposals", func(e *store.Event) bool { return !e.NoProposals }),
	{name: "TransactionId", old: "-", edm: "Edm.String", has: func(e *store.Event) bool { return e.Transaction != "" },
		write: func(c *render, e *store.Event) { c.str(e.Transaction) }, set: into(aText, func(e *store.Event) *string { return &e.Transaction })},
	{name: "OnlineMeetingUrl", old: "-", edm: "Edm.String", write: func(c *render, _ *store.Event) { c.raw("null") }},
	{name: "OnlineMeetingProvider", old: "-", edm: "Microsoft.OutlookServices.OnlineMeetingProviderType",
		write: func(c *render, e *store.Event) { c.enum(e.OnlineProvider) }},
	{name: "OnlineMeeting", old: "-", edm: "Microsoft.OutlookServices.OnlineMeetingInfo", write: func(c *render, e *store.Event) {
		if !e.Online {
			c.raw("null")
			return
		}
		c.open()
		c.name("JoinUrl")
		c.str(e.JoinURL)
		c.close('}')
	}},
	{name: "OriginalStart", old: "-", edm: "Edm.DateTimeOffset", has: func(e *store.Event) bool { return e.Day != 0 },
		write: func(c *render, e *store.Event) { c.time(e.OriginalStart) }},
	{name: "Locations", old: "-", edm: "Collection(Microsoft.OutlookServices.Location)", write: func(c *render, e *store.Event) {
		c.b = append(c.b, '[')
		for _, p := range e.Places {
			c.place(p)
		}
		c.close(']')
	}},
})

func newerFlag(name string, of func(*store.Event) bool) property[store.Event] {
	return property[store.Event]{name: name, old: "-", edm: "Edm.Boolean",
		write: func(c *render, e *store.Event) { c.bool(of(e)) }, value: func(e *store.Event) any { return of(e) }}
}

var newerFolder = slices.Concat(folderTable, []property[store.Folder]{
	{name: "IsHidden", old: "-", edm: "Edm.Boolean", write: func(c *render, f *store.Folder) { c.bool(f.Hidden) },
		value: func(f *store.Folder) any { return f.Hidden }},
})

// flag writes a follow-up flag with the dates that it has.
func (c *render) flag(f store.Flag) {
	c.open()
	for _, at := range [...]struct {
		name   string
		moment store.Moment
	}{{"CompletedDateTime", f.Completed}, {"DueDateTime", f.Due}, {"StartDateTime", f.Start}} {
		if !at.moment.At.IsZero() {
			c.name(at.name)
			c.moment(at.moment, false)
		}
	}
	c.name("FlagStatus")
	c.enum(f.Status)
	c.close('}')
}

// place writes a location with the members that Graph added.
func (c *render) place(p store.Place) {
	if p.Kind == "" {
		p.Kind, p.UniqueIDKind = "default", "unknown"
	}
	c.open()
	c.name("DisplayName")
	c.str(p.Name)
	for _, m := range [...]struct{ name, value string }{{"LocationUri", p.URI}, {"LocationEmailAddress", p.Email}, {"UniqueId", p.UniqueID}} {
		if m.value != "" {
			c.name(m.name)
			c.str(m.value)
		}
	}
	c.name("LocationType")
	c.enum(p.Kind)
	if p.UniqueIDKind != "" {
		c.name("UniqueIdType")
		c.enum(p.UniqueIDKind)
	}
	c.postalOf(p)
	c.close('}')
}

// postalOf writes the address of a place that has one.
func (c *render) postalOf(p store.Place) {
	if p.Street+p.City+p.State+p.Country+p.PostalCode != "" {
		c.name("Address")
		c.postal(store.Postal{Street: p.Street, City: p.City, State: p.State, Country: p.Country, PostalCode: p.PostalCode})
	}
}
