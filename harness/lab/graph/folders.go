package graph

import (
	"net/http"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type folder = *store.Folder

// folders is the type mailFolder; folders carry neither etag nor change key.
var folders = newSchema(schema[folder]{
	name: "mailFolder", annotate: annotateFolder,
	links:  []string{"childfolders", "messages", "messagerules", "singlevalueextendedproperties", "multivalueextendedproperties"},
	expand: []string{"childfolders", "singlevalueextendedproperties", "multivalueextendedproperties"},
	fields: []*field[folder]{
		{name: "id", emit: func(b []byte, e *encoder, f folder) []byte { return e.appendFolderID(b, f.Key) }},
		{name: "displayName", kind: odata.String, value: func(f folder) odata.Value { return odata.Text(f.Name) },
			emit: func(b []byte, _ *encoder, f folder) []byte { return appendString(b, f.Name) }},
		{name: "parentFolderId", emit: func(b []byte, e *encoder, f folder) []byte { return e.appendFolderID(b, f.Parent) }},
		{name: "childFolderCount", kind: odata.Number, value: func(f folder) odata.Value { return odata.Int(f.Children) },
			emit: func(b []byte, _ *encoder, f folder) []byte { return appendInt(b, f.Children) }},
		{name: "unreadItemCount", kind: odata.Number, value: func(f folder) odata.Value { return odata.Int(f.Unread) },
			emit: func(b []byte, _ *encoder, f folder) []byte { return appendInt(b, f.Unread) }},
		{name: "totalItemCount", kind: odata.Number, value: func(f folder) odata.Value { return odata.Int(f.Total) },
			emit: func(b []byte, _ *encoder, f folder) []byte { return appendInt(b, f.Total) }},
		{name: "isHidden", kind: odata.Bool, value: func(f folder) odata.Value { return odata.Flag(f.Hidden) },
			emit: func(b []byte, _ *encoder, f folder) []byte { return appendBool(b, f.Hidden) }},
		{name: "isSupported", has: isSearch, emit: func(b []byte, _ *encoder, f folder) []byte { return append(b, "true"...) }},
		{name: "includeNestedFolders", has: isSearch, emit: func(b []byte, _ *encoder, f folder) []byte { return appendBool(b, f.Search.Nested) }},
		{name: "sourceFolderIds", has: isSearch, emit: func(b []byte, _ *encoder, f folder) []byte { return appendStrings(b, f.Search.Sources) }},
		{name: "filterQuery", has: isSearch, emit: func(b []byte, _ *encoder, f folder) []byte { return appendText(b, f.Search.Filter) }},
	},
})

func isSearch(f folder) bool { return f.Search != nil }

func annotateFolder(b []byte, _ *encoder, f folder) []byte {
	if f.Search != nil {
		return append(b, `"@odata.type":"#microsoft.graph.mailSearchFolder",`...)
	}
	return b
}

func (e *encoder) appendChildFolders(b []byte, f folder) []byte {
	list, err := e.mb.Folders(f.Key, false)
	if err != nil {
		return b
	}
	inner := *e
	inner.expand = nil
	b = append(b, `"childFolders":[`...)
	for i, child := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = folders.item(b, &inner, folders.defaults(), child)
	}
	return append(b, ']', ',')
}

func (c *call) foldersContext() string {
	if ref := c.arg[argFolder]; ref != "" {
		return c.userContext() + "/mailFolders('" + contextKey(ref) + "')/childFolders"
	}
	return c.userContext() + "/mailFolders"
}

// collected filters, sorts and cuts a small collection that is all in memory.
func collected[T any](c *call, s *schema[T], p *plan[T], all []T) (page []T, total, next int) {
	if p.keep != nil {
		kept := all[:0:0]
		for _, v := range all {
			if p.keep(v) {
				kept = append(kept, v)
			}
		}
		all = kept
	}
	if p.compare != nil {
		all = sorted(all, p.compare)
	}
	total = len(all)
	all = all[min(p.q.Skip, total):]
	if n := s.page(c, p); len(all) > n {
		return all[:n], total, p.q.Skip + n
	}
	return all, total, 0
}

// children lists the folders that the path names: those at the top or below one.
func (c *call) children() ([]folder, *fault) {
	parent := store.Key(0)
	if c.arg[argFolder] != "" {
		var f *fault
		if parent, f = c.messageFolder(); f != nil {
			return nil, f
		}
	}
	hidden := strings.EqualFold(c.plan.(*plan[folder]).q.Other["includehiddenfolders"], "true")
	list, err := c.mb.Folders(parent, hidden)
	return list, storeFault(err)
}

func listFolders(c *call) *fault {
	list, f := c.children()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[folder])
	page, total, next := collected(c, folders, p, list)
	return writeList(c, folders, p, c.foldersContext(), page, total, next)
}

func countFolders(c *call) *fault {
	list, f := c.children()
	if f != nil {
		return f
	}
	_, total, _ := collected(c, folders, c.plan.(*plan[folder]), list)
	return c.countOnly(total)
}

func (c *call) writeFolder(status int, f folder) *fault {
	if status == http.StatusCreated {
		c.location("/mailFolders('" + c.mb.FolderID(f.Key) + "')")
	}
	return writeOne(c, folders, status, c.userContext()+"/mailFolders", "", f)
}

func getFolder(c *call) *fault {
	k, f := c.messageFolder()
	if f != nil {
		return f
	}
	got, err := c.mb.Folder(k)
	if err != nil {
		return storeFault(err)
	}
	return c.writeFolder(http.StatusOK, got)
}

func createFolder(c *call) *fault {
	parent, f := c.messageFolder()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	draft := &store.Folder{}
	if f := applyFolder(draft, body); f != nil {
		return f
	}
	if draft.Name == "" {
		return badCode("ErrorInvalidRequest", "The displayName of a folder is required.")
	}
	made, err := c.mb.CreateFolder(parent, draft.Name, func(x *store.Folder) { applyFolder(x, body) })
	if err != nil {
		return storeFault(err)
	}
	return c.writeFolder(http.StatusCreated, made)
}

func updateFolder(c *call) *fault {
	k, f := c.messageFolder()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := applyFolder(&store.Folder{}, body); f != nil {
		return f
	}
	changed, err := c.mb.UpdateFolder(k, func(x *store.Folder) {
		hidden := x.Hidden
		applyFolder(x, body)
		x.Hidden = hidden
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeFolder(http.StatusOK, changed)
}

func applyFolder(x *store.Folder, body *jsonNode) *fault {
	typ := "microsoft.graph.mailFolder"
	setters := folderSetters
	if strings.EqualFold(body.odataType(), "microsoft.graph.mailSearchFolder") {
		if x.Search == nil {
			x.Search = &store.SearchFolder{}
		} else {
			copied := *x.Search
			x.Search = &copied
		}
		typ, setters = "microsoft.graph.mailSearchFolder", searchFolderSetters
	}
	return apply(x, body, typ, setters, folderReadOnly)
}

var folderReadOnly = names("id", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "isSupported")

var folderSetters = map[string]setter[folder]{
	"displayName": func(x folder, n *jsonNode) (f *fault) { x.Name, f = n.string(); return },
	"isHidden":    func(x folder, n *jsonNode) (f *fault) { x.Hidden, f = n.bool(); return },
	"singleValueExtendedProperties": func(x folder, n *jsonNode) (f *fault) {
		x.Extended, f = readExtended(x.Extended, n, false)
		return
	},
	"multiValueExtendedProperties": func(x folder, n *jsonNode) (f *fault) {
		x.Extended, f = readExtended(x.Extended, n, true)
		return
	},
}

var searchFolderSetters = map[string]setter[folder]{
	"displayName":          folderSetters["displayName"],
	"includeNestedFolders": func(x folder, n *jsonNode) (f *fault) { x.Search.Nested, f = n.bool(); return },
	"sourceFolderIds":      func(x folder, n *jsonNode) (f *fault) { x.Search.Sources, f = n.strings(); return },
	"filterQuery":          func(x folder, n *jsonNode) (f *fault) { x.Search.Filter, f = n.string(); return },
}

func deleteFolder(c *call) *fault {
	k, f := c.messageFolder()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteFolder(k); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func moveFolder(c *call) *fault { return c.transferFolder((*store.Mailbox).MoveFolder) }

func copyFolder(c *call) *fault { return c.transferFolder((*store.Mailbox).CopyFolder) }

func (c *call) transferFolder(act func(*store.Mailbox, store.Key, store.Key) (folder, error)) *fault {
	k, f := c.messageFolder()
	if f != nil {
		return f
	}
	to, f := c.destination()
	if f != nil {
		return f
	}
	got, err := act(c.mb, k, to)
	if err != nil {
		return storeFault(err)
	}
	return c.writeFolder(http.StatusOK, got)
}
