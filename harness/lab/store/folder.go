package store

import (
	"cmp"
	"slices"
	"strings"
)

// Folder is a mail folder with its counts at the moment of the snapshot.
type Folder struct {
	Key       Key
	Parent    Key
	Name      string
	WellKnown string // lower-case well-known name, "" for others
	Hidden    bool
	Children  int // immediate child folders
	Total     int // items of all kinds
	Unread    int
	Change    uint64
	Search    *SearchFolder
	Extended  []Property
}

// SearchFolder is what makes a folder a search folder.
type SearchFolder struct {
	Nested  bool
	Sources []string
	Filter  string
}

// folder is the live state behind Folder, guarded by the mailbox lock.
type folder struct {
	Folder
	entries []*entry // newest first
	gone    graves
}

// wellKnown lists the 17 well-known folders: name, display name, where it
// hangs ("" the root) and whether lists leave it out.
var wellKnown = []struct {
	name, display, parent string
	hidden                bool
}{
	{"msgfolderroot", "Top of Information Store", "-", true},
	{"inbox", "Inbox", "", false}, {"drafts", "Drafts", "", false}, {"sentitems", "Sent Items", "", false},
	{"deleteditems", "Deleted Items", "", false}, {"archive", "Archive", "", false}, {"junkemail", "Junk Email", "", false},
	{"outbox", "Outbox", "", false}, {"conversationhistory", "Conversation History", "", false},
	{"clutter", "Clutter", "", true}, {"syncissues", "Sync Issues", "", true},
	{"conflicts", "Conflicts", "syncissues", true}, {"localfailures", "Local Failures", "syncissues", true},
	{"serverfailures", "Server Failures", "syncissues", true}, {"scheduled", "Scheduled", "", true},
	{"searchfolders", "Finder", "-", true}, {"recoverableitemsdeletions", "Deletions", "-", true},
}

// Keys of the folders that the package itself needs.
var (
	RootFolder     = newKey(FolderSort, 1)
	InboxFolder    = newKey(FolderSort, 2)
	DraftsFolder   = newKey(FolderSort, 3)
	SentFolder     = newKey(FolderSort, 4)
	DeletedFolder  = newKey(FolderSort, 5)
	ArchiveFolder  = newKey(FolderSort, 6)
	JunkFolder     = newKey(FolderSort, 7)
	purgesFolder   = newKey(FolderSort, 17)
	firstOwnFolder = uint64(32)
)

// ownFolders are the folders that every generated mailbox has besides the
// well-known ones. The number is the parent's place in this list, plus one.
var ownFolders = []struct {
	name   string
	parent int
}{
	{"Projects", 0}, {"Projekt Größe", 1}, {"Проект", 1}, {"Travel", 0}, {"Suppliers", 0}, {"2025", 5}, {"顧客", 0}, {"Receipts", 0},
}

func seedFolders(sec *mailSection) {
	byName := map[string]Key{"": RootFolder, "-": 0}
	for i, w := range wellKnown {
		k := newKey(FolderSort, uint64(i+1))
		byName[w.name] = k
		sec.folders[k] = &folder{Folder: Folder{Key: k, Parent: byName[w.parent], Name: w.display, WellKnown: w.name, Hidden: w.hidden}}
	}
	for i, o := range ownFolders {
		k := newKey(FolderSort, firstOwnFolder+uint64(i))
		parent := RootFolder
		if o.parent > 0 {
			parent = newKey(FolderSort, firstOwnFolder+uint64(o.parent-1))
		}
		sec.folders[k] = &folder{Folder: Folder{Key: k, Parent: parent, Name: o.name}}
	}
	for _, f := range sec.folders {
		if p := sec.folders[f.Parent]; p != nil && !f.Hidden {
			p.Children++
		}
	}
}

// FindFolder resolves a well-known name, in any case, or an id.
func (m *Mailbox) FindFolder(ref string) (Key, error) {
	if len(ref) < 32 {
		for i := range wellKnown {
			if strings.EqualFold(wellKnown[i].name, ref) {
				return newKey(FolderSort, uint64(i+1)), nil
			}
		}
	}
	r, err := m.parseSort(ref, FolderSort)
	return r.Key, err
}

func (f *folder) snapshot() *Folder {
	c := f.Folder
	c.Total = len(f.entries)
	return &c
}

// Folder returns one folder.
func (m *Mailbox) Folder(k Key) (*Folder, error) {
	sec := m.openMail()
	defer m.mu.RUnlock()
	f := sec.folders[k]
	if f == nil {
		return nil, ErrNotFound
	}
	return f.snapshot(), nil
}

// Folders lists the immediate children of parent (0: the root), by name. hidden
// folders are left out unless asked for.
func (m *Mailbox) Folders(parent Key, hidden bool) ([]*Folder, error) {
	if parent == 0 {
		parent = RootFolder
	}
	sec := m.openMail()
	defer m.mu.RUnlock()
	if sec.folders[parent] == nil {
		return nil, ErrNotFound
	}
	return sec.list(func(f *folder) bool { return f.Parent == parent && (hidden || !f.Hidden) }), nil
}

// AllFolders lists the whole hierarchy below the root, hidden folders too, by name.
func (m *Mailbox) AllFolders() []*Folder {
	sec := m.openMail()
	defer m.mu.RUnlock()
	return sec.list(func(f *folder) bool { return f.Parent != 0 })
}

func (s *mailSection) list(keep func(*folder) bool) []*Folder {
	var all []*Folder
	for _, f := range s.folders {
		if keep(f) {
			all = append(all, f.snapshot())
		}
	}
	slices.SortFunc(all, func(a, b *Folder) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return cmp.Compare(a.Key, b.Key)
	})
	return all
}

// sorted is the live folders that keep wants, in the order of their keys.
func (s *mailSection) sorted(keep func(*folder) bool) []*folder {
	var all []*folder
	for _, f := range s.folders {
		if keep(f) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *folder) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// CreateFolder makes a folder under parent (0: the root). ErrExists: parent has
// a child of that name.
func (m *Mailbox) CreateFolder(parent Key, name string, edit func(*Folder)) (*Folder, error) {
	if parent == 0 {
		parent = RootFolder
	}
	sec := m.lockMail()
	defer m.mu.Unlock()
	p := sec.folders[parent]
	if p == nil {
		return nil, ErrNotFound
	}
	if sec.named(parent, name) != nil {
		return nil, ErrExists
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	m.store.written.Add(smallCost)
	f := &folder{Folder: Folder{Name: name}}
	if edit != nil {
		edit(&f.Folder)
	}
	f.Key, f.Parent, f.Change = m.newSerial(FolderSort), parent, m.next()
	sec.folders[f.Key] = f
	if !f.Hidden {
		p.Children++
	}
	m.log(Created, f.Key)
	return f.snapshot(), nil
}

func (s *mailSection) named(parent Key, name string) *folder {
	for _, f := range s.folders {
		if f.Parent == parent && strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// UpdateFolder changes name, hidden or search of a folder.
func (m *Mailbox) UpdateFolder(k Key, edit func(*Folder)) (*Folder, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	f := sec.folders[k]
	if f == nil {
		return nil, ErrNotFound
	}
	c := f.Folder
	edit(&c)
	if other := sec.named(f.Parent, c.Name); other != nil && other != f {
		return nil, ErrExists
	}
	c.Key, c.Parent, c.Change = f.Key, f.Parent, m.next()
	f.Folder = c
	m.log(Changed, k)
	return f.snapshot(), nil
}

// MoveFolder hangs a folder under another one. Its id stays.
func (m *Mailbox) MoveFolder(k, to Key) (*Folder, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	f, dest := sec.folders[k], sec.folders[to]
	if f == nil || dest == nil {
		return nil, ErrNotFound
	}
	if f.WellKnown != "" || sec.below(to, k) {
		return nil, ErrDistinguished
	}
	if other := sec.named(to, f.Name); other != nil && other != f {
		return nil, ErrExists
	}
	if p := sec.folders[f.Parent]; p != nil && !f.Hidden {
		p.Children--
		dest.Children++
	}
	f.Parent, f.Change = to, m.next()
	m.log(Changed, k)
	return f.snapshot(), nil
}

// below says whether k is top or stands somewhere under it.
func (s *mailSection) below(k, top Key) bool {
	for range 300 { // the documented depth of a hierarchy
		if k == top {
			return true
		}
		f := s.folders[k]
		if f == nil {
			return false
		}
		k = f.Parent
	}
	return true
}

// DeleteFolder removes a folder with all below it. Well-known folders stay:
// ErrDistinguished.
func (m *Mailbox) DeleteFolder(k Key) error {
	sec := m.lockMail()
	defer m.mu.Unlock()
	f := sec.folders[k]
	if f == nil {
		return ErrNotFound
	}
	if f.WellKnown != "" {
		return ErrDistinguished
	}
	doomed := sec.sorted(func(c *folder) bool { return sec.below(c.Key, k) })
	if p := sec.folders[f.Parent]; p != nil && !f.Hidden {
		p.Children--
	}
	for _, d := range doomed {
		for _, e := range slices.Clone(d.entries) {
			m.purge(sec, e)
			m.log(Deleted, newKey(MessageSort, uint64(e.serial)))
		}
		delete(sec.folders, d.Key)
		sec.goneFolders.add(m.next(), Ref{Key: d.Key})
		m.log(Deleted, d.Key)
	}
	return nil
}

// CopyFolder copies a folder with its messages and child folders.
func (m *Mailbox) CopyFolder(k, to Key) (*Folder, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	f := sec.folders[k]
	if f == nil || sec.folders[to] == nil {
		return nil, ErrNotFound
	}
	if sec.below(to, k) {
		return nil, ErrDistinguished
	}
	if sec.named(to, f.Name) != nil {
		return nil, ErrExists
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	return m.copyFolder(sec, f, to).snapshot(), nil
}

func (m *Mailbox) copyFolder(sec *mailSection, f *folder, to Key) *folder {
	c := &folder{Folder: Folder{Key: m.newSerial(FolderSort), Parent: to, Name: f.Name, Hidden: f.Hidden, Search: f.Search, Change: m.next()}}
	sec.folders[c.Key] = c
	if p := sec.folders[to]; p != nil && !c.Hidden {
		p.Children++
	}
	m.log(Created, c.Key)
	for _, e := range f.entries {
		m.copyEntry(sec, e, c)
	}
	for _, x := range sec.sorted(func(x *folder) bool { return x.Parent == f.Key && x != c }) {
		m.copyFolder(sec, x, c.Key)
	}
	return c
}
