package onprem

import (
	"cmp"
	"net/http"
	"slices"

	"cutover/harness/lab/store"
)

// filtered applies a question to a small collection.
func filtered[T any](all []*T, q question[T]) (items []*T, more bool, total int) {
	if q.keep != nil {
		all = slices.DeleteFunc(slices.Clone(all), func(x *T) bool { return !q.keep(x) })
	}
	if q.compare != nil {
		all = slices.Clone(all)
		slices.SortStableFunc(all, q.compare)
	}
	total = len(all)
	items = all[min(q.skip, total):]
	if len(items) > q.top {
		return items[:q.top], true, total
	}
	return items, false, total
}

// entityAnswer writes one entity of a table that has an id of a folder's form.
func entityAnswer[T any](c *call, resource string, table []property[T], x *T, key store.Key, status int) (int, error) {
	c.located(status, resource, c.mb.FolderID(key))
	c.context(resource, true)
	start := len(c.b)
	c.annotations(place{collection: resource, folder: key}, 0, "")
	members(&c.render, table, x)
	c.close('}')
	c.b = append(c.b[:start], c.b[start+1:]...)
	return status, nil
}

func entities[T any](c *call, resource, kind string, table []property[T], all []*T, key func(*T) store.Key) (int, error) {
	q, err := ask(c, table, kind)
	if err != nil {
		return 0, err
	}
	items, more, total := filtered(all, q)
	return page(c, resource, items, more, total, func(x *T) {
		c.annotations(place{collection: resource, folder: key(x)}, 0, "")
		members(&c.render, table, x)
		c.close('}')
	})
}

func folderKey(f *store.Folder) store.Key { return f.Key }

func (c *call) folder() (store.Key, error) { return c.mb.FindFolder(c.segments[1]) }

func listFolders(c *call) (int, error) {
	parent, resource := store.Key(0), c.foldersName()
	if len(c.segments) > 1 {
		key, err := c.folder()
		if err != nil {
			return 0, err
		}
		parent, resource = key, c.foldersName()+"('"+c.segments[1]+"')/ChildFolders"
	}
	all, err := c.mb.Folders(parent, c.service.cfg.Quirk("folder.visibility", c.mb))
	if err != nil {
		return 0, err
	}
	return entities(c, resource, "MailFolder", c.service.folderModel(), all, folderKey)
}

func getFolder(c *call) (int, error) {
	key, err := c.folder()
	if err != nil {
		return 0, err
	}
	f, err := c.mb.Folder(key)
	if err == nil {
		err = selected(c, c.service.folderModel(), "MailFolder")
	}
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, c.foldersName(), c.service.folderModel(), f, key, http.StatusOK)
}

// getRootFolder answers the folder above all others, which only v1.0 has a name for.
func getRootFolder(c *call) (int, error) {
	if !c.v1 {
		return 0, unknownSegment(c.written(0))
	}
	f, err := c.mb.Folder(store.RootFolder)
	if err == nil {
		err = selected(c, c.service.folderModel(), "Folder")
	}
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, c.foldersName(), c.service.folderModel(), f, f.Key, http.StatusOK)
}

// foldersName is what the version calls the collection of mail folders.
func (c *call) foldersName() string {
	if c.v1 {
		return "Folders"
	}
	return "MailFolders"
}

// folderBody reads a folder out of a request body.
func (c *call) folderBody() (func(*store.Folder), store.Folder, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return nil, store.Folder{}, err
	}
	changes, err := entity(raw, "MailFolder", c.service.folderModel(), c.v1, nil)
	edit := func(f *store.Folder) {
		for _, change := range changes {
			change(f)
		}
	}
	var probe store.Folder
	edit(&probe)
	return edit, probe, err
}

func createFolder(c *call) (int, error) {
	parent := store.Key(0)
	var err error
	if len(c.segments) > 1 {
		if parent, err = c.folder(); err != nil {
			return 0, err
		}
	}
	_, probe, err := c.folderBody()
	if err != nil {
		return 0, err
	}
	if probe.Name == "" {
		return 0, refusal(http.StatusBadRequest, "ErrorInvalidRequest", "A folder needs a DisplayName.")
	}
	f, err := c.mb.CreateFolder(parent, probe.Name, nil)
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, c.foldersName(), c.service.folderModel(), f, f.Key, http.StatusCreated)
}

func patchFolder(c *call) (int, error) {
	key, err := c.folder()
	if err != nil {
		return 0, err
	}
	edit, _, err := c.folderBody()
	if err != nil {
		return 0, err
	}
	f, err := c.mb.UpdateFolder(key, edit)
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, c.foldersName(), c.service.folderModel(), f, key, http.StatusOK)
}

func deleteFolder(c *call) (int, error) {
	key, err := c.folder()
	if err == nil {
		err = c.mb.DeleteFolder(key)
	}
	return http.StatusNoContent, err
}

func moveFolder(c *call) (int, error) { return c.relocateFolder((*store.Mailbox).MoveFolder) }

func copyFolder(c *call) (int, error) { return c.relocateFolder((*store.Mailbox).CopyFolder) }

func (c *call) relocateFolder(act func(*store.Mailbox, store.Key, store.Key) (*store.Folder, error)) (int, error) {
	key, err := c.folder()
	if err != nil {
		return 0, err
	}
	to, err := c.destination()
	if err != nil {
		return 0, err
	}
	f, err := act(c.mb, key, to)
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, c.foldersName(), c.service.folderModel(), f, f.Key, http.StatusOK)
}

// contact writes one contact.
func (c *call) contact(x *store.Contact) {
	c.annotations(place{collection: "Contacts", item: x.Ref()}, x.Change, "")
	members(&c.render, contactTable, x)
	c.close('}')
}

func (c *call) oneContact(x *store.Contact, status int) (int, error) {
	c.located(status, "Contacts", c.mb.ID(x.Ref(), false))
	c.context("Contacts", true)
	start := len(c.b)
	c.contact(x)
	c.b = append(c.b[:start], c.b[start+1:]...)
	return status, nil
}

// contactFolder is the folder that the path names, 0 for the default one.
func (c *call) contactFolder() (store.Key, string, error) {
	if c.segments[0] == "contacts" {
		return 0, "Contacts", nil
	}
	key, err := c.mb.FindContactFolder(c.segments[1])
	return key, "ContactFolders('" + c.segments[1] + "')/Contacts", err
}

func listContacts(c *call) (int, error) {
	folder, resource, err := c.contactFolder()
	if err != nil {
		return 0, err
	}
	q, err := ask(c, contactTable, "Contact")
	if err != nil {
		return 0, err
	}
	if c.track {
		key := folder
		if key == 0 {
			key = store.DefaultContacts
		}
		return track(c, resource, func(q store.ChangeQuery) (store.Changes[*store.Contact], error) { return c.mb.ContactChanges(key, q) }, c.contact)
	}
	p, err := c.mb.Contacts(folder, store.ContactQuery{Skip: q.skip, Top: q.top, Keep: q.keep, Compare: q.compare})
	if err != nil {
		return 0, err
	}
	return page(c, resource, p.Items, p.More, p.Total, c.contact)
}

func (c *call) findContact() (*store.Contact, error) {
	return c.mb.FindContact(c.segments[len(c.segments)-1])
}

func getContact(c *call) (int, error) {
	x, err := c.findContact()
	if err == nil {
		err = selected(c, contactTable, "Contact")
	}
	if err != nil {
		return 0, err
	}
	return c.oneContact(x, http.StatusOK)
}

func (c *call) contactBody() (func(*store.Contact) error, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return nil, err
	}
	changes, err := entity(raw, "Contact", contactTable, c.v1, nil)
	return func(x *store.Contact) error {
		for _, change := range changes {
			change(x)
		}
		return nil
	}, err
}

func createContact(c *call) (int, error) {
	folder, _, err := c.contactFolder()
	if err != nil {
		return 0, err
	}
	edit, err := c.contactBody()
	if err != nil {
		return 0, err
	}
	x, err := c.mb.CreateContact(folder, edit)
	if err != nil {
		return 0, err
	}
	return c.oneContact(x, http.StatusCreated)
}

func patchContact(c *call) (int, error) {
	x, err := c.findContact()
	if err != nil {
		return 0, err
	}
	edit, err := c.contactBody()
	if err != nil {
		return 0, err
	}
	if x, err = c.mb.UpdateContact(x.Ref(), c.r.Header.Get("If-Match"), edit); err != nil {
		return 0, err
	}
	return c.oneContact(x, http.StatusOK)
}

func deleteContact(c *call) (int, error) {
	x, err := c.findContact()
	if err == nil {
		err = c.mb.DeleteContact(x.Ref(), c.r.Header.Get("If-Match"))
	}
	return http.StatusNoContent, err
}

func contactFolderKey(f *store.ContactFolder) store.Key { return f.Key }

func listContactFolders(c *call) (int, error) {
	parent, resource := store.Key(0), "ContactFolders"
	if len(c.segments) > 1 {
		key, err := c.mb.FindContactFolder(c.segments[1])
		if err != nil {
			return 0, err
		}
		parent, resource = key, "ContactFolders('"+c.segments[1]+"')/ChildFolders"
	}
	all := slices.DeleteFunc(c.mb.ContactFolders(parent), func(f *store.ContactFolder) bool { return f.Default })
	slices.SortStableFunc(all, func(a, b *store.ContactFolder) int { return cmp.Compare(a.Key, b.Key) })
	return entities(c, resource, "ContactFolder", contactFolderTable, all, contactFolderKey)
}

func getContactFolder(c *call) (int, error) {
	key, err := c.mb.FindContactFolder(c.segments[1])
	if err != nil {
		return 0, err
	}
	f, err := c.mb.ContactFolder(key)
	if err == nil {
		err = selected(c, contactFolderTable, "ContactFolder")
	}
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "ContactFolders", contactFolderTable, f, key, http.StatusOK)
}

func createContactFolder(c *call) (int, error) {
	parent := store.Key(0)
	var err error
	if len(c.segments) > 1 {
		if parent, err = c.mb.FindContactFolder(c.segments[1]); err != nil {
			return 0, err
		}
	}
	name, err := c.folderName("ContactFolder")
	if err != nil {
		return 0, err
	}
	f, err := c.mb.CreateContactFolder(parent, name)
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "ContactFolders", contactFolderTable, f, f.Key, http.StatusCreated)
}

func (c *call) folderName(kind string) (string, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return "", err
	}
	changes, err := entity(raw, kind, contactFolderTable, c.v1, nil)
	if err != nil {
		return "", err
	}
	var probe store.ContactFolder
	for _, change := range changes {
		change(&probe)
	}
	if probe.Name == "" {
		return "", refusal(http.StatusBadRequest, "ErrorInvalidRequest", "A folder needs a DisplayName.")
	}
	return probe.Name, nil
}

func patchContactFolder(c *call) (int, error) {
	key, err := c.mb.FindContactFolder(c.segments[1])
	if err != nil {
		return 0, err
	}
	name, err := c.folderName("ContactFolder")
	if err != nil {
		return 0, err
	}
	f, err := c.mb.UpdateContactFolder(key, func(f *store.ContactFolder) { f.Name = name })
	if err != nil {
		return 0, err
	}
	return entityAnswer(c, "ContactFolders", contactFolderTable, f, key, http.StatusOK)
}

func deleteContactFolder(c *call) (int, error) {
	key, err := c.mb.FindContactFolder(c.segments[1])
	if err == nil {
		err = c.mb.DeleteContactFolder(key)
	}
	return http.StatusNoContent, err
}
