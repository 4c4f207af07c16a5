package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"cutover/harness/lab/recur"
	"cutover/harness/lab/store"
)

func TestCountsFollowWhatIsWritten(t *testing.T) {
	_, m := pair(t, 1)
	inbox := func() *store.Folder {
		f, err := m.Folder(store.InboxFolder)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	before := inbox()
	x, err := m.CreateMessage(store.InboxFolder, func(x *store.Message) { x.Subject, x.Read = "new", false })
	if err != nil {
		t.Fatal(err)
	}
	if f := inbox(); f.Total != before.Total+1 || f.Unread != before.Unread+1 {
		t.Errorf("%+v after %+v", f, before)
	}
	if _, err := m.UpdateMessage(x.Ref(), "", func(x *store.Message) error { x.Read = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if f := inbox(); f.Unread != before.Unread {
		t.Errorf("unread %d, want %d", f.Unread, before.Unread)
	}
	if x.Subject != "new" || x.Read {
		t.Errorf("a snapshot changed under its reader: %+v", x)
	}
	stop := errors.New("stop")
	if _, err := m.UpdateMessage(x.Ref(), "", func(x *store.Message) error { x.Subject = "lost"; return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
	if y, _ := m.Message(x.Ref()); y.Subject != "new" {
		t.Errorf("a refused change was kept")
	}
	for left := 2; left >= 0; left-- { // to Deleted Items, to the recoverable ones, away
		y, err := m.Message(store.Ref{Key: x.Key, Immutable: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DeleteMessage(y.Ref(), ""); err != nil {
			t.Fatal(err)
		}
		page, _ := m.Messages(0, store.MessageQuery{Keep: func(z *store.Message) bool { return z.Key == x.Key }})
		if listed := len(page.Items) == 1; listed != (left == 2) {
			t.Errorf("%d deletions to go: listed in the whole mailbox %v", left, listed)
		}
	}
	if _, err := m.Message(store.Ref{Key: x.Key, Immutable: true}); err != store.ErrNotFound {
		t.Errorf("%v, want gone", err)
	}
	acts := map[store.Act]int{}
	for _, r := range m.Ledger() {
		acts[r.Act]++
	}
	if acts[store.Created] != 1 || acts[store.Deleted] != 3 {
		t.Errorf("ledger %v", acts)
	}
}

func TestManyWritersAndReadersOfOneMailbox(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 2})
	m := s.Pairs()[0].Cloud
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				x, err := m.CreateMessage(store.DraftsFolder, func(x *store.Message) { x.To = []store.Address{{Address: s.Pairs()[1].Cloud.User().SMTP}} })
				if err != nil {
					t.Error(err)
					return
				}
				if err := m.SendDraft(x.Ref()); err != nil {
					t.Error(err)
				}
				if _, err := m.Messages(0, store.MessageQuery{Top: 30, Keep: func(x *store.Message) bool { return x.Subject != "" }}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if page, _ := s.Pairs()[1].Cloud.Messages(store.InboxFolder, store.MessageQuery{Keep: func(x *store.Message) bool { return x.From != nil && x.From.Address == m.User().SMTP }, Count: true}); page.Total != 400 {
		t.Errorf("%d delivered, want 400", page.Total)
	}
}

func TestEvents(t *testing.T) {
	_, m := pair(t, 1)
	monday := recur.Day(2026, 6, 1)
	x, err := m.CreateEvent(0, func(e *store.Event) error {
		e.Subject = "s"
		e.Start = store.Moment{At: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC), Zone: "W. Europe Standard Time"}
		e.End = store.Moment{At: time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC), Zone: "W. Europe Standard Time"}
		e.Rule = &recur.Rule{Kind: recur.Daily, Interval: 1, Start: monday, End: recur.Numbered, Count: 5}
		return nil
	})
	if err != nil || x.Type != store.Master {
		t.Fatal(err, x)
	}
	day := func(n int) store.Ref { return store.Ref{Key: x.Key, Day: int32(monday) + int32(n)} }
	for _, tc := range []struct {
		it   string
		act  func() error
		want error
	}{
		{"finds a date", func() error { _, err := m.Event(day(2)); return err }, nil},
		{"does not find a date after the end", func() error { _, err := m.Event(day(5)); return err }, store.ErrNotFound},
		{"moves a date within its room", func() error {
			_, err := m.UpdateEvent(day(2), "", func(e *store.Event) error { e.Start.At = e.Start.At.Add(2 * time.Hour); return nil })
			return err
		}, nil},
		{"keeps a date from its neighbour's day", func() error {
			_, err := m.UpdateEvent(day(2), "", func(e *store.Event) error { e.Start.At = e.Start.At.Add(24 * time.Hour); return nil })
			return err
		}, store.ErrCrossing},
		{"cancels a date", func() error { return m.DeleteEvent(day(3), "") }, nil},
		{"does not find a cancelled date", func() error { _, err := m.Event(day(3)); return err }, store.ErrNotFound},
		{"lets the organizer answer nobody", func() error { return m.Respond(store.Ref{Key: x.Key}, store.Answer{}) }, store.ErrOrganizer},
		{"wants the right change key", func() error { return m.DeleteEvent(store.Ref{Key: x.Key}, `W/"x"`) }, store.ErrConflict},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			if err := tc.act(); err != tc.want {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
	list, _ := m.Instances(store.Ref{Key: x.Key}, monday.Midnight(), monday.Midnight().AddDate(0, 1, 0))
	var types []store.Type
	for _, o := range list {
		types = append(types, o.Type)
	}
	if len(types) != 4 || types[2] != store.Exception {
		t.Errorf("%v", types)
	}
	if _, err := m.UpdateEvent(store.Ref{Key: x.Key}, "", func(e *store.Event) error { r := *e.Rule; r.Count = 3; e.Rule = &r; return nil }); err != nil {
		t.Fatal(err)
	}
	if list, _ = m.Instances(store.Ref{Key: x.Key}, monday.Midnight(), monday.Midnight().AddDate(0, 1, 0)); len(list) != 3 || list[2].Type != store.Occurrence {
		t.Errorf("a new rule left %d dates", len(list))
	}
	if e, err := m.FindEventByUID(x.UID); err != nil || e.Key != x.Key {
		t.Errorf("by UID: %v", err)
	}
	for _, group := range m.Groups() {
		for _, k := range m.Calendars(group.Key) {
			if id, err := m.FindCalendar(m.FolderID(k.Key)); err != nil || id != k.Key {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
		if id, err := m.FindGroup(m.FolderID(group.Key)); err != nil || id != group.Key {
			t.Errorf("%s: %v", group.Name, err)
		}
	}
}

func TestChangesAreToldOnceAndInOrder(t *testing.T) {
	_, m := pair(t, 1)
	first, err := m.MessageChanges(store.InboxFolder, store.ChangeQuery{Floor: m.Sequence()})
	if err != nil || first.More || len(first.Items) == 0 {
		t.Fatal(err, first.More, len(first.Items))
	}
	x, _ := m.CreateMessage(store.InboxFolder, nil)
	y, _ := m.CreateMessage(store.InboxFolder, nil)
	if _, err := m.MoveMessage(x.Ref(), store.ArchiveFolder); err != nil {
		t.Fatal(err)
	}
	next, _ := m.MessageChanges(store.InboxFolder, store.ChangeQuery{Since: first.Next})
	if len(next.Items) != 2 || next.Items[0].Item != y || !next.Items[1].Gone || next.Items[1].Removed.Key != x.Key {
		t.Errorf("%+v", next.Items)
	}
	if again, _ := m.MessageChanges(store.InboxFolder, store.ChangeQuery{Since: next.Next}); len(again.Items) != 0 {
		t.Errorf("told twice: %+v", again.Items)
	}
	if _, err := m.MessageChanges(store.Key(1), store.ChangeQuery{}); err != store.ErrNotFound {
		t.Errorf("%v", err)
	}
	if _, err := m.ContactChanges(store.Key(1), store.ChangeQuery{}); err != store.ErrNotFound {
		t.Errorf("%v", err)
	}
}

func TestAddressesOfTheDeployment(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 2, OnPremDomain: "a.test", CloudDomain: "b.test", Tenant: "t"})
	on, cl := s.Domains()
	p := s.Pairs()[0]
	if on != "a.test" || cl != "b.test" || s.Tenant() != "t" || p.OnPrem.User().SMTP != p.Name+"@a.test" || p.Cloud.User().SMTP != p.Name+"@b.test" || p.OnPrem.User().OID == p.Cloud.User().OID {
		t.Errorf("%q %q %+v", on, cl, p.OnPrem.User())
	}
	n := 0
	s.Users(func(*store.Mailbox) bool { n++; return true })
	if n != 6 || len(s.Others()) != 2 || s.Others()[0].Location() != store.Unlicensed || s.Others()[1].Location() != store.SoftDeleted {
		t.Errorf("%d users", n)
	}
	n = 0
	s.Users(func(*store.Mailbox) bool { n++; return n < 3 })
	if n != 3 || len(s.Ledger()) != 0 {
		t.Errorf("%d users before the stop", n)
	}
	if err := p.Cloud.Send(true, func(m *store.Message) {}); err != store.ErrNoRecipients {
		t.Errorf("%v", err)
	}
}

func TestPlainText(t *testing.T) {
	for _, tc := range []struct{ it, html, want string }{
		{"takes tags off", "<p>a <b>b</b></p>", "a b"},
		{"breaks lines at blocks", "<div>a</div><div>b<br>c</div>", "a\r\nb\r\nc"},
		{"resolves entities", "a &lt;b&gt; &amp; c", "a <b> & c"},
		{"drops style and script", "<style>x</style>a<script>y</script>b", "ab"},
		{"survives a torn tag", "a<b", "a"},
		{"keeps text as it is", "a\nb", "a\nb"},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			if got := store.PlainText(tc.html); got != tc.want {
				t.Errorf("PlainText(%q) = %q, want %q", tc.html, got, tc.want)
			}
		})
	}
	if b := store.Hypertext(store.Body{Kind: "text", Content: "a<b"}); b.Kind != "html" || store.PlainText(b.Content) != "a<b" {
		t.Errorf("%+v", b)
	}
}
