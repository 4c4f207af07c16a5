package graph

import (
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/store"
)

// extensionPrefix begins the id of an open extension when it is read back.
const extensionPrefix = "microsoft.graph.openTypeExtension."

// extended is an item of the path with its open extensions, and how to replace
// them.
type extended struct {
	list    []store.Extension
	context string
	save    func([]store.Extension) error
}

func (c *call) extended() (x extended, f *fault) {
	switch {
	case c.arg[argEvent] != "":
		e, f := c.event()
		if f != nil {
			return x, f
		}
		return extended{e.Extensions, c.userContext() + "/events('" + contextKey(c.arg[argEvent]) + "')/extensions", func(l []store.Extension) error {
			_, err := c.mb.TouchEvent(e.Ref(), func(x *store.Event) error { x.Extensions = l; return nil })
			return err
		}}, nil
	case c.arg[argContact] != "":
		k, f := c.contact()
		if f != nil {
			return x, f
		}
		return extended{k.Extensions, c.userContext() + "/contacts('" + contextKey(c.arg[argContact]) + "')/extensions", func(l []store.Extension) error {
			_, err := c.mb.UpdateContact(k.Ref(), "", func(x *store.Contact) error { x.Extensions = l; return nil })
			return err
		}}, nil
	}
	m, f := c.message()
	if f != nil {
		return x, f
	}
	return extended{m.Extensions, c.userContext() + "/messages('" + contextKey(c.arg[argMessage]) + "')/extensions", func(l []store.Extension) error {
		_, err := c.mb.UpdateMessage(c.itemRef(m.Ref()), "", func(x *store.Message) error { x.Extensions = l; return nil })
		return err
	}}, nil
}

func (x extended) find(name string) (int, *fault) {
	name = strings.TrimPrefix(name, extensionPrefix)
	i := slices.IndexFunc(x.list, func(e store.Extension) bool { return strings.EqualFold(e.Name, name) })
	if i < 0 {
		return 0, notFound()
	}
	return i, nil
}

func (c *call) writeExtension(status int, x extended, e store.Extension) *fault {
	b := appendExtension(nil, e)
	return c.writeMembers(status, x.context, string(b[:len(b)-1]))
}

// extensionBody is the free members of an extension, and its name.
func extensionBody(n *jsonNode) (name, members string) {
	kept := &jsonNode{kind: objectNode}
	for _, m := range n.members {
		switch {
		case m.name == "extensionName":
			name = m.value.text
		case m.name == "id", strings.Contains(m.name, "@odata."):
		default:
			kept.members = append(kept.members, m)
		}
	}
	return name, inner(kept)
}

func createExtension(c *call) *fault {
	x, f := c.extended()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	var e store.Extension
	e.Name, e.Members = extensionBody(body)
	if e.Name == "" {
		return badCode("ErrorInvalidRequest", "The extensionName of an extension is required.")
	}
	if _, f := x.find(e.Name); f == nil {
		return &fault{status: http.StatusConflict, code: "ErrorDuplicateExtension", message: "An extension of that name exists already."}
	}
	if len(x.list) >= maxSmall {
		return storeFault(tooMany())
	}
	if err := x.save(append(slices.Clone(x.list), e)); err != nil {
		return storeFault(err)
	}
	return c.writeExtension(http.StatusCreated, x, e)
}

func getExtension(c *call) *fault {
	x, f := c.extended()
	if f != nil {
		return f
	}
	i, f := x.find(c.arg[argName])
	if f != nil {
		return f
	}
	return c.writeExtension(http.StatusOK, x, x.list[i])
}

func updateExtension(c *call) *fault {
	x, f := c.extended()
	if f != nil {
		return f
	}
	i, f := x.find(c.arg[argName])
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	list := slices.Clone(x.list)
	_, list[i].Members = extensionBody(body)
	if err := x.save(list); err != nil {
		return storeFault(err)
	}
	return c.writeExtension(http.StatusOK, x, list[i])
}

func deleteExtension(c *call) *fault {
	x, f := c.extended()
	if f != nil {
		return f
	}
	i, f := x.find(c.arg[argName])
	if f != nil {
		return f
	}
	if err := x.save(slices.Delete(slices.Clone(x.list), i, i+1)); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}
