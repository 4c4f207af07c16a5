package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab/store"
)

func pair(t testing.TB, seed uint64) (onPrem, cloud *store.Mailbox) {
	t.Helper()
	p := store.New(store.Config{Seed: seed, Pairs: 3}).Pairs()[1]
	return p.OnPrem, p.Cloud
}

// told is what a message says to a reader, without what belongs to one mailbox.
func told(m *store.Message) string {
	own := strings.NewReplacer("@cloud.contoso.test", "@contoso.test")
	var files []string
	for _, a := range m.Attachments() {
		files = append(files, fmt.Sprint(a.Name, a.ContentType, a.Size, len(a.Bytes())))
	}
	return own.Replace(fmt.Sprint(m.Subject, m.From, m.To, m.Cc, m.ReplyTo, m.Received, m.Sent, m.Created, m.Modified, m.InternetMessageID, m.Read, m.Draft, m.Attached,
		m.Importance, m.Inference, m.Categories, m.Flag, m.Body(), m.Preview(), m.Unique(), files, m.Folder, m.ConversationIndex, deref(m.From)))
}

func deref(a *store.Address) string {
	if a == nil {
		return ""
	}
	return a.Address
}

func TestTwinsSayTheSameUnderDifferentIDs(t *testing.T) {
	on, cl := pair(t, 1)
	a, _ := on.Messages(0, store.MessageQuery{})
	b, _ := cl.Messages(0, store.MessageQuery{})
	if len(a.Items) != 200 || len(b.Items) != 200 {
		t.Fatalf("%d and %d messages, want 200", len(a.Items), len(b.Items))
	}
	for i := range a.Items {
		x, y := a.Items[i], b.Items[i]
		if strip(told(x)) != strip(told(y)) {
			t.Fatalf("message %d differs:\n%s\n%s", i, told(x), told(y))
		}
		if on.ID(x.Ref(), false) == cl.ID(y.Ref(), false) || on.ChangeKey(x.Change) == cl.ChangeKey(y.Change) ||
			string(on.AppendConversationID(nil, x.Conversation)) == string(cl.AppendConversationID(nil, y.Conversation)) {
			t.Fatalf("message %d has an id of its twin", i)
		}
	}
	from, to := store.Epoch.AddDate(0, -1, 0), store.Epoch.AddDate(0, 2, 0)
	x, _ := on.View(0, from, to)
	y, _ := cl.View(0, from, to)
	if len(x) == 0 || len(x) != len(y) {
		t.Fatalf("%d and %d events", len(x), len(y))
	}
	for i := range x {
		if x[i].UID != y[i].UID || x[i].Subject != y[i].Subject || !x[i].Start.At.Equal(y[i].Start.At) || x[i].Type != y[i].Type {
			t.Errorf("event %d differs: %+v %+v", i, x[i], y[i])
		}
		if x[i].Body.Kind != "html" || x[i].Body.Content == "" {
			t.Errorf("event %d (%s) has no body", i, x[i].Type)
		}
	}
	c, _ := on.Contacts(0, store.ContactQuery{})
	d, _ := cl.Contacts(0, store.ContactQuery{})
	for i := range c.Items {
		if c.Items[i].DisplayName != d.Items[i].DisplayName || fmt.Sprint(c.Items[i].Emails) != fmt.Sprint(d.Items[i].Emails) {
			t.Errorf("contact %d differs", i)
		}
	}
}

// strip drops the addresses of pointers that fmt prints.
func strip(s string) string {
	var out []string
	for _, w := range strings.Fields(s) {
		if !strings.Contains(w, "0x") {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

func TestEqualSeedsGiveEqualMailboxes(t *testing.T) {
	_, a := pair(t, 1)
	_, b := pair(t, 1)
	_, c := pair(t, 2)
	pa, _ := a.Messages(0, store.MessageQuery{Top: 20})
	pb, _ := b.Messages(0, store.MessageQuery{Top: 20, Oldest: false})
	pc, _ := c.Messages(0, store.MessageQuery{Top: 20})
	same := 0
	for i := range pa.Items {
		if strip(told(pa.Items[i])) != strip(told(pb.Items[i])) || a.ID(pa.Items[i].Ref(), false) != b.ID(pb.Items[i].Ref(), false) {
			t.Errorf("message %d differs between two stores of one seed", i)
		}
		if pa.Items[i].InternetMessageID == pc.Items[i].InternetMessageID {
			same++
		}
	}
	if same > 0 || a.User().Password == c.User().Password {
		t.Errorf("two seeds share %d messages", same)
	}
}

func TestGeneratedMailLooksLikeMail(t *testing.T) {
	_, m := pair(t, 3)
	page, _ := m.Messages(0, store.MessageQuery{})
	scripts, attached, replies, html := map[string]bool{}, 0, 0, 0
	for _, x := range page.Items {
		for name, r := range map[string]string{"cyrillic": "и", "hebrew": "ש", "cjk": "会", "kana": "の", "emoji": "🙂"} {
			if strings.Contains(x.Body().Content+x.Subject, r) {
				scripts[name] = true
			}
		}
		if x.Attached {
			attached++
		}
		if strings.HasPrefix(x.Subject, "RE: ") {
			replies++
		}
		if x.Body().Kind == "html" {
			html++
		}
		plain := store.PlainText(x.Unique().Content)
		if x.Unique().Kind == "html" && !strings.HasPrefix(plain, strings.TrimSpace(strings.SplitN(x.Preview(), "\r\n", 2)[0])) {
			t.Errorf("preview %q is not how %q begins", x.Preview(), plain)
		}
		if n := len([]rune(x.Preview())); n > 255 {
			t.Errorf("a preview of %d characters", n)
		}
		if x.Received.After(store.Epoch) {
			t.Errorf("received %v, after the epoch", x.Received)
		}
	}
	if len(scripts) < 4 || attached < 15 || attached > 70 || replies < 30 || html < 100 || html == 200 {
		t.Errorf("scripts %v, %d with attachments, %d replies, %d in HTML", scripts, attached, replies, html)
	}
	if !slices.IsSortedFunc(page.Items, func(a, b *store.Message) int { return b.Received.Compare(a.Received) }) {
		t.Errorf("not newest first")
	}
}

func TestIDsAreOpaqueCheckedAndSurviveWhatTheyShould(t *testing.T) {
	_, m := pair(t, 1)
	page, _ := m.Messages(store.InboxFolder, store.MessageQuery{Top: 1})
	x := page.Items[0]
	classic, immutable := m.ID(x.Ref(), false), m.ID(x.Ref(), true)
	if len(classic) != 152 || !strings.HasPrefix(classic, "AAMk") || !strings.HasSuffix(classic, "=") || len(immutable) != 72 || !strings.HasPrefix(immutable, "AAkA") || len(m.FolderID(x.Folder)) != 120 {
		t.Errorf("ids %d, %d, %d characters: %s %s", len(classic), len(immutable), len(m.FolderID(x.Folder)), classic, immutable)
	}
	for _, tc := range []struct {
		it, id string
		want   error
	}{
		{"finds a classic id", classic, nil},
		{"finds an immutable id", immutable, nil},
		{"calls garbage malformed", "garbage", store.ErrMalformedID},
		{"calls a cut id malformed", classic[:100], store.ErrMalformedID},
		{"calls nothing malformed", "", store.ErrMalformedID},
		{"calls something endless malformed", strings.Repeat("A", 5000), store.ErrMalformedID},
		{"does not find an altered id", classic[:140] + "B" + classic[141:], store.ErrNotFound},
		{"does not find another case", strings.ToLower(classic[:120]) + classic[120:], store.ErrMalformedID},
		{"does not find a folder's id", m.FolderID(x.Folder), store.ErrNotFound},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			if _, err := m.FindMessage(tc.id); err != tc.want {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
	moved, err := m.MoveMessage(x.Ref(), store.ArchiveFolder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.FindMessage(classic); err != store.ErrNotFound {
		t.Errorf("the old classic id: %v", err)
	}
	if _, err := m.FindMessage(immutable); err != nil {
		t.Errorf("the immutable id: %v", err)
	}
	if m.ID(moved.Ref(), true) != immutable || m.ID(moved.Ref(), false) == classic {
		t.Errorf("ids after the move")
	}
}

func TestAMailboxMove(t *testing.T) {
	s := store.New(store.Config{Seed: 1, Pairs: 2})
	m := s.Pairs()[0].OnPrem
	page, _ := m.Messages(store.InboxFolder, store.MessageQuery{Top: 1})
	id, generation := m.ID(page.Items[0].Ref(), false), m.SyncGeneration()
	if err := s.Move(strings.ToUpper(m.User().SMTP), store.Cloud, store.MoveOptions{}); err != nil || m.Location() != store.Cloud {
		t.Fatalf("%v, %v", err, m.Location())
	}
	if _, err := m.FindMessage(id); err != nil || m.SyncGeneration() != generation {
		t.Errorf("a plain move lost the id or the delta: %v", err)
	}
	if err := s.Move(m.User().OID, store.OnPrem, store.MoveOptions{NewIDs: true, ResetDelta: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.FindMessage(id); err != store.ErrNotFound || m.SyncGeneration() == generation {
		t.Errorf("a move with new ids kept the id or the delta: %v", err)
	}
	if err := s.Move("ghost@contoso.test", store.Cloud, store.MoveOptions{}); err == nil {
		t.Errorf("a ghost moved")
	}
	for _, name := range []string{"onprem", "Cloud", "unlicensed", "softdeleted"} {
		if l, err := store.ParseLocation(name); err != nil || !strings.EqualFold(l.String(), name) {
			t.Errorf("%s: %v %v", name, l, err)
		}
	}
	if _, err := store.ParseLocation("moon"); err == nil {
		t.Errorf("the moon is a place")
	}
}

func TestMeetingRequestsAreGeneratedOnDemand(t *testing.T) {
	m := store.New(store.Config{Seed: 1, Pairs: 1, Requests: 10}).Pairs()[0].Cloud
	page, _ := m.Messages(0, store.MessageQuery{Keep: func(x *store.Message) bool { return x.Meeting != nil }})
	if len(page.Items) < 3 {
		t.Errorf("%d meeting requests", len(page.Items))
	}
	for _, x := range page.Items {
		e, err := m.Event(store.Ref{Key: x.Meeting.Event})
		if err != nil || e.IsOrganizer || e.Subject != x.Subject || x.From.Address != e.Organizer.Address || !x.Meeting.Start.At.Equal(e.Start.At) {
			t.Errorf("%+v about %+v: %v", x, e, err)
		}
	}
}

func TestListsAreNarrowedByTheIndex(t *testing.T) {
	_, m := pair(t, 1)
	all, _ := m.Messages(0, store.MessageQuery{})
	mid := all.Items[100].Received
	for _, tc := range []struct {
		it   string
		q    store.MessageQuery
		want func(*store.Message) bool
	}{
		{"begins at After", store.MessageQuery{After: mid}, func(x *store.Message) bool { return !x.Received.Before(mid) }},
		{"ends before Before", store.MessageQuery{Before: mid}, func(x *store.Message) bool { return x.Received.Before(mid) }},
		{"keeps what a filter keeps", store.MessageQuery{Keep: func(x *store.Message) bool { return x.Read }, Count: true}, func(x *store.Message) bool { return x.Read }},
		{"counts a fraction as later", store.MessageQuery{After: mid.Add(time.Millisecond)}, func(x *store.Message) bool { return x.Received.After(mid) }},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			want := 0
			for _, x := range all.Items {
				if tc.want(x) {
					want++
				}
			}
			page, err := m.Messages(0, tc.q)
			if err != nil || len(page.Items) != want || page.Total != want {
				t.Errorf("%d messages, total %d, want %d: %v", len(page.Items), page.Total, want, err)
			}
			tc.q.Oldest = true
			if page, _ := m.Messages(0, tc.q); len(page.Items) != want || want > 1 && page.Items[0].Received.After(page.Items[1].Received) {
				t.Errorf("oldest first: %d messages", len(page.Items))
			}
		})
	}
	page, _ := m.Messages(0, store.MessageQuery{Skip: 190, Top: 25})
	if len(page.Items) != 10 || page.More || page.Total != 200 {
		t.Errorf("%d of %d, more %v", len(page.Items), page.Total, page.More)
	}
	if page, _ := m.Messages(0, store.MessageQuery{Skip: 500, Top: 5}); len(page.Items) != 0 {
		t.Errorf("%d messages past the end", len(page.Items))
	}
}
