package graph

import (
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// calendarKey is the calendar of the path, the default one when none is named.
func (c *call) calendarKey() (store.Key, *fault) {
	id := c.arg[argCalendar]
	if id == "" {
		return store.DefaultCalendar, nil
	}
	k, err := c.mb.FindCalendar(id)
	if err == nil {
		_, err = c.mb.Calendar(k)
	}
	return k, storeFault(err)
}

func (c *call) eventsContext(what string) string {
	if id := c.arg[argCalendar]; id != "" {
		return c.userContext() + "/calendars('" + contextKey(id) + "')/" + what
	}
	return c.userContext() + "/" + what
}

func listEvents(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[event])
	page, err := c.mb.Events(k, store.EventQuery{Skip: p.q.Skip, Top: events.page(c, p), Keep: p.keep, Compare: p.compare})
	if err != nil {
		return storeFault(err)
	}
	next := 0
	if page.More {
		next = p.q.Skip + len(page.Items)
	}
	return writeList(c, events, p, c.eventsContext("events"), page.Items, page.Total, next)
}

func countEvents(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	page, err := c.mb.Events(k, store.EventQuery{Keep: c.plan.(*plan[event]).keep})
	if err != nil {
		return storeFault(err)
	}
	return c.countOnly(page.Total)
}

// maxView is the longest window of a view: five years.
const maxView = 1825 * 24 * time.Hour

// window reads startDateTime and endDateTime, names in any case. They go by
// their own offset, without one by UTC.
func window(q *odata.Query) (from, to time.Time, f *fault) {
	from, ok := odata.ParseTime(q.Other["startdatetime"])
	until, ok2 := odata.ParseTime(q.Other["enddatetime"])
	if !ok || !ok2 {
		return from, to, badCode("ErrorInvalidParameter", "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
	}
	if until.Before(from) {
		return from, to, badCode("ErrorInvalidParameter", "The end of the time window is before its start.")
	}
	if until.Sub(from) > maxView {
		return from, to, badCode("ErrorInvalidParameter", "The time window is longer than 1825 days.")
	}
	return from, until, nil
}

// plannedWindow is the query stage of views: options and window.
func plannedWindow(c *call) *fault {
	if f := planned(views)(c); f != nil {
		return f
	}
	_, _, f := window(c.plan.(*plan[event]).q)
	return f
}

func calendarView(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[event])
	from, to, f := window(p.q)
	if f != nil {
		return f
	}
	list, err := c.mb.View(k, from, to)
	if err != nil {
		return storeFault(err)
	}
	page, total, next := collected(c, views, p, list)
	return writeList(c, views, p, c.eventsContext("calendarView"), page, total, next)
}

func eventInstances(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[event])
	from, to, f := window(p.q)
	if f != nil {
		return f
	}
	list, err := c.mb.Instances(x.Ref(), from, to)
	if err != nil {
		return storeFault(err)
	}
	page, total, next := collected(c, views, p, list)
	return writeList(c, views, p, c.userContext()+"/events('"+contextKey(c.arg[argEvent])+"')/instances", page, total, next)
}

// event is the event of the path.
func (c *call) event() (event, *fault) {
	x, err := c.mb.FindEvent(c.arg[argEvent])
	return x, storeFault(err)
}

func getEvent(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	return c.writeEvent(http.StatusOK, x)
}

func (c *call) writeEvent(status int, x event) *fault {
	if status == http.StatusCreated {
		c.location("/events('" + c.mb.ID(x.Ref(), c.prefer.immutable) + "')")
		if c.prefer.loc == nil && x.Start.Zone != "" {
			c.inZone(x.Start.Zone) // a create answers in the zone of its body
		}
	}
	return writeOne(c, events, status, c.eventsContext("events"), etag(c.mb, x.Change), x)
}

func createEvent(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	x, err := c.mb.CreateEvent(k, func(x *store.Event) error {
		f := applyEvent(x, body, creating)
		if list := body.param("attachments"); f == nil && list != nil {
			var found []attachment
			for _, n := range list.items {
				a, f := readAttachment(n)
				if f != nil {
					return asError(f)
				}
				found = append(found, a)
			}
			x.SetAttachments(found)
		}
		return asError(f)
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeEvent(http.StatusCreated, x)
}

func updateEvent(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	changed, err := c.mb.UpdateEvent(x.Ref(), c.r.Header.Get("If-Match"), func(x *store.Event) error {
		return asError(applyEvent(x, body, updating))
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeEvent(http.StatusOK, changed)
}

func deleteEvent(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteEvent(x.Ref(), c.r.Header.Get("If-Match")); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

// respond answers a meeting: accept, tentativelyAccept, decline.
func respond(response string) func(*call) *fault {
	return func(c *call) *fault {
		x, f := c.event()
		if f != nil {
			return f
		}
		body, f := c.readObject()
		if f != nil {
			return f
		}
		if f := body.only("microsoft.graph."+response, "comment", "sendResponse", "proposedNewTime"); f != nil {
			return f
		}
		a := store.Answer{Response: response, Send: true}
		if n := body.param("comment"); n != nil {
			a.Comment = n.text
		}
		if n := body.param("sendResponse"); n != nil {
			if a.Send, f = n.bool(); f != nil {
				return f
			}
		}
		if n := body.param("proposedNewTime"); n != nil && n.kind == objectNode {
			if response == "accepted" {
				return unknownMember("proposedNewTime", "microsoft.graph.accept")
			}
			if !a.Send || x.NoProposals {
				return badCode("ErrorInvalidRequest", "A new time can only be proposed with a response, for a meeting that allows it.")
			}
			var slot [2]store.Moment
			for i, name := range []string{"start", "end"} {
				m := n.param(name)
				if m == nil {
					return badLiteral(n, "microsoft.graph.timeSlot")
				}
				if slot[i], f = readMoment(m); f != nil {
					return f
				}
			}
			a.Proposed = &slot
		}
		if err := c.mb.Respond(x.Ref(), a); err != nil {
			return storeFault(err)
		}
		return c.done(http.StatusAccepted)
	}
}

func cancelEvent(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	comment := ""
	if n := body.param("comment"); n != nil {
		comment = n.text
	}
	if err := c.mb.Cancel(x.Ref(), comment); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusAccepted)
}

// forwardEvent invites further people through the caller's own mail.
func forwardEvent(c *call) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	n := body.param("toRecipients")
	if n == nil {
		return badCode("ErrorInvalidRecipients", "At least one recipient isn't valid., A message can't be sent because it contains no recipients.")
	}
	to, f := readRecipients(n)
	if f != nil {
		return f
	}
	if f := recipientsFault(&store.Message{To: to}); f != nil {
		return f
	}
	err := c.mb.Send(true, func(m *store.Message) {
		m.Subject, m.To = "FW: "+strings.TrimPrefix(x.Subject, "FW: "), to
		m.SetBody(x.Body)
		m.Meeting = &store.Meeting{Kind: "meetingRequest", Start: x.Start, End: x.End, AllDay: x.AllDay, Requested: true}
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusAccepted)
}

func dismissReminder(c *call) *fault {
	return c.remind(func(*store.Event, *jsonNode) *fault { return nil }, false)
}

func snoozeReminder(c *call) *fault {
	return c.remind(func(x *store.Event, body *jsonNode) *fault {
		n := body.param("newReminderTime")
		if n == nil {
			return badCode("ErrorInvalidRequest", "The newReminderTime parameter is required.")
		}
		at, f := readMoment(n)
		if f == nil {
			x.Reminder = max(0, int(x.Start.At.Sub(at.At)/time.Minute))
		}
		return f
	}, true)
}

func (c *call) remind(edit func(*store.Event, *jsonNode) *fault, on bool) *fault {
	x, f := c.event()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	_, err := c.mb.TouchEvent(x.Ref(), func(e *store.Event) error {
		e.ReminderOn = on
		return asError(edit(e, body))
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusOK)
}
