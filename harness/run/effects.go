package run

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"

	"cutover/harness/journal"
	"cutover/harness/wire"
)

// created keeps count of what the run created, and which journal entry each of
// its items has.
type created struct {
	items, removed, unknown atomic.Uint64

	mu   sync.Mutex // guards seqs
	seqs map[itemKey]uint64
}

// itemKey is an item's id on one side. Ids of different mailboxes never meet.
type itemKey struct {
	side int
	id   string
}

// intent is what was written ahead for the request under way.
type intent struct {
	seq   uint64
	made  bool        // an entry was written
	parts []batchPart // of a batch
}

// intend writes the journal ahead of a request that creates something or sends mail,
// whose copies the run's tag finds again. When it returns an error, nothing may be sent.
func (r *runner) intend(w *worker, v *visit) (intent, error) {
	e := &w.req.Effect
	sort := e.Creates
	if sort == "" && e.Mails && (!e.StoredRecipients || w.mailed) {
		sort = "message"
	}
	if r.deps.Journal == nil || v.ask.Believed {
		return intent{}, nil
	}
	if e.Writes && strings.HasSuffix(w.req.Template, "/$batch") {
		parts, err := r.intendParts(w)
		return intent{parts: parts}, err
	}
	if sort == "" {
		return intent{}, nil
	}
	seq, err := r.deps.Journal.Intend(journal.Entry{
		Path: r.plan.Sides[w.side].Path, Mailbox: w.scope.mailbox.Name, Sort: sort, Tag: r.common.tag, URL: w.req.URL,
		Tagged: w.mailed || bytes.Contains(w.req.Body, r.common.tagBytes), To: e.Recipients,
	})
	return intent{seq: seq, made: err == nil}, err
}

// settle writes down what became of a request that changed something.
func (r *runner) settle(w *worker, v *visit, in intent, o outcome) {
	e := &w.req.Effect
	if in.made {
		if err := r.settleCreation(w, in, e); err != nil {
			r.abort(err)
		}
	}
	if len(in.parts) > 0 {
		if err := r.settleParts(w, in.parts); err != nil {
			r.abort(err)
		}
	}
	if e.Target == "" || !succeeded(&w.call) {
		return
	}
	if e.Deletes || e.Creates != "" && strings.HasSuffix(w.req.Template, "/move") {
		if err := r.removed(itemKey{w.side, e.Target}); err != nil {
			r.abort(err)
		}
	}
}

func succeeded(c *wire.Call) bool { return c.Failure == nil && c.Response.Status/100 == 2 }

func (r *runner) settleCreation(w *worker, in intent, e *wire.Effect) error {
	switch {
	case succeeded(&w.call):
		id := ""
		if e.Creates != "" {
			id = w.createdID()
		}
		return r.madeItem(w.side, in.seq, id)
	case r.unsent(w), w.call.Failure == nil && w.call.Response.Status/100 == 4:
		return r.deps.Journal.Void(in.seq)
	}
	r.created.unknown.Add(1)
	return r.deps.Journal.Lost(in.seq)
}

// madeItem notes what a request made; id is "" where the answer named none.
func (r *runner) madeItem(side int, seq uint64, id string) error {
	r.created.items.Add(1)
	if id != "" {
		r.created.mu.Lock()
		r.created.seqs[itemKey{side, id}] = seq
		r.created.mu.Unlock()
	}
	return r.deps.Journal.Done(seq, id)
}

// unsent tells that the last request never left.
func (r *runner) unsent(w *worker) bool {
	f := w.call.Failure
	return f != nil && (f.Kind == wire.Refused || w.call.Timing.Sent.IsZero())
}

// createdID is the id of the item in the answer.
func (w *worker) createdID() string {
	if id, found := w.parsed().Find("$.id"); found {
		return id.Text()
	}
	return ""
}

// removed notes that an item of the run is gone. Others' items have no entry.
func (r *runner) removed(key itemKey) error {
	r.created.mu.Lock()
	seq, ours := r.created.seqs[key]
	delete(r.created.seqs, key)
	r.created.mu.Unlock()
	if !ours || r.deps.Journal == nil {
		return nil
	}
	r.created.removed.Add(1)
	return r.deps.Journal.Removed(seq)
}
