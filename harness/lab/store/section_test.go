package store_test

import (
	"testing"
	"time"

	"cutover/harness/lab/store"
)

// step is one act on a mailbox and the refusal that it is expected to meet.
type step struct {
	it   string
	act  func(m *store.Mailbox) error
	want error
}

func steps(t *testing.T, m *store.Mailbox, list []step) {
	t.Helper()
	for _, s := range list {
		t.Run("it "+s.it, func(t *testing.T) {
			if err := s.act(m); err != s.want {
				t.Errorf("%v, want %v", err, s.want)
			}
		})
	}
}

func TestFolders(t *testing.T) {
	_, m := pair(t, 1)
	var a, b, c store.Key
	before := m.Sequence()
	make := func(parent store.Key, name string, to *store.Key) func(*store.Mailbox) error {
		return func(m *store.Mailbox) error {
			f, err := m.CreateFolder(parent, name, nil)
			if err == nil && to != nil {
				*to = f.Key
			}
			return err
		}
	}
	steps(t, m, []step{
		{"makes a folder at the top", make(0, "a", &a), nil},
		{"makes no second of the name", make(0, "A", nil), store.ErrExists},
		{"makes none below nothing", make(store.Key(99), "x", nil), store.ErrNotFound},
		{"makes a child", func(m *store.Mailbox) error { return make(a, "b", &b)(m) }, nil},
		{"makes another top", make(0, "c", &c), nil},
		{"renames", func(m *store.Mailbox) error {
			f, err := m.UpdateFolder(c, func(f *store.Folder) { f.Name = "d" })
			if err == nil && f.Name != "d" {
				t.Errorf("%+v", f)
			}
			return err
		}, nil},
		{"does not rename onto a sibling", func(m *store.Mailbox) error {
			_, err := m.UpdateFolder(c, func(f *store.Folder) { f.Name = "Inbox" })
			return err
		}, store.ErrExists},
		{"does not rename nothing", func(m *store.Mailbox) error { _, err := m.UpdateFolder(99, func(*store.Folder) {}); return err }, store.ErrNotFound},
		{"does not move a folder below itself", func(m *store.Mailbox) error { _, err := m.MoveFolder(a, b); return err }, store.ErrDistinguished},
		{"does not move a well-known folder", func(m *store.Mailbox) error { _, err := m.MoveFolder(store.InboxFolder, a); return err }, store.ErrDistinguished},
		{"moves a folder", func(m *store.Mailbox) error { _, err := m.MoveFolder(b, c); return err }, nil},
		{"copies a folder with all in it", func(m *store.Mailbox) error {
			f, err := m.CopyFolder(c, a)
			if err == nil && f.Children != 1 {
				t.Errorf("%+v", f)
			}
			return err
		}, nil},
		{"does not copy onto a name", func(m *store.Mailbox) error { _, err := m.CopyFolder(c, a); return err }, store.ErrExists},
		{"does not copy into itself", func(m *store.Mailbox) error { _, err := m.CopyFolder(c, b); return err }, store.ErrDistinguished},
		{"does not delete a well-known folder", func(m *store.Mailbox) error { return m.DeleteFolder(store.DraftsFolder) }, store.ErrDistinguished},
		{"deletes a folder with its children", func(m *store.Mailbox) error { return m.DeleteFolder(c) }, nil},
		{"has lost the child too", func(m *store.Mailbox) error { _, err := m.Folder(b); return err }, store.ErrNotFound},
		{"does not delete twice", func(m *store.Mailbox) error { return m.DeleteFolder(c) }, store.ErrNotFound},
		{"lists nothing below nothing", func(m *store.Mailbox) error { _, err := m.Folders(99, false); return err }, store.ErrNotFound},
		{"finds a folder by name in any case", func(m *store.Mailbox) error { _, err := m.FindFolder("SentItems"); return err }, nil},
	})
	ch := m.FolderChanges(store.ChangeQuery{Since: before})
	gone := 0
	for _, x := range ch.Items {
		if x.Gone {
			gone++
		}
	}
	if gone != 2 {
		t.Errorf("%d folders reported as gone, want 2", gone)
	}
	list, err := m.Folders(0, false)
	if err != nil || len(list) != 14 || len(m.AllFolders()) < 24 {
		t.Errorf("%d folders at the top, %d in all: %v", len(list), len(m.AllFolders()), err)
	}
}

func TestContacts(t *testing.T) {
	_, m := pair(t, 1)
	var folder store.Key
	var ref store.Ref
	none := func(*store.Contact) error { return nil }
	steps(t, m, []step{
		{"makes a folder", func(m *store.Mailbox) error {
			f, err := m.CreateContactFolder(0, "New")
			if err == nil {
				folder = f.Key
			}
			return err
		}, nil},
		{"makes no second of the name", func(m *store.Mailbox) error { _, err := m.CreateContactFolder(0, "new"); return err }, store.ErrExists},
		{"makes none below nothing", func(m *store.Mailbox) error { _, err := m.CreateContactFolder(99, "x"); return err }, store.ErrNotFound},
		{"makes a contact and names it", func(m *store.Mailbox) error {
			c, err := m.CreateContact(folder, func(c *store.Contact) error { c.Surname = "Lab"; return nil })
			if err != nil {
				return err
			}
			if ref = c.Ref(); c.DisplayName != "Lab" || c.FileAs != "Lab" {
				t.Errorf("%+v", c)
			}
			return nil
		}, nil},
		{"makes none in nothing", func(m *store.Mailbox) error { _, err := m.CreateContact(99, none); return err }, store.ErrNotFound},
		{"keeps a name that was given with the parts", func(m *store.Mailbox) error {
			c, err := m.UpdateContact(ref, "", func(c *store.Contact) error { c.GivenName, c.DisplayName = "Ana", "Boss"; return nil })
			if err == nil && (c.DisplayName != "Boss" || c.FileAs != "Lab, Ana") {
				t.Errorf("%+v", c)
			}
			return err
		}, nil},
		{"wants the right change key", func(m *store.Mailbox) error { _, err := m.UpdateContact(ref, "x", none); return err }, store.ErrConflict},
		{"wants it to delete, too", func(m *store.Mailbox) error { return m.DeleteContact(ref, "x") }, store.ErrConflict},
		{"moves a folder", func(m *store.Mailbox) error {
			_, err := m.UpdateContactFolder(folder, func(f *store.ContactFolder) { f.Name = "Newer" })
			return err
		}, nil},
		{"does not move a folder to nowhere", func(m *store.Mailbox) error {
			_, err := m.UpdateContactFolder(folder, func(f *store.ContactFolder) { f.Parent = 99 })
			return err
		}, store.ErrNotFound},
		{"keeps the default folder", func(m *store.Mailbox) error { return m.DeleteContactFolder(store.DefaultContacts) }, store.ErrDistinguished},
		{"deletes a contact", func(m *store.Mailbox) error { return m.DeleteContact(ref, "*") }, nil},
		{"does not find it then", func(m *store.Mailbox) error { _, err := m.FindContact(m.ID(ref, false)); return err }, store.ErrNotFound},
		{"deletes a folder", func(m *store.Mailbox) error { return m.DeleteContactFolder(folder) }, nil},
		{"lists nothing in nothing", func(m *store.Mailbox) error { _, err := m.Contacts(folder, store.ContactQuery{}); return err }, store.ErrNotFound},
	})
	page, _ := m.Contacts(0, store.ContactQuery{Top: 2, Keep: func(c *store.Contact) bool { return c.MobilePhone != "" }, Compare: func(a, b *store.Contact) int { return int(b.Key) - int(a.Key) }})
	if len(page.Items) != 2 || !page.More || page.Items[0].Key < page.Items[1].Key || page.Items[0].Mailbox() != m {
		t.Errorf("%+v", page)
	}
	if ch := m.ContactFolderChanges(store.ChangeQuery{}); len(ch.Items) != 3 {
		t.Errorf("%d changes of folders, want 3", len(ch.Items))
	}
}

func TestMeetingsBetweenMailboxes(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 3})
	boss, guest := s.Pairs()[0].Cloud, s.Pairs()[1].OnPrem
	make := func() *store.Event {
		e, err := boss.CreateEvent(0, func(e *store.Event) error {
			e.Subject = "m"
			e.Start, e.End = store.Moment{At: store.Epoch, Zone: "UTC"}, store.Moment{At: store.Epoch.Add(time.Hour), Zone: "UTC"}
			e.Attendees = []store.Attendee{{Address: guest.Address(), Kind: "required", Response: "none"}, {Address: store.Address{Address: "x@y.test"}, Response: "none"}}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	copyOf := func(e *store.Event) store.Ref {
		x, err := guest.FindEventByUID(e.UID)
		if err != nil {
			t.Fatal(err)
		}
		return x.Ref()
	}
	e := make()
	if err := guest.Cancel(copyOf(e), ""); err != store.ErrNotOrganizer {
		t.Errorf("%v", err)
	}
	slot := [2]store.Moment{{At: store.Epoch}, {At: store.Epoch}}
	if err := guest.Respond(copyOf(e), store.Answer{Response: "tentativelyAccepted", Comment: "maybe", Send: true, Proposed: &slot}); err != nil {
		t.Fatal(err)
	}
	if x, _ := boss.Event(e.Ref()); x.Attendees[0].Response != "tentativelyAccepted" || x.Attendees[0].Proposed == nil {
		t.Errorf("%+v", x.Attendees)
	}
	if err := guest.Respond(copyOf(e), store.Answer{Response: "declined", Send: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := guest.FindEventByUID(e.UID); err != store.ErrNotFound {
		t.Errorf("a declined meeting stayed: %v", err)
	}
	e = make()
	if err := boss.Cancel(e.Ref(), "off"); err != nil {
		t.Fatal(err)
	}
	if x, err := guest.FindEventByUID(e.UID); err != nil || !x.Cancelled {
		t.Errorf("%v %v", x, err)
	}
	kinds := map[string]int{}
	for _, m := range []*store.Mailbox{boss, guest} {
		page, _ := m.Messages(store.InboxFolder, store.MessageQuery{Keep: func(x *store.Message) bool { return x.Meeting != nil }})
		for _, x := range page.Items {
			kinds[x.Meeting.Kind]++
		}
	}
	if kinds["meetingRequest"] != 2 || kinds["meetingTenativelyAccepted"] != 1 || kinds["meetingDeclined"] != 1 || kinds["meetingCancelled"] != 1 {
		t.Errorf("%v", kinds)
	}
	mailed := 0
	for _, r := range s.Ledger() {
		if r.Act == store.Mailed {
			mailed++
		}
	}
	if mailed != 5 {
		t.Errorf("%d mailings in the ledger, want 5", mailed)
	}
}

func TestSettingsAndAttachments(t *testing.T) {
	_, m := pair(t, 1)
	before := m.Settings()
	after, err := m.UpdateSettings(func(s *store.Settings, id string, key store.Key) error {
		s.TimeZone = "UTC"
		s.Categories = append(s.Categories, store.Category{ID: id, Name: "n"})
		return nil
	})
	if err != nil || after.TimeZone != "UTC" || len(before.Categories)+1 != len(after.Categories) || m.Settings() != after {
		t.Errorf("%+v %v", after, err)
	}
	if _, ok := after.FindCategory("none such"); ok {
		t.Errorf("it found nothing")
	}
	if _, err := m.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error { s.TimeZone = "x"; return store.ErrConflict }); err != store.ErrConflict || m.Settings() != after {
		t.Errorf("a refused change was kept: %v", err)
	}
	x, _ := m.CreateMessage(0, nil)
	e, _ := m.CreateEvent(0, func(*store.Event) error { return nil })
	for _, ref := range []store.Ref{x.Ref(), e.Ref()} {
		a, err := m.AddAttachment(ref, store.NewFile("a", "text/plain", []byte("hello")))
		if err != nil || a.Key == 0 || string(a.Bytes()) != "hello" {
			t.Fatalf("%+v %v", a, err)
		}
		if found, err := m.FindAttachment([]*store.Attachment{a}, m.ID(store.Ref{Key: a.Key}, false)); err != nil || found != a {
			t.Errorf("%v", err)
		}
		if err := m.RemoveAttachment(ref, a.Key); err != nil {
			t.Error(err)
		}
		if err := m.RemoveAttachment(ref, a.Key); err != store.ErrNotFound {
			t.Errorf("%v", err)
		}
	}
	if _, err := m.AddAttachment(store.Ref{}, store.NewFile("", "", nil)); err != store.ErrNotFound {
		t.Errorf("%v", err)
	}
	if y, _ := m.Message(store.Ref{Key: x.Key, Immutable: true}); y.Attached || y.Size() < 1000 {
		t.Errorf("%+v", y)
	}
}

func TestAStoreDoesNotFillTheHost(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 1, Quota: 100_000})
	m := s.Pairs()[0].Cloud
	make := func() (*store.Message, error) {
		return m.CreateMessage(0, func(x *store.Message) { x.SetBody(store.Body{Kind: "text", Content: string(make([]byte, 30_000))}) })
	}
	var last *store.Message
	n := 0
	for ; n < 10; n++ {
		x, err := make()
		if err == store.ErrQuota {
			break
		}
		last = x
	}
	if n != 4 {
		t.Errorf("%d messages of 32 KB fit into 100 KB, want 4", n)
	}
	for _, refused := range []error{
		func() error { _, err := m.CreateEvent(0, func(*store.Event) error { return nil }); return err }(),
		func() error { _, err := m.CreateContact(0, func(*store.Contact) error { return nil }); return err }(),
		func() error { _, err := m.CreateFolder(0, "x", nil); return err }(),
		func() error { _, err := m.CopyMessage(last.Ref(), store.InboxFolder); return err }(),
		func() error { _, err := m.AddAttachment(last.Ref(), store.NewFile("", "", nil)); return err }(),
		m.Send(true, func(x *store.Message) { x.To = []store.Address{m.Address()} }),
	} {
		if refused != store.ErrQuota {
			t.Errorf("%v, want %v", refused, store.ErrQuota)
		}
	}
	for range 3 {
		x, err := m.Message(store.Ref{Key: last.Key, Immutable: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DeleteMessage(x.Ref(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := make(); err != nil {
		t.Errorf("after a purge: %v", err)
	}
}

func TestDeletedItemsAndTombstonesAreBounded(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 1, Messages: 10})
	m := s.Pairs()[0].Cloud
	first, _ := m.MessageChanges(store.DraftsFolder, store.ChangeQuery{})
	for range 12_000 {
		x, err := m.CreateMessage(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DeleteMessage(x.Ref(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if f, _ := m.Folder(store.DeletedFolder); f.Total > 2100 {
		t.Errorf("%d deleted items are kept", f.Total)
	}
	if _, err := m.MessageChanges(store.DraftsFolder, store.ChangeQuery{Since: first.Next}); err != store.ErrSyncReset {
		t.Errorf("%v, want %v", err, store.ErrSyncReset)
	}
}
