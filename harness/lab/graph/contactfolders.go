package graph

import (
	"net/http"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type contactFolder = *store.ContactFolder

// contactFolders is the type contactFolder.
var contactFolders = newSchema(schema[contactFolder]{
	name: "contactFolder", links: []string{"childfolders", "contacts", "singlevalueextendedproperties", "multivalueextendedproperties"},
	fields: []*field[contactFolder]{
		{name: "id", emit: func(b []byte, e *encoder, f contactFolder) []byte { return e.appendFolderID(b, f.Key) }},
		{name: "parentFolderId", emit: func(b []byte, e *encoder, f contactFolder) []byte { return e.appendFolderID(b, f.Parent) }},
		{name: "displayName", kind: odata.String, value: func(f contactFolder) odata.Value { return odata.Text(f.Name) },
			emit: func(b []byte, _ *encoder, f contactFolder) []byte { return appendString(b, f.Name) }},
	},
})

// listContactFolders leaves the default folder out, as the service is known to.
func listContactFolders(c *call) *fault {
	parent := store.Key(0)
	context := c.userContext() + "/contactFolders"
	if id := c.arg[argContactFolder]; id != "" {
		var f *fault
		if parent, f = c.contactFolderKey(); f != nil {
			return f
		}
		context += "('" + contextKey(id) + "')/childFolders"
	}
	var list []contactFolder
	for _, x := range c.mb.ContactFolders(parent) {
		if !x.Default {
			list = append(list, x)
		}
	}
	p := c.plan.(*plan[contactFolder])
	page, total, next := collected(c, contactFolders, p, list)
	return writeList(c, contactFolders, p, context, page, total, next)
}

func (c *call) writeContactFolder(status int, x contactFolder) *fault {
	if status == http.StatusCreated {
		c.location("/contactFolders('" + c.mb.FolderID(x.Key) + "')")
	}
	return writeOne(c, contactFolders, status, c.userContext()+"/contactFolders", "", x)
}

func getContactFolder(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	x, err := c.mb.ContactFolder(k)
	if err != nil {
		return storeFault(err)
	}
	return c.writeContactFolder(http.StatusOK, x)
}

// readContactFolder reads name and parent; a parent of 0 was not given.
func (c *call) readContactFolder() (name string, parent store.Key, f *fault) {
	body, f := c.readObject()
	if f != nil {
		return "", 0, f
	}
	if f := body.only("microsoft.graph.contactFolder", "displayName", "parentFolderId", "id"); f != nil {
		return "", 0, f
	}
	if n := body.param("displayName"); n != nil {
		if name, f = n.string(); f != nil {
			return "", 0, f
		}
	}
	if n := body.param("parentFolderId"); n != nil && n.kind == stringNode {
		k, err := c.mb.FindContactFolder(n.text)
		if err != nil {
			return "", 0, storeFault(err)
		}
		parent = k
	}
	return name, parent, nil
}

func createContactFolder(c *call) *fault {
	name, parent, f := c.readContactFolder()
	if f != nil {
		return f
	}
	if name == "" {
		return badCode("ErrorInvalidRequest", "The displayName of a folder is required.")
	}
	if c.arg[argContactFolder] != "" {
		if parent, f = c.contactFolderKey(); f != nil {
			return f
		}
	}
	x, err := c.mb.CreateContactFolder(parent, name)
	if err != nil {
		return storeFault(err)
	}
	return c.writeContactFolder(http.StatusCreated, x)
}

func updateContactFolder(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	name, parent, f := c.readContactFolder()
	if f != nil {
		return f
	}
	x, err := c.mb.UpdateContactFolder(k, func(x *store.ContactFolder) {
		if name != "" {
			x.Name = name
		}
		if parent != 0 {
			x.Parent = parent
		}
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeContactFolder(http.StatusOK, x)
}

func deleteContactFolder(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteContactFolder(k); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}
