package graph

import (
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// messageFolder is the folder of the path; 0 is the whole mailbox.
func (c *call) messageFolder() (store.Key, *fault) {
	ref := c.arg[argFolder]
	if ref == "" {
		return 0, nil
	}
	k, err := c.mb.FindFolder(ref)
	return k, storeFault(err)
}

func (c *call) messagesContext() string {
	if ref := c.arg[argFolder]; ref != "" {
		return c.userContext() + "/mailFolders('" + contextKey(ref) + "')/messages"
	}
	return c.userContext() + "/messages"
}

func listMessages(c *call) *fault {
	if c.again() {
		return nil
	}
	folder, f := c.messageFolder()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[message])
	if p.q.HasSearch || p.q.SkipToken != "" {
		return searchMessages(c, folder, p)
	}
	top := messages.page(c, p)
	page, err := c.mb.Messages(folder, messageQuery(p, top))
	if err != nil {
		return storeFault(err)
	}
	next := 0
	if page.More {
		next = p.q.Skip + len(page.Items)
	}
	return writeList(c, messages, p, c.messagesContext(), page.Items, page.Total, next)
}

// messageQuery turns a plan into a query of the store. What the index of receipt
// can answer is taken from it: the order, and bounds of receivedDateTime.
func messageQuery(p *plan[message], top int) store.MessageQuery {
	q := store.MessageQuery{Skip: p.q.Skip, Top: top, Keep: p.keep, Compare: p.compare, Count: p.q.Count}
	if o := p.q.OrderBy; len(o) == 1 && strings.EqualFold(o[0].Path, "receivedDateTime") {
		q.Oldest, q.Compare = !o[0].Desc, nil
	}
	if p.q.Filter != nil {
		whole := receivedBounds(p.q.Filter, &q)
		if whole {
			q.Keep = nil
		}
	}
	return q
}

// receivedBounds narrows a query by the comparisons of receivedDateTime that all
// matches satisfy. It says whether they are the whole filter.
func receivedBounds(e odata.Expr, q *store.MessageQuery) bool {
	b, ok := e.(odata.Binary)
	if !ok {
		return false
	}
	if b.Op == "and" {
		left := receivedBounds(b.Left, q)
		return receivedBounds(b.Right, q) && left
	}
	p, isProperty := b.Left.(odata.Property)
	l, isLiteral := b.Right.(odata.Literal)
	if !isProperty || !isLiteral || l.Value.Kind != odata.Time || !strings.EqualFold(p.Path, "receivedDateTime") {
		return false
	}
	t := l.Value.Time
	switch b.Op {
	case "ge":
		q.After = later(q.After, t)
	case "gt":
		q.After = later(q.After, t.Truncate(time.Second).Add(time.Second))
	case "lt":
		q.Before = earlier(q.Before, t)
	case "le":
		q.Before = earlier(q.Before, t.Truncate(time.Second).Add(time.Second))
	default:
		return false
	}
	return true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

func countMessages(c *call) *fault {
	folder, f := c.messageFolder()
	if f != nil {
		return f
	}
	q := messageQuery(c.plan.(*plan[message]), 1)
	q.Skip, q.Count = 0, true
	page, err := c.mb.Messages(folder, q)
	if err != nil {
		return storeFault(err)
	}
	return c.countOnly(page.Total)
}

// message is the message of the path.
func (c *call) message() (message, *fault) {
	m, err := c.mb.FindMessage(c.arg[argMessage])
	return m, storeFault(err)
}

func getMessage(c *call) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	return c.writeMessage(http.StatusOK, m)
}

func (c *call) writeMessage(status int, m message) *fault {
	if status == http.StatusCreated {
		c.location("/messages('" + c.mb.ID(m.Ref(), c.prefer.immutable) + "')")
	}
	return writeOne(c, messages, status, c.userContext()+"/messages", etag(c.mb, m.Change), m)
}

func createMessage(c *call) *fault {
	folder, f := c.messageFolder()
	if f != nil {
		return f
	}
	edit, f := c.readMessage(true)
	if f != nil {
		return f
	}
	m, err := c.mb.CreateMessage(folder, edit)
	if err != nil {
		return storeFault(err)
	}
	return c.writeMessage(http.StatusCreated, m)
}

func updateMessage(c *call) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	changed, err := c.mb.UpdateMessage(c.itemRef(m.Ref()), c.r.Header.Get("If-Match"), func(x message) error {
		return asError(applyMessage(x, body, updating))
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMessage(http.StatusOK, changed)
}

// itemRef lets a write hold although the item moves in between, when the client
// named it by its immutable id.
func (c *call) itemRef(r store.Ref) store.Ref {
	r.Immutable = c.prefer.immutable
	return r
}

func deleteMessage(c *call) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteMessage(m.Ref(), c.r.Header.Get("If-Match")); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

// destination reads the folder that a move or copy names.
func (c *call) destination() (store.Key, *fault) {
	body, f := c.readObject()
	if f != nil {
		return 0, f
	}
	n := body.param("destinationId")
	if n == nil || n.kind != stringNode || n.text == "" {
		return 0, badCode("ErrorInvalidRequest", "The destinationId parameter is required.")
	}
	k, err := c.mb.FindFolder(n.text)
	return k, storeFault(err)
}

func moveMessage(c *call) *fault {
	return c.transfer(func(r store.Ref, to store.Key) (message, error) { return c.mb.MoveMessage(r, to) })
}

func copyMessage(c *call) *fault {
	return c.transfer(func(r store.Ref, to store.Key) (message, error) { return c.mb.CopyMessage(r, to) })
}

func (c *call) transfer(act func(store.Ref, store.Key) (message, error)) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	to, f := c.destination()
	if f != nil {
		return f
	}
	moved, err := act(m.Ref(), to)
	if err != nil {
		return storeFault(err)
	}
	return c.writeMessage(http.StatusCreated, moved)
}

func sendDraft(c *call) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	if !m.Draft {
		return storeFault(store.ErrNotDraft)
	}
	if f := c.sendAs(m.From); f != nil {
		return f
	}
	if err := c.mb.SendDraft(m.Ref()); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusAccepted)
}

// sendAs says whether the mailbox may send as an address: its own only.
func (c *call) sendAs(from *store.Address) *fault {
	if from == nil || strings.EqualFold(from.Address, c.mb.User().SMTP) {
		return nil
	}
	return &fault{status: http.StatusForbidden, code: "ErrorSendAsDenied", message: "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message."}
}

// maxRecipients is Exchange Online's limit of recipients of one message.
const maxRecipients = 500

func sendMail(c *call) *fault {
	edit, save, f := c.readSendMail()
	if f != nil {
		return f
	}
	probe := &store.Message{}
	edit(probe)
	if f := recipientsFault(probe); f != nil {
		return f
	}
	if f := c.sendAs(probe.From); f != nil {
		return f
	}
	if err := c.mb.Send(save, edit); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusAccepted)
}

func recipientsFault(m message) *fault {
	n := 0
	for _, list := range [][]store.Address{m.To, m.Cc, m.Bcc} {
		n += len(list)
		for _, a := range list {
			if !strings.Contains(a.Address, "@") {
				return badCode("ErrorInvalidRecipients", "At least one recipient isn't valid., Recipient \""+a.Address+"\" isn't resolved. All recipients must be resolved before a message can be submitted.")
			}
		}
	}
	if n > maxRecipients {
		return badCode("ErrorInvalidRecipients", "At least one recipient isn't valid., The message has more than 500 recipients.")
	}
	return nil
}

// readSendMail reads {message, saveToSentItems}, or MIME as base64 text.
func (c *call) readSendMail() (edit func(message), save bool, f *fault) {
	if c.isMIME() {
		edit, f = c.readMessage(false)
		return edit, true, f
	}
	body, f := c.readObject()
	if f != nil {
		return nil, false, f
	}
	if f := body.only("microsoft.graph.sendMail", "message", "saveToSentItems"); f != nil {
		return nil, false, f
	}
	save = true
	if n := body.param("saveToSentItems"); n != nil {
		switch {
		case n.kind == boolNode:
			save = n.yes
		case n.kind == stringNode && strings.EqualFold(n.text, "false"):
			save = false
		}
	}
	m := body.param("message")
	if m == nil || m.kind != objectNode {
		return nil, false, badCode("ErrorInvalidRequest", "The message parameter is required.")
	}
	if f := applyMessage(&store.Message{Draft: true}, m, creating); f != nil {
		return nil, false, f
	}
	return func(x message) { applyMessage(x, m, creating) }, save, nil
}
