package clean

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"cutover/harness/canon"
	"cutover/harness/clock"
	"cutover/harness/journal"
	"cutover/harness/paths"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// cleaner works on one mailbox of one path.
type cleaner struct {
	group   *group
	doer    wire.Doer
	auth    Authoriser
	adapter paths.Adapter
	journal Journal
	clock   clock.Clock
	profile *profiles.Profile
	mailbox profiles.Mailbox
	scope   scope
	call    wire.Call
	doc     *canon.Doc
}

func (d Deps) cleaner(g *group) (*cleaner, error) {
	c := &cleaner{group: g, doer: d.Doers[g.path], auth: d.Auth[g.path], adapter: d.Adapters[g.path], journal: d.Journal, clock: d.Clock, profile: d.Profile}
	if c.doer == nil || c.adapter == nil {
		return nil, fmt.Errorf("the profile has no path %q", g.path)
	}
	c.mailbox.Name = g.mailbox
	if g.mailbox == "" {
		return c, nil
	}
	i := slices.IndexFunc(d.Profile.Mailboxes.List, func(m profiles.Mailbox) bool { return m.Name == g.mailbox })
	if i < 0 {
		return nil, fmt.Errorf("the profile has no mailbox %q", g.mailbox)
	}
	c.mailbox = d.Profile.Mailboxes.List[i]
	name := g.path
	if p, ok := d.Profile.Paths.Get(name); ok && p.Addresses != "" {
		name = p.Addresses
	}
	c.scope = scope{mailbox: g.mailbox, address: c.mailbox.Address[name]}
	return c, nil
}

// resource is where items of a sort live in Graph's words, and the text by
// which a tag without a category is found.
type resource struct {
	url        string
	text       string
	whose      string // who wrote it
	unfiltered bool   // Graph filters contacts by nothing but an address
}

var resources = map[string]resource{
	"message":  {url: "/me/messages", text: "subject", whose: "from"},
	"event":    {url: "/me/events", text: "subject", whose: "organizer"},
	"contact":  {url: "/me/contacts", text: "displayName", unfiltered: true},
	"calendar": {url: "/me/calendars"},
}

// rootFolders are the mail folders below the root, which a tag at the beginning of
// their name finds.
var rootFolders = resource{url: "/me/mailFolders", text: "displayName", unfiltered: true}

// listed is where items of an entry's sort are found by their tag. ok is false for what
// no listing shows: calendars, and folders elsewhere than below the root of the mail.
func listed(e journal.Entry) (r resource, ok bool) {
	if e.Sort == "folder" {
		return rootFolders, strings.HasSuffix(strings.ToLower(strings.TrimRight(e.URL, "/")), "/mailfolders")
	}
	r = resources[e.Sort]
	return r, r.text != ""
}

// rounds is how often what is found again is removed again: copies arrive late.
const rounds = 5

// named removes what the journal names and proves it.
func (c *cleaner) named(ctx context.Context) error {
	for _, i := range c.group.items {
		if i.ID == "" || !i.Open() || i.gone {
			continue
		}
		if err := c.remove(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// unnamed removes what carries the tag and proves that nothing does any more.
func (c *cleaner) unnamed(ctx context.Context) error {
	if len(c.group.tags) == 0 {
		return nil
	}
	for range rounds {
		found, err := c.sweep(ctx)
		if err != nil {
			return err
		}
		if found == 0 {
			return c.settle()
		}
	}
	return errors.New("items of the run's tag appear again and again: something creates them")
}

// remove deletes one item and proves it. What the target answers goes into
// the item; an error ends the cleaning of the mailbox.
func (c *cleaner) remove(ctx context.Context, i *item) error {
	if i.Sort == "event" {
		if err := c.withdraw(ctx, i); err != nil || i.gone || i.why != "" {
			return err
		}
	}
	if i.Sort == "message" && !i.Found {
		if err := c.bin(ctx, i); err != nil || i.gone || i.why != "" {
			return err
		}
	}
	for range rounds {
		status, err := c.delete(ctx, i)
		if err != nil || i.why != "" {
			return err
		}
		if status == 404 || status == 410 {
			return c.prove(i)
		}
		if status/100 != 2 {
			i.why = fmt.Sprintf("the server answered %d (%s)", status, c.adapter.ErrorCode(c.parsed()))
			return nil
		}
		if status, err = c.ask(ctx, i, "GET"); err != nil || i.why != "" {
			return err
		}
		if status == 404 || status == 410 {
			return c.prove(i)
		}
	}
	i.why = "it was deleted and is still there"
	return nil
}

// bin moves a message to Deleted Items and takes on the id that it has there.
// Deleting it where it lies would do the same and not tell the id; deleted
// there, it leaves every visible folder. Where moving is refused, deleting
// decides. Messages found by their tag need no id: they are found again.
func (c *cleaner) bin(ctx context.Context, i *item) error {
	op := suites.Operation{Method: "POST", URL: resources[i.Sort].url + "/{{item}}/move", Body: strictyaml.ValueOf([]byte(`{"destinationId":"deleteditems"}`))}
	c.scope.item = i.ID
	status, err := c.send(ctx, op, i)
	switch {
	case err != nil:
		return c.refused(err, i)
	case status == 404 || status == 410:
		return c.prove(i)
	case status/100 != 2:
		return nil
	}
	id, _ := c.parsed().Find("$.id")
	if id.Text() == "" || id.Text() == i.ID {
		return nil
	}
	i.ID = id.Text()
	if c.journal == nil {
		return nil
	}
	if err := c.journal.Done(i.Seq, i.ID); err != nil {
		return &recordError{err}
	}
	return nil
}

// prove records that the item is gone. What was mailed waits for the other mailboxes,
// so that cleaning that was interrupted looks there again.
func (c *cleaner) prove(i *item) error {
	i.gone = true
	if i.held = c.group.mailed && !i.Found && (len(i.To) > 0 || sent(i.Entry)); i.held {
		return nil
	}
	return c.removed(i)
}

// release records what waited for the other mailboxes.
func (c *cleaner) release(context.Context) error {
	for _, i := range c.group.items {
		if !i.held {
			continue
		}
		if err := c.removed(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *cleaner) removed(i *item) error {
	if c.journal == nil || i.State == journal.Removed {
		return nil
	}
	if err := c.journal.Removed(i.Seq); err != nil {
		return &recordError{err}
	}
	return nil
}

// settle counts items without an id as gone, after a listing by tag found
// nothing. One whose request did not carry the tag is not proved by that.
func (c *cleaner) settle() error {
	for _, i := range c.group.items {
		if i.gone || i.ID != "" || i.State == journal.Void {
			continue
		}
		if _, ok := listed(i.Entry); !ok || !i.Tagged {
			continue
		}
		if err := c.prove(i); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes every item that carries a tag of the run and returns how many
// it found.
func (c *cleaner) sweep(ctx context.Context) (found int, err error) {
	for _, sort := range c.sorts() {
		for _, tag := range c.group.tags {
			ids, err := c.tagged(ctx, sort, tag)
			if err != nil {
				return found, err
			}
			for _, id := range ids {
				found++
				i, err := c.adopt(sort, tag, id)
				if err != nil {
					return found, err
				}
				if err := c.remove(ctx, i); err != nil {
					return found, err
				}
				if i.why != "" {
					return found, errors.New(i.why)
				}
			}
		}
	}
	return found, nil
}

// sorts are the sorts of items that the run made in this mailbox and that a
// tag can find. Mail is always among them: an invitation leaves some.
func (c *cleaner) sorts() []string {
	sorts := []string{"message"}
	for _, i := range c.group.items {
		if _, ok := listed(i.Entry); ok && !slices.Contains(sorts, i.Sort) {
			sorts = append(sorts, i.Sort)
		}
	}
	if c.group.invited && !slices.Contains(sorts, "event") {
		sorts = append(sorts, "event")
	}
	return sorts
}

// adopt journals an item that was found by its tag, so that it may be deleted.
func (c *cleaner) adopt(sort, tag, id string) (*item, error) {
	for _, i := range c.group.items {
		if i.ID == id {
			return i, nil
		}
	}
	e := journal.Entry{Path: c.group.path, Mailbox: c.group.mailbox, Sort: sort, Tag: tag, ID: id, State: journal.Created, Found: true}
	if sort == "folder" {
		e.URL = rootFolders.url
	}
	if c.journal != nil {
		seq, err := c.journal.Intend(e)
		if err == nil {
			err = c.journal.Done(seq, id)
		}
		if err != nil {
			return nil, &recordError{err}
		}
		e.Seq = seq
	}
	i := &item{Entry: e}
	c.group.items = append(c.group.items, i)
	return i, nil
}

// tagged lists the ids of the items that carry a tag: as a category, or at
// the beginning of their subject or name. A server that cannot search for one
// of these is asked for everything since the run began, and the tag is looked
// for here.
func (c *cleaner) tagged(ctx context.Context, sort, tag string) (ids []string, err error) {
	r := resources[sort]
	if sort == "folder" {
		r = rootFolders
	}
	quoted := strings.ReplaceAll(tag, "'", "''")
	if r.unfiltered {
		return c.search(ctx, r, tag)
	}
	byText := "startswith("
	if c.group.mailed && r.whose != "" {
		byText = "contains("
	}
	for _, filter := range []string{"categories/any(c:c eq '" + quoted + "')", byText + r.text + ",'" + quoted + "')"} {
		status, err := c.list(ctx, r.url, c.selected(r), filter, func(n canon.Node) {
			if c.carries(n, r.text, tag) {
				ids = add(ids, n)
			}
		})
		if err != nil {
			return nil, err
		}
		if status != 200 {
			return c.search(ctx, r, tag)
		}
	}
	return ids, nil
}

// search lists what was created since the run began and picks what carries
// the tag.
func (c *cleaner) search(ctx context.Context, r resource, tag string) (ids []string, err error) {
	filter := ""
	if !r.unfiltered {
		filter = "createdDateTime ge " + c.group.began.Add(-clockSkew).UTC().Format("2006-01-02T15:04:05Z")
	}
	selected := c.selected(r)
	if r == rootFolders {
		selected = "id," + r.text // folders have no categories
	}
	status, err := c.list(ctx, r.url, selected, filter, func(n canon.Node) {
		if c.carries(n, r.text, tag) {
			ids = add(ids, n)
		}
	})
	if err == nil && status != 200 {
		err = fmt.Errorf("listing by tag: the server answered %d (%s)", status, c.adapter.ErrorCode(c.parsed()))
	}
	return ids, err
}

// selected is what is asked of the items of a listing.
func (c *cleaner) selected(r resource) string {
	names := "id,categories," + r.text
	if c.group.mailed && r.whose != "" {
		names += "," + r.whose
	}
	return names
}

// clockSkew is how far the server's clock may be behind ours.
const clockSkew = 10 * time.Minute

// list asks for the items of a filter, page by page, and hands them to each.
func (c *cleaner) list(ctx context.Context, where, selected, filter string, each func(canon.Node)) (status int, err error) {
	op := suites.Operation{Method: "GET", URL: where, Query: strictyaml.Map[suites.QueryValue]{option("$select", selected), option("$top", "100")}}
	if filter != "" {
		op.Query = append(op.Query, option("$filter", filter))
	}
	status, err = c.send(ctx, op, nil)
	for page := 0; err == nil && status == 200; page++ {
		if page == maxPages {
			return 0, fmt.Errorf("listing by tag: more than %d pages, which proves nothing", maxPages)
		}
		values, _ := c.parsed().Find("$.value")
		for n := range values.Children() {
			each(n)
		}
		next, more := c.adapter.Next(c.parsed())
		if !more {
			break
		}
		status, err = c.follow(ctx, next)
	}
	if err != nil {
		return 0, fmt.Errorf("listing by tag: %w", err)
	}
	return status, nil
}

// maxPages bounds a listing: 100,000 items, far more than a mailbox of a test has.
const maxPages = 1000

// add appends the id of an item, each once.
func add(ids []string, n canon.Node) []string {
	if id, ok := n.Get("id"); ok && id.Text() != "" && !slices.Contains(ids, id.Text()) {
		ids = append(ids, id.Text())
	}
	return ids
}

func option(name, value string) strictyaml.Entry[suites.QueryValue] {
	return strictyaml.Entry[suites.QueryValue]{Key: name, Value: suites.QueryValue{Items: []string{value}}}
}

// where is the URL of an item. Sorts without a place of their own lie below
// the URL that they were created at.
func where(i *item) (address string, verbatim bool, err error) {
	if r, ok := resources[i.Sort]; ok {
		return r.url + "/{{item}}", false, nil
	}
	u, err := url.Parse(i.URL)
	if err != nil || i.URL == "" {
		return "", false, errors.New("the journal does not say where it was created")
	}
	switch lower := strings.ToLower(u.Path); {
	case i.Sort == "folder" && strings.Contains(lower, "contactfolders"):
		return "/me/contactFolders/{{item}}", false, nil
	case i.Sort == "folder":
		return "/me/mailFolders/{{item}}", false, nil
	}
	return strings.TrimSuffix(u.EscapedPath(), "/") + "/{{item}}", true, nil
}
