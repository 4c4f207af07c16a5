package run

import (
	"fmt"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/wire"
)

// recipients looks at whom the readied request mails and at what: both can be judged
// before anything is sent.
func (w *worker) recipients(v *visit) error {
	e := &w.req.Effect
	w.mailed = false
	if body := w.req.Body; len(body) > 0 && body[0] != '{' && (strings.HasSuffix(w.req.Template, "/sendMail") || strings.HasSuffix(w.req.Template, "/messages")) {
		w.req.Body = markMIME(body, w.run.common.tag)
	}
	if !e.Mails || !w.run.firewall {
		return nil
	}
	var item canon.Node
	if v.ask.Stored != nil {
		doc, err := w.stored(v)
		if err != nil {
			return err
		}
		if item = doc.Root(); e.StoredRecipients {
			e.Recipients, e.Known = addresses(e.Recipients, item), true
		}
	}
	w.traceable(v, item)
	return nil
}

// stored reads the item that the readied request would mail. The time that takes is
// nobody's response time: the step is due once the item was read.
func (w *worker) stored(v *visit) (*canon.Doc, error) {
	r := w.run
	w.scope.target = w.req.Effect.Target
	req := wire.Request{Kind: wire.Probe}
	if err := v.ask.Stored.Build(&w.scope, &req); err != nil {
		return nil, err
	}
	req.Header = append(req.Header, r.headers[w.side]...)
	req.Authorization, req.Mailbox, req.Timeout = w.req.Authorization, w.req.Mailbox, r.timeouts[w.side]
	if _, _, o := w.clear(v, false); o != ok {
		return nil, fmt.Errorf("the run ended before the recipients of the item were read")
	}
	var call wire.Call
	r.doers[w.side].Do(r.hard, &req, &call)
	w.shard.request(w.side, wire.Probe, false, 0, &call)
	v.due = r.clock.Now()
	if !succeeded(&call) {
		return nil, fmt.Errorf("the recipients of the item could not be read (status %d), so that nothing is sent", call.Response.Status)
	}
	doc, _ := canon.Parse(call.Response.Body, r.dialects[w.side], nil)
	return doc, nil
}

// addresses collects every mail address of an item, whoever it stands for: an answer
// may go to the sender as well as to those who were copied.
func addresses(found []string, n canon.Node) []string {
	if address, ok := n.Get("emailAddress"); ok {
		if text, ok := address.Get("address"); ok && text.Text() != "" {
			found = append(found, text.Text())
		}
	}
	if n.Kind() != canon.Array && n.Kind() != canon.Object {
		return found
	}
	for child := range n.Children() {
		found = addresses(found, child)
	}
	return found
}
