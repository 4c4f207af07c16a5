package store

import (
	"cmp"
	"slices"
	"time"
)

// Change is one thing that changed since a delta token was given.
type Change[T any] struct {
	Number  uint64
	Item    T // zero when Gone
	Gone    bool
	Removed Ref  // of Gone
	Back    bool // it had gone from here meanwhile, and came back
}

// Changes is one page of changes, in the order in which they were made.
type Changes[T any] struct {
	Items []Change[T]
	Next  uint64 // what the next call gives as Since
	More  bool   // the page was cut
}

// ChangeQuery asks for changes with numbers above Since, at most Limit of them
// (0: all). Removals up to Floor are left out: who never saw a thing need not
// hear that it went. A first round has Since 0 and as Floor the Sequence of its
// beginning.
type ChangeQuery struct {
	Since, Floor uint64
	Limit        int
}

// Sequence is the number of the mailbox's last change.
func (m *Mailbox) Sequence() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.sequence
}

// page orders changes, adds removals and cuts.
func page[T any](items []Change[T], gone *graves, q ChangeQuery, sequence uint64) Changes[T] {
	for _, t := range gone.all() {
		if t.change > max(q.Since, q.Floor) {
			items = append(items, Change[T]{Number: t.change, Gone: true, Removed: t.ref})
		}
	}
	slices.SortStableFunc(items, func(a, b Change[T]) int { return cmp.Compare(a.Number, b.Number) })
	c := Changes[T]{Items: items, Next: max(sequence, q.Since)}
	if q.Limit > 0 && len(items) > q.Limit {
		c.Items, c.More = items[:q.Limit], true
		c.Next = c.Items[q.Limit-1].Number
	}
	return c
}

// MessageChanges lists what changed in a folder. ErrSyncReset: so much was removed
// since then that it is not known any more.
func (m *Mailbox) MessageChanges(folder Key, q ChangeQuery) (Changes[*Message], error) {
	sec := m.openMail()
	defer m.mu.RUnlock()
	f := sec.folders[folder]
	if f == nil {
		return Changes[*Message]{}, ErrNotFound
	}
	if q.Since > 0 && q.Since < f.gone.lost {
		return Changes[*Message]{}, ErrSyncReset
	}
	var found []*entry
	for _, e := range f.entries {
		if e.change > q.Since {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.change, b.change) })
	if q.Limit > 0 && len(found) > q.Limit+1 {
		found = found[:q.Limit+1]
	}
	left := map[Key]bool{}
	for _, t := range f.gone.all() {
		if q.Since > 0 && t.change > q.Since {
			left[t.ref.Key] = true
		}
	}
	items := make([]Change[*Message], len(found))
	for i, e := range found {
		x := m.message(e)
		items[i] = Change[*Message]{Number: e.change, Item: x, Back: left[x.Key]}
	}
	return page(items, &f.gone, q, m.sequence), nil
}

// FolderChanges lists what changed in the folder hierarchy. Counts are no change.
func (m *Mailbox) FolderChanges(q ChangeQuery) Changes[*Folder] {
	sec := m.openMail()
	defer m.mu.RUnlock()
	var items []Change[*Folder]
	for _, f := range sec.folders {
		// A generated folder has change number 0; its key orders it.
		number := f.Change
		if number == 0 {
			number = 1 + f.Key.serial()%64
		}
		if number > q.Since && f.Parent != 0 && !f.Hidden {
			items = append(items, Change[*Folder]{Number: number, Item: f.snapshot()})
		}
	}
	return page(items, &sec.goneFolders, q, m.sequence)
}

// EventChanges lists the changed singles, masters, occurrences and exceptions of
// the default calendar in a window.
func (m *Mailbox) EventChanges(from, to time.Time, q ChangeQuery) Changes[*Event] {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	var items []Change[*Event]
	for _, e := range sec.events {
		if e.Calendar != DefaultCalendar || e.Change <= q.Since {
			continue
		}
		list := []*Event{e}
		if e.Rule != nil {
			list = e.expand(list, from, to)
			if len(list) == 1 {
				continue
			}
		} else if !e.in(from, to) {
			continue
		}
		for _, x := range list {
			items = append(items, Change[*Event]{Number: e.Change, Item: x})
		}
	}
	// A series comes as a whole: its dates share one number, so a page ends
	// between numbers only.
	all := page(items, &sec.gone, ChangeQuery{Since: q.Since, Floor: q.Floor}, m.sequence)
	if q.Limit <= 0 || len(all.Items) <= q.Limit {
		return all
	}
	cut := q.Limit
	for cut < len(all.Items) && all.Items[cut].Number == all.Items[cut-1].Number {
		cut++
	}
	if cut == len(all.Items) {
		return all
	}
	return Changes[*Event]{Items: all.Items[:cut], Next: all.Items[cut-1].Number, More: true}
}

// ContactChanges lists what changed in a contact folder.
func (m *Mailbox) ContactChanges(folder Key, q ChangeQuery) (Changes[*Contact], error) {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	if _, err := byKey(sec.folders, folder, contactFolderKey); err != nil {
		return Changes[*Contact]{}, err
	}
	var items []Change[*Contact]
	for _, c := range sec.contacts {
		if c.Folder == folder && c.Change > q.Since {
			items = append(items, Change[*Contact]{Number: c.Change, Item: c})
		}
	}
	return page(items, sec.gone[folder], q, m.sequence), nil
}

// ContactFolderChanges lists what changed among the contact folders.
func (m *Mailbox) ContactFolderChanges(q ChangeQuery) Changes[*ContactFolder] {
	sec := m.openContacts()
	defer m.mu.RUnlock()
	var items []Change[*ContactFolder]
	for i, f := range sec.folders {
		number := sec.changes[f.Key]
		if number == 0 {
			number = uint64(i + 1)
		}
		if number > q.Since && !f.Default {
			items = append(items, Change[*ContactFolder]{Number: number, Item: f})
		}
	}
	return page(items, &sec.goneFolders, q, m.sequence)
}
