package graph

import (
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type calendar = *store.Calendar

// calendars is the type calendar.
var calendars = newSchema(schema[calendar]{
	name: "calendar", links: []string{"events", "calendarview", "calendarpermissions", "singlevalueextendedproperties", "multivalueextendedproperties"},
	fields: []*field[calendar]{
		{name: "id", emit: func(b []byte, e *encoder, k calendar) []byte { return e.appendFolderID(b, k.Key) }},
		{name: "name", kind: odata.String, value: func(k calendar) odata.Value { return odata.Text(k.Name) },
			emit: func(b []byte, _ *encoder, k calendar) []byte { return appendString(b, k.Name) }},
		{name: "color", kind: odata.Enum, value: func(k calendar) odata.Value { return odata.Word(k.Color) },
			emit: func(b []byte, _ *encoder, k calendar) []byte { return appendString(b, k.Color) }},
		{name: "hexColor", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, `""`...) }},
		{name: "isDefaultCalendar", kind: odata.Bool, value: func(k calendar) odata.Value { return odata.Flag(k.Default) },
			emit: func(b []byte, _ *encoder, k calendar) []byte { return appendBool(b, k.Default) }},
		{name: "changeKey", emit: func(b []byte, e *encoder, k calendar) []byte { return e.appendChangeKey(b, k.Change) }},
		{name: "canShare", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, "true"...) }},
		{name: "canViewPrivateItems", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, "true"...) }},
		{name: "canEdit", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, "true"...) }},
		{name: "allowedOnlineMeetingProviders", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, `["teamsForBusiness"]`...) }},
		{name: "defaultOnlineMeetingProvider", emit: func(b []byte, _ *encoder, _ calendar) []byte { return append(b, `"teamsForBusiness"`...) }},
		{name: "isTallyingResponses", emit: func(b []byte, _ *encoder, k calendar) []byte { return appendBool(b, k.Default) }},
		{name: "isRemovable", emit: func(b []byte, _ *encoder, k calendar) []byte { return appendBool(b, !k.Default) }},
		{name: "owner", emit: func(b []byte, e *encoder, _ calendar) []byte { return appendEmailAddress(b, e.mb.Address()) }},
	},
})

type calendarGroup = *store.CalendarGroup

// calendarGroups is the type calendarGroup.
var calendarGroups = newSchema(schema[calendarGroup]{
	name: "calendarGroup", links: []string{"calendars"},
	fields: []*field[calendarGroup]{
		{name: "id", emit: func(b []byte, e *encoder, g calendarGroup) []byte { return e.appendFolderID(b, g.Key) }},
		{name: "name", kind: odata.String, value: func(g calendarGroup) odata.Value { return odata.Text(g.Name) },
			emit: func(b []byte, _ *encoder, g calendarGroup) []byte { return appendString(b, g.Name) }},
		{name: "classId", emit: func(b []byte, _ *encoder, g calendarGroup) []byte { return appendString(b, g.ClassID) }},
		{name: "changeKey", emit: func(b []byte, e *encoder, g calendarGroup) []byte { return e.appendChangeKey(b, g.Change) }},
	},
})

func sorted[T any](list []T, compare func(a, b T) int) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, compare)
	return list
}

// groupKey is the calendar group of the path; 0 when none is named.
func (c *call) groupKey() (store.Key, *fault) {
	id := c.arg[argGroup]
	if id == "" {
		return 0, nil
	}
	k, err := c.mb.FindGroup(id)
	if err == nil {
		_, err = c.mb.Group(k)
	}
	return k, storeFault(err)
}

func listCalendars(c *call) *fault {
	group, f := c.groupKey()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[calendar])
	page, total, next := collected(c, calendars, p, c.mb.Calendars(group))
	return writeList(c, calendars, p, c.userContext()+"/calendars", page, total, next)
}

func getCalendar(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	got, err := c.mb.Calendar(k)
	if err != nil {
		return storeFault(err)
	}
	return c.writeCalendar(http.StatusOK, got)
}

func (c *call) writeCalendar(status int, k calendar) *fault {
	if status == http.StatusCreated {
		c.location("/calendars('" + c.mb.FolderID(k.Key) + "')")
	}
	return writeOne(c, calendars, status, c.userContext()+"/calendars", "", k)
}

var calendarColors = []string{"auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink", "lightBrown", "lightRed", "maxColor"}

var calendarSetters = map[string]setter[calendar]{
	"name": func(k calendar, n *jsonNode) (f *fault) { k.Name, f = n.string(); return },
	"color": func(k calendar, n *jsonNode) (f *fault) {
		k.Color, f = n.word("microsoft.graph.calendarColor", calendarColors...)
		return
	},
}

var calendarReadOnly = names("id", "hexColor", "isDefaultCalendar", "changeKey", "canShare", "canViewPrivateItems", "canEdit", "allowedOnlineMeetingProviders",
	"defaultOnlineMeetingProvider", "isTallyingResponses", "isRemovable", "owner", "singleValueExtendedProperties", "multiValueExtendedProperties")

func (c *call) readCalendar() (*jsonNode, *fault) {
	body, f := c.readObject()
	if f != nil {
		return nil, f
	}
	return body, apply(&store.Calendar{}, body, "microsoft.graph.calendar", calendarSetters, calendarReadOnly)
}

func createCalendar(c *call) *fault {
	group, f := c.groupKey()
	if f != nil {
		return f
	}
	body, f := c.readCalendar()
	if f != nil {
		return f
	}
	draft := &store.Calendar{}
	apply(draft, body, "", calendarSetters, calendarReadOnly)
	if draft.Name == "" {
		return badCode("ErrorInvalidRequest", "The name of a calendar is required.")
	}
	made, err := c.mb.CreateCalendar(group, draft.Name, draft.Color)
	if err != nil {
		return storeFault(err)
	}
	return c.writeCalendar(http.StatusCreated, made)
}

func updateCalendar(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	body, f := c.readCalendar()
	if f != nil {
		return f
	}
	changed, err := c.mb.UpdateCalendar(k, func(x *store.Calendar) { apply(x, body, "", calendarSetters, calendarReadOnly) })
	if err != nil {
		return storeFault(err)
	}
	return c.writeCalendar(http.StatusOK, changed)
}

func deleteCalendar(c *call) *fault {
	k, f := c.calendarKey()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteCalendar(k); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func listGroups(c *call) *fault {
	p := c.plan.(*plan[calendarGroup])
	page, total, next := collected(c, calendarGroups, p, c.mb.Groups())
	return writeList(c, calendarGroups, p, c.userContext()+"/calendarGroups", page, total, next)
}

func (c *call) writeGroup(status int, g calendarGroup) *fault {
	if status == http.StatusCreated {
		c.location("/calendarGroups('" + c.mb.FolderID(g.Key) + "')")
	}
	return writeOne(c, calendarGroups, status, c.userContext()+"/calendarGroups", "", g)
}

func getGroup(c *call) *fault {
	k, f := c.groupKey()
	if f != nil {
		return f
	}
	g, err := c.mb.Group(k)
	if err != nil {
		return storeFault(err)
	}
	return c.writeGroup(http.StatusOK, g)
}

func (c *call) readGroupName() (string, *fault) {
	body, f := c.readObject()
	if f != nil {
		return "", f
	}
	if f := body.only("microsoft.graph.calendarGroup", "name", "id", "classId", "changeKey"); f != nil {
		return "", f
	}
	n := body.param("name")
	if n == nil || strings.TrimSpace(n.text) == "" {
		return "", badCode("ErrorInvalidRequest", "The name of a calendar group is required.")
	}
	return n.text, nil
}

func createGroup(c *call) *fault {
	name, f := c.readGroupName()
	if f != nil {
		return f
	}
	g, err := c.mb.CreateGroup(name)
	if err != nil {
		return storeFault(err)
	}
	return c.writeGroup(http.StatusCreated, g)
}

func updateGroup(c *call) *fault {
	k, f := c.groupKey()
	if f != nil {
		return f
	}
	name, f := c.readGroupName()
	if f != nil {
		return f
	}
	g, err := c.mb.UpdateGroup(k, name)
	if err != nil {
		return storeFault(err)
	}
	return c.writeGroup(http.StatusOK, g)
}

func deleteGroup(c *call) *fault {
	k, f := c.groupKey()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteGroup(k); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}
