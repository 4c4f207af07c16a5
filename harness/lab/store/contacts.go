package store

import (
	"slices"
	"strings"
)

// contactSection is the contacts of a mailbox, guarded by the mailbox lock.
type contactSection struct {
	folders     []*ContactFolder
	contacts    []*Contact // oldest creation first
	gone        map[Key]*graves
	goneFolders graves
	changes     map[Key]uint64 // of folders
}

// DefaultContacts is the default contact folder.
var DefaultContacts = newKey(ContactFolderSort, 1)

func contactKey(c *Contact) Key             { return c.Key }
func contactFolderKey(f *ContactFolder) Key { return f.Key }

func (m *Mailbox) openContacts() *contactSection {
	m.mu.RLock()
	if m.contacts != nil {
		return m.contacts
	}
	m.mu.RUnlock()
	m.lockContacts()
	m.mu.Unlock()
	m.mu.RLock()
	return m.contacts
}

func (m *Mailbox) lockContacts() *contactSection {
	m.mu.Lock()
	if m.contacts == nil {
		m.contacts = m.generateContacts()
	}
	return m.contacts
}

// Ref is what ids of the contact are made of.
func (c *Contact) Ref() Ref { return Ref{Key: c.Key} }

// ContactFolders lists the children of a contact folder, or for parent 0 all at
// the top, the default folder first.
func (m *Mailbox) ContactFolders(parent Key) []*ContactFolder {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	var list []*ContactFolder
	for _, f := range sec.folders {
		if f.Parent == parent || parent == 0 && f.Parent == DefaultContacts {
			list = append(list, f)
		}
	}
	return list
}

// ContactFolder returns one contact folder.
func (m *Mailbox) ContactFolder(k Key) (*ContactFolder, error) {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	return byKey(sec.folders, k, contactFolderKey)
}

// FindContactFolder resolves the id of a contact folder, or the name contacts.
func (m *Mailbox) FindContactFolder(id string) (Key, error) {
	if strings.EqualFold(id, "contacts") {
		return DefaultContacts, nil
	}
	r, err := m.parseSort(id, ContactFolderSort)
	return r.Key, err
}

// CreateContactFolder makes a contact folder under parent (0: the default one).
func (m *Mailbox) CreateContactFolder(parent Key, name string) (*ContactFolder, error) {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	if parent == 0 {
		parent = DefaultContacts
	}
	if _, err := byKey(sec.folders, parent, contactFolderKey); err != nil {
		return nil, err
	}
	if sec.taken(parent, name, 0) {
		return nil, ErrExists
	}
	f := &ContactFolder{Key: m.newSerial(ContactFolderSort), Parent: parent, Name: name}
	sec.folders = append(sec.folders, f)
	sec.changes[f.Key] = m.next()
	m.log(Created, f.Key)
	return f, nil
}

func (s *contactSection) taken(parent Key, name string, except Key) bool {
	return slices.ContainsFunc(s.folders, func(f *ContactFolder) bool {
		return f.Parent == parent && f.Key != except && strings.EqualFold(f.Name, name)
	})
}

// UpdateContactFolder changes name or parent of a contact folder.
func (m *Mailbox) UpdateContactFolder(k Key, edit func(*ContactFolder)) (*ContactFolder, error) {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	old, err := byKey(sec.folders, k, contactFolderKey)
	if err != nil {
		return nil, err
	}
	f := *old
	edit(&f)
	if _, err := byKey(sec.folders, f.Parent, contactFolderKey); err != nil && !old.Default {
		return nil, err
	}
	if sec.taken(f.Parent, f.Name, k) {
		return nil, ErrExists
	}
	f.Key, f.Default = old.Key, old.Default
	sec.folders[slices.Index(sec.folders, old)] = &f
	sec.changes[k] = m.next()
	m.log(Changed, k)
	return &f, nil
}

// DeleteContactFolder removes a contact folder with its contacts and child folders.
func (m *Mailbox) DeleteContactFolder(k Key) error {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	f, err := byKey(sec.folders, k, contactFolderKey)
	if err != nil {
		return err
	}
	if f.Default {
		return ErrDistinguished
	}
	m.dropContactFolder(sec, f)
	m.log(Deleted, k)
	return nil
}

func (m *Mailbox) dropContactFolder(sec *contactSection, f *ContactFolder) {
	for _, c := range slices.Clone(sec.folders) {
		if c.Parent == f.Key {
			m.dropContactFolder(sec, c)
		}
	}
	sec.contacts = slices.DeleteFunc(sec.contacts, func(c *Contact) bool { return c.Folder == f.Key })
	sec.folders = slices.DeleteFunc(sec.folders, func(x *ContactFolder) bool { return x == f })
	sec.goneFolders.add(m.next(), Ref{Key: f.Key})
}

// ContactQuery selects contacts. The zero value is all of them, oldest creation first.
type ContactQuery struct {
	Skip, Top int
	Keep      func(*Contact) bool
	Compare   func(a, b *Contact) int
}

// Contacts lists the contacts of a folder (0: the default one).
func (m *Mailbox) Contacts(folder Key, q ContactQuery) (Page[*Contact], error) {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	if folder == 0 {
		folder = DefaultContacts
	}
	if _, err := byKey(sec.folders, folder, contactFolderKey); err != nil {
		return Page[*Contact]{}, err
	}
	var kept []*Contact
	for _, c := range sec.contacts {
		if c.Folder == folder && (q.Keep == nil || q.Keep(c)) {
			kept = append(kept, c)
		}
	}
	if q.Compare != nil {
		slices.SortStableFunc(kept, q.Compare)
	}
	return cut(kept, q.Skip, q.Top), nil
}

// Contact returns one contact.
func (m *Mailbox) Contact(r Ref) (*Contact, error) {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	return byKey(sec.contacts, r.Key, contactKey)
}

// FindContact resolves the text of an id.
func (m *Mailbox) FindContact(id string) (*Contact, error) {
	r, err := m.parseSort(id, ContactSort)
	if err != nil {
		return nil, err
	}
	return m.Contact(r)
}

// CreateContact makes a contact in a folder (0: the default one). DisplayName
// and FileAs are made of the name parts unless edit sets them.
func (m *Mailbox) CreateContact(folder Key, edit func(*Contact) error) (*Contact, error) {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	if folder == 0 {
		folder = DefaultContacts
	}
	if _, err := byKey(sec.folders, folder, contactFolderKey); err != nil {
		return nil, err
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	c := &Contact{Created: m.now(), Modified: m.now()}
	if err := edit(c); err != nil {
		return nil, err
	}
	c.Key, c.Folder, c.Change, c.owner = m.newSerial(ContactSort), folder, m.next(), m
	c.nameAfter(&Contact{})
	sec.contacts = append(sec.contacts, c)
	m.store.written.Add(smallCost)
	m.log(Created, c.Key)
	return c, nil
}

// nameAfter generates the display name and file-as of changed name parts, where
// the change did not set them.
func (c *Contact) nameAfter(old *Contact) {
	if c.GivenName == old.GivenName && c.MiddleName == old.MiddleName && c.Surname == old.Surname {
		return
	}
	if c.DisplayName == old.DisplayName {
		c.DisplayName = strings.Join(strings.Fields(c.GivenName+" "+c.MiddleName+" "+c.Surname), " ")
	}
	if c.FileAs == old.FileAs {
		given := strings.TrimSpace(c.GivenName + " " + c.MiddleName)
		switch {
		case c.Surname == "":
			c.FileAs = given
		case given == "":
			c.FileAs = c.Surname
		default:
			c.FileAs = c.Surname + ", " + given
		}
	}
}

// UpdateContact changes a contact.
func (m *Mailbox) UpdateContact(r Ref, ifMatch string, edit func(*Contact) error) (*Contact, error) {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	old, err := byKey(sec.contacts, r.Key, contactKey)
	if err != nil {
		return nil, err
	}
	if !m.matches(ifMatch, old.Change) {
		return nil, ErrConflict
	}
	c := *old
	if err := edit(&c); err != nil {
		return nil, err
	}
	c.Key, c.Folder, c.Change, c.Modified = old.Key, old.Folder, m.next(), m.now()
	c.nameAfter(old)
	sec.contacts[slices.Index(sec.contacts, old)] = &c
	m.log(Changed, c.Key)
	return &c, nil
}

// DeleteContact removes a contact.
func (m *Mailbox) DeleteContact(r Ref, ifMatch string) error {
	sec := m.lockContacts()
	defer m.mu.Unlock()
	c, err := byKey(sec.contacts, r.Key, contactKey)
	if err != nil {
		return err
	}
	if !m.matches(ifMatch, c.Change) {
		return ErrConflict
	}
	at := slices.Index(sec.contacts, c)
	sec.contacts = slices.Delete(sec.contacts, at, at+1)
	if c.Key.serial() >= createdSerial {
		m.store.written.Add(-smallCost)
	}
	if sec.gone[c.Folder] == nil {
		sec.gone[c.Folder] = &graves{}
	}
	sec.gone[c.Folder].add(m.next(), c.Ref())
	m.log(Deleted, c.Key)
	return nil
}
