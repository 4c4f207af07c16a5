package run

import (
	"fmt"

	"cutover/harness/canon"
	"cutover/harness/wire"
)

// recipients reads the item whose stored recipients the readied request would mail
// and adds them to its effect, so that they can be judged before anything is sent. The
// time that takes is nobody's response time: the step is due once the item was read.
func (w *worker) recipients(v *visit) error {
	r := w.run
	e := &w.req.Effect
	if !e.StoredRecipients || !r.firewall || v.ask.Stored == nil {
		return nil
	}
	w.scope.target = e.Target
	req := wire.Request{Kind: wire.Probe}
	if err := v.ask.Stored.Build(&w.scope, &req); err != nil {
		return err
	}
	req.Header = append(req.Header, r.headers[w.side]...)
	req.Authorization, req.Mailbox, req.Timeout = w.req.Authorization, w.req.Mailbox, r.timeouts[w.side]
	if _, _, o := w.clear(v, false); o != ok {
		return fmt.Errorf("the run ended before the recipients of the item were read")
	}
	var call wire.Call
	r.doers[w.side].Do(r.hard, &req, &call)
	w.shard.request(w.side, wire.Probe, false, 0, &call)
	v.due = r.clock.Now()
	if !succeeded(&call) {
		return fmt.Errorf("the recipients of the item could not be read (status %d), so that nothing is sent", call.Response.Status)
	}
	doc, _ := canon.Parse(call.Response.Body, r.dialects[w.side], nil)
	e.Recipients = addresses(e.Recipients, doc.Root())
	return nil
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
