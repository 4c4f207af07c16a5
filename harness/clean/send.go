package clean

import (
	"context"
	"errors"
	"time"

	"cutover/harness/canon"
	"cutover/harness/paths"
	"cutover/harness/request"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// scope answers the names in the requests of cleaning.
type scope struct {
	mailbox string
	address profiles.Address
	item    string
}

// Lookup implements vars.Scope.
func (s scope) Lookup(name string) (string, bool) {
	switch name {
	case "item":
		return s.item, s.item != ""
	case "mailbox.user":
		return s.address.User(), true
	case "mailbox.smtp":
		return s.address.SMTP, true
	case "mailbox.upn":
		return s.address.UPN, true
	case "mailbox.name":
		return s.mailbox, true
	}
	return "", false
}

// delete removes an item once.
func (c *cleaner) delete(ctx context.Context, i *item) (status int, err error) {
	return c.ask(ctx, i, "DELETE")
}

// ask sends one request about an item. A request that cannot be said on this
// path is the item's trouble, not the mailbox's.
func (c *cleaner) ask(ctx context.Context, i *item, method string) (status int, err error) {
	address, verbatim, err := where(i)
	if err != nil {
		i.why = err.Error()
		return 0, nil
	}
	op := suites.Operation{Method: method, URL: address}
	if method == "GET" {
		op.Query = strictyaml.Map[suites.QueryValue]{option("$select", selected(i))}
	}
	c.scope.item = i.ID
	var t *request.Template
	if verbatim {
		t, err = paths.Verbatim(c.adapter, op)
	} else {
		t, err = c.adapter.Prepare(op)
	}
	if err != nil {
		i.why = err.Error()
		return 0, nil
	}
	status, err = c.post(ctx, t, i)
	return status, c.refused(err, i)
}

// refused makes a safety rule's no the item's trouble; other errors stay.
func (c *cleaner) refused(err error, i *item) error {
	var f *wire.Failure
	if errors.As(err, &f) && f.Kind == wire.Refused {
		i.why = f.Err.Error()
		return nil
	}
	return err
}

// selected keeps answers small: attendees are what a deletion would mail.
func selected(i *item) string {
	if i.Sort == "event" {
		return "id,attendees"
	}
	return "id"
}

// withdraw reads whom the deletion of an event would mail, so that they can be
// judged: a cancellation goes to every attendee.
func (c *cleaner) withdraw(ctx context.Context, i *item) error {
	status, err := c.ask(ctx, i, "GET")
	if err != nil || i.why != "" {
		return err
	}
	if status == 404 || status == 410 {
		return c.prove(i)
	}
	c.scope.item = i.ID
	i.attendees = []string{}
	list, _ := c.parsed().Find("$.attendees")
	for a := range list.Children() {
		if address, ok := a.Find("$.emailAddress.address"); ok {
			i.attendees = append(i.attendees, address.Text())
		}
	}
	return nil
}

// send says an operation of Graph's vocabulary.
func (c *cleaner) send(ctx context.Context, op suites.Operation, i *item) (status int, err error) {
	t, err := c.adapter.Prepare(op)
	if err != nil {
		return 0, err
	}
	return c.post(ctx, t, i)
}

// follow asks for the next page of a listing.
func (c *cleaner) follow(ctx context.Context, next string) (status int, err error) {
	return c.deliver(ctx, &wire.Request{Method: "GET", URL: next, Template: "GET next page"})
}

func (c *cleaner) post(ctx context.Context, t *request.Template, i *item) (status int, err error) {
	req := &wire.Request{}
	if err := t.Build(c.scope, req); err != nil {
		return 0, err
	}
	if i != nil && i.attendees != nil && req.Effect.StoredRecipients {
		req.Effect.Recipients, req.Effect.StoredRecipients, req.Effect.Known = i.attendees, false, true
	}
	return c.deliver(ctx, req)
}

// tries is how often a request that was pushed back is sent again.
const (
	tries       = 6
	leastWait   = time.Second
	mostPatient = 2 * time.Minute
)

// deliver sends a request, waits when the server asks for it, and returns the
// status. Its error is a *wire.Failure or the context's.
func (c *cleaner) deliver(ctx context.Context, req *wire.Request) (status int, err error) {
	req.Kind, req.Mailbox = wire.Fixture, c.group.mailbox
	for try := 0; ; try++ {
		if c.auth != nil {
			if req.Authorization, err = c.auth.Authorization(ctx, c.mailbox); err != nil {
				return 0, err
			}
		}
		c.doer.Do(ctx, req, &c.call)
		c.doc = nil
		if c.call.Failure != nil {
			return 0, c.call.Failure
		}
		throttled, after := c.adapter.Pushback(&c.call.Response)
		if !throttled || try == tries {
			return c.call.Response.Status, nil
		}
		wait := min(max(after, leastWait<<try), mostPatient)
		if err := c.clock.SleepUntil(ctx, c.clock.Now().Add(wait)); err != nil {
			return 0, err
		}
	}
}

// parsed is the last answer as a document.
func (c *cleaner) parsed() *canon.Doc {
	if c.doc == nil {
		c.doc, _ = canon.Parse(c.call.Response.Body, c.adapter.Dialect(), nil)
	}
	return c.doc
}
