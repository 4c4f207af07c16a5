package onprem

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// event writes one event.
func (c *call) event(e *store.Event) {
	c.annotations(place{collection: "Events", item: e.Ref()}, e.Change, "")
	members(&c.render, c.service.eventModel(), e)
	c.close('}')
}

func (c *call) oneEvent(e *store.Event, status int) (int, error) {
	c.located(status, "Events", c.mb.ID(e.Ref(), false))
	c.context("Events", true)
	start := len(c.b)
	c.event(e)
	c.b = append(c.b[:start], c.b[start+1:]...)
	return status, nil
}

// calendar is the calendar that the path names, 0 for the default one.
func (c *call) calendar() (store.Key, string, error) {
	switch c.segments[0] {
	case "calendars":
		key, err := c.mb.FindCalendar(c.segments[1])
		return key, "Calendars('" + c.segments[1] + "')/", err
	case "calendar":
		return store.DefaultCalendar, "Calendar/", nil
	}
	return 0, "", nil
}

func listEvents(c *call) (int, error) {
	calendar, prefix, err := c.calendar()
	if err != nil {
		return 0, err
	}
	q, err := ask(c, c.service.eventModel(), "Event")
	if err != nil {
		return 0, err
	}
	if calendar == 0 {
		calendar = store.DefaultCalendar
	}
	p, err := c.mb.Events(calendar, store.EventQuery{Skip: q.skip, Top: q.top, Keep: q.keep, Compare: q.compare})
	if err != nil {
		return 0, err
	}
	return page(c, prefix+"Events", p.Items, p.More, p.Total, c.event)
}

// window reads the bounds of a view. Times without an offset are UTC.
func (c *call) window() (from, to time.Time, err error) {
	var ok1, ok2 bool
	from, ok1 = instant(c.q.Other["startdatetime"])
	to, ok2 = instant(c.q.Other["enddatetime"])
	if !ok1 || !ok2 {
		return from, to, refusal(http.StatusBadRequest, "ErrorInvalidParameter",
			"This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
	}
	if to.Before(from) {
		return from, to, refusal(http.StatusBadRequest, "ErrorInvalidParameter", "The end of the time window lies before its start.")
	}
	return from, to, nil
}

func instant(s string) (time.Time, bool) {
	if t, ok := odata.ParseTime(s); ok {
		return t, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func calendarView(c *call) (int, error) {
	calendar, prefix, err := c.calendar()
	if err != nil {
		return 0, err
	}
	from, to, err := c.window()
	if err != nil {
		return 0, err
	}
	if c.track && calendar <= store.DefaultCalendar {
		if err := selected(c, c.service.eventModel(), "Event"); err != nil {
			return 0, err
		}
		return track(c, prefix+"CalendarView", func(q store.ChangeQuery) (store.Changes[*store.Event], error) {
			return c.mb.EventChanges(from, to, q), nil
		}, c.event)
	}
	all, err := c.mb.View(calendar, from, to)
	if err != nil {
		return 0, err
	}
	return c.listed(all, prefix+"CalendarView")
}

func instances(c *call) (int, error) {
	e, err := c.findEvent()
	if err != nil {
		return 0, err
	}
	from, to, err := c.window()
	if err != nil {
		return 0, err
	}
	all, err := c.mb.Instances(e.Ref(), from, to)
	if err != nil {
		return 0, err
	}
	return c.listed(all, "Events('"+c.segments[1]+"')/Instances")
}

func (c *call) listed(all []*store.Event, resource string) (int, error) {
	q, err := ask(c, c.service.eventModel(), "Event")
	if err != nil {
		return 0, err
	}
	items, more, total := filtered(all, q)
	return page(c, resource, items, more, total, c.event)
}

// findEvent is the event that the path names.
func (c *call) findEvent() (*store.Event, error) {
	for i, s := range c.segments {
		if strings.EqualFold(s, "events") && i+1 < len(c.segments) {
			return c.mb.FindEvent(c.segments[i+1])
		}
	}
	return nil, store.ErrNotFound
}

func getEvent(c *call) (int, error) {
	e, err := c.findEvent()
	if err == nil {
		err = selected(c, c.service.eventModel(), "Event")
	}
	if err != nil {
		return 0, err
	}
	return c.oneEvent(e, http.StatusOK)
}

func (c *call) eventBody() (func(*store.Event) error, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return nil, err
	}
	changes, err := entity(raw, "Event", c.service.eventModel(), c.v1, nil)
	return func(e *store.Event) error {
		before := e.Rule
		for _, change := range changes {
			change(e)
		}
		return settle(e, before)
	}, err
}

func createEvent(c *call) (int, error) {
	calendar, _, err := c.calendar()
	if err != nil {
		return 0, err
	}
	edit, err := c.eventBody()
	if err != nil {
		return 0, err
	}
	e, err := c.mb.CreateEvent(calendar, edit)
	if err != nil {
		return 0, err
	}
	return c.oneEvent(e, http.StatusCreated)
}

func patchEvent(c *call) (int, error) {
	e, err := c.findEvent()
	if err != nil {
		return 0, err
	}
	edit, err := c.eventBody()
	if err != nil {
		return 0, err
	}
	update := c.mb.UpdateEvent
	if c.service.cfg.Quirk("meeting.notify", c.mb) {
		update = c.mb.UpdateEventQuietly
	}
	if e, err = update(e.Ref(), c.r.Header.Get("If-Match"), edit); err != nil {
		return 0, err
	}
	return c.oneEvent(e, http.StatusOK)
}

func deleteEvent(c *call) (int, error) {
	e, err := c.findEvent()
	if err == nil {
		err = c.mb.DeleteEvent(e.Ref(), c.r.Header.Get("If-Match"))
	}
	return http.StatusNoContent, err
}

// answers are the responses to a meeting by action.
var answers = map[string]string{"accept": "accepted", "decline": "declined", "tentativelyaccept": "tentativelyAccepted"}

func respondEvent(c *call) (int, error) {
	e, err := c.findEvent()
	if err != nil {
		return 0, err
	}
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	a := store.Answer{Response: answers[c.segments[len(c.segments)-1]], Send: true}
	if len(raw) > 0 {
		err = object(raw, "Event", func(name string, value []byte) (err error) {
			switch {
			case strings.EqualFold(name, "Comment"):
				a.Comment, err = aText(value)
			case strings.EqualFold(name, "SendResponse"):
				a.Send, err = aBool(value)
			default:
				err = bodyError{"The parameter '" + name + "' in the request payload is not a valid parameter for the operation."}
			}
			return err
		})
	}
	if err == nil {
		err = c.mb.Respond(e.Ref(), a)
	}
	return http.StatusAccepted, err
}

func calendarKey(k *store.Calendar) store.Key { return k.Key }

func listCalendars(c *call) (int, error) {
	group, resource := store.Key(0), "Calendars"
	if c.segments[0] == "calendargroups" {
		key, err := c.mb.FindGroup(c.segments[1])
		if err != nil {
			return 0, err
		}
		group, resource = key, "CalendarGroups('"+c.segments[1]+"')/Calendars"
	}
	return entities(c, resource, "Calendar", calendarTable, c.mb.Calendars(group), calendarKey)
}

func getCalendar(c *call) (int, error) {
	key := store.DefaultCalendar
	var err error
	if c.segments[0] == "calendars" {
		if key, err = c.mb.FindCalendar(c.segments[1]); err != nil {
			return 0, err
		}
	}
	k, err := c.mb.Calendar(key)
	if err == nil {
		err = selected(c, calendarTable, "Calendar")
	}
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "Calendars", calendarTable, k, key, http.StatusOK)
}

func (c *call) calendarBody() (store.Calendar, error) {
	var probe store.Calendar
	raw, err := c.jsonContent()
	if err != nil {
		return probe, err
	}
	changes, err := entity(raw, "Calendar", calendarTable, c.v1, nil)
	for _, change := range changes {
		change(&probe)
	}
	return probe, err
}

func createCalendar(c *call) (int, error) {
	probe, err := c.calendarBody()
	if err != nil {
		return 0, err
	}
	k, err := c.mb.CreateCalendar(0, probe.Name, probe.Color)
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "Calendars", calendarTable, k, k.Key, http.StatusCreated)
}

func patchCalendar(c *call) (int, error) {
	key, err := c.mb.FindCalendar(c.segments[1])
	if err != nil {
		return 0, err
	}
	probe, err := c.calendarBody()
	if err != nil {
		return 0, err
	}
	k, err := c.mb.UpdateCalendar(key, func(k *store.Calendar) {
		if probe.Name != "" {
			k.Name = probe.Name
		}
		if probe.Color != "" {
			k.Color = probe.Color
		}
	})
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "Calendars", calendarTable, k, key, http.StatusOK)
}

func deleteCalendar(c *call) (int, error) {
	key, err := c.mb.FindCalendar(c.segments[1])
	if err == nil {
		err = c.mb.DeleteCalendar(key)
	}
	return http.StatusNoContent, err
}

func listGroups(c *call) (int, error) {
	all := slices.Clone(c.mb.Groups())
	return entities(c, "CalendarGroups", "CalendarGroup", groupTable, all, func(g *store.CalendarGroup) store.Key { return g.Key })
}

// user answers with the mailbox's owner.
func user(c *call) (int, error) {
	u := c.mb.User()
	c.open()
	c.name("@odata.context")
	c.str(c.root + "/$metadata#" + strings.TrimSuffix(c.prefix, "/"))
	c.name("@odata.id")
	c.str(c.root + "/" + c.owner)
	c.name("Id")
	c.str(u.OID + "@" + c.service.cfg.Store.Tenant())
	c.name("EmailAddress")
	c.str(u.SMTP)
	c.name("DisplayName")
	c.str(u.Name)
	c.name("Alias")
	c.str(u.Login)
	c.name("MailboxGuid")
	c.str(u.OID)
	c.close('}')
	return http.StatusOK, nil
}
