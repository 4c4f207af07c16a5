package run

import (
	"bytes"
	"strings"

	"cutover/harness/expect"
	"cutover/harness/journal"
	"cutover/harness/request"
	"cutover/harness/wire"
)

// batchPart is a request of a batch that creates, mails, moves or removes something.
type batchPart struct {
	request.Part
	intent
}

// intendParts writes the journal ahead of a batch: an entry for each item that it makes
// and each mail that it sends.
func (r *runner) intendParts(w *worker) ([]batchPart, error) {
	var out []batchPart
	root := strings.TrimSuffix(w.req.URL, "/$batch")
	for _, p := range request.Parts(w.req.Body) {
		one, e := batchPart{Part: p}, &p.Effect
		sort := e.Creates
		if sort == "" && e.Mails && !e.StoredRecipients {
			sort = "message"
		}
		if sort != "" {
			seq, err := r.deps.Journal.Intend(journal.Entry{
				Path: r.plan.Sides[w.side].Path, Mailbox: w.scope.mailbox.Name, Sort: sort, Tag: r.common.tag, URL: root + "/" + strings.TrimPrefix(p.URL, "/"),
				Tagged: bytes.Contains(p.Body, r.common.tagBytes), To: e.Recipients,
			})
			if err != nil {
				return nil, err
			}
			one.intent = intent{seq: seq, made: true}
		}
		if one.made || e.Deletes {
			out = append(out, one)
		}
	}
	return out, nil
}

// settleParts writes down what became of each request of a batch.
func (r *runner) settleParts(w *worker, parts []batchPart) error {
	for i := range parts {
		p := &parts[i]
		var answer wire.Response
		id, done := "", false
		if succeeded(&w.call) {
			got, doc, found := expect.Part(w.parsed(), p.ID)
			answer, done = got, found && got.Status/100 == 2
			if done && doc != nil && p.Effect.Creates != "" {
				made, _ := doc.Find("$.id")
				id = made.Text()
			}
		}
		if err := r.settlePart(w, p, answer.Status, done, id); err != nil {
			return err
		}
		if target := p.Effect.Target; done && target != "" && (p.Effect.Deletes || strings.HasSuffix(p.URL, "/move")) {
			if err := r.removed(itemKey{w.side, target}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *runner) settlePart(w *worker, p *batchPart, status int, done bool, id string) error {
	switch {
	case !p.made:
		return nil
	case done:
		return r.madeItem(w.side, p.seq, id)
	case status/100 == 4, r.unsent(w):
		return r.deps.Journal.Void(p.seq)
	}
	r.created.unknown.Add(1)
	return r.deps.Journal.Lost(p.seq)
}
