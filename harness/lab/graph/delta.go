package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// deltaState is what a delta token holds: where the client is, and what it asked
// for in its first call. It is opaque to clients and checked when it comes back.
type deltaState struct {
	Generation    uint32
	Collection    uint64 // folder, or the sort of collection
	Since, Floor  uint64
	Query         string // the first call's raw query
	From, To      int64  // window of events, Unix seconds
	ReceivedAfter int64
}

// defaultDelta is the page size of delta answers unless one is preferred; largest
// is what clients report as the maximum.
const (
	defaultDelta = 10
	largestDelta = 500
	leastEvents  = 10
)

func (c *call) sealToken(d deltaState) string {
	var buf bytes.Buffer
	for _, v := range []any{d.Generation, d.Collection, d.Since, d.Floor, d.From, d.To, d.ReceivedAfter} {
		binary.Write(&buf, binary.BigEndian, v)
	}
	buf.WriteString(d.Query)
	sum := binary.BigEndian.AppendUint64(nil, c.tokenSum(buf.Bytes()))
	return base64.RawURLEncoding.EncodeToString(append(sum, buf.Bytes()...))
}

// tokenSum binds a token to the mailbox and to its content.
func (c *call) tokenSum(raw []byte) uint64 {
	h := c.s.cfg.Seed
	for _, b := range append([]byte(c.mb.User().OID), raw...) {
		h = scramble(h ^ uint64(b))
	}
	return h
}

func (c *call) openToken(token string) (d deltaState, f *fault) {
	bad := badCode("ErrorInvalidSyncStateData", "The sync state data is invalid.")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	const fixed = 4 + 6*8
	if err != nil || len(raw) < 8+fixed || binary.BigEndian.Uint64(raw) != c.tokenSum(raw[8:]) {
		return d, bad
	}
	r := bytes.NewReader(raw[8:])
	for _, v := range []any{&d.Generation, &d.Collection, &d.Since, &d.Floor, &d.From, &d.To, &d.ReceivedAfter} {
		if binary.Read(r, binary.BigEndian, v) != nil {
			return d, bad
		}
	}
	d.Query = string(raw[8+fixed:])
	if d.Generation != c.mb.SyncGeneration() {
		return d, storeFault(store.ErrSyncReset)
	}
	return d, nil
}

// startDelta reads the token of a follow-up, or begins a round.
func startDelta[T any](c *call, s *schema[T], collection uint64) (deltaState, *plan[T], *fault) {
	p := c.plan.(*plan[T])
	token := p.q.DeltaToken
	if token == "" {
		token = p.q.SkipToken
	}
	if token == "" {
		return deltaState{Generation: c.mb.SyncGeneration(), Collection: collection, Floor: c.mb.Sequence(), Query: c.raw}, p, nil
	}
	d, f := c.openToken(token)
	if f != nil {
		return d, nil, f
	}
	if d.Collection != collection {
		return d, nil, badCode("ErrorInvalidSyncStateData", "The sync state data is invalid.")
	}
	p, f = s.plan(d.Query)
	return d, p, f
}

func (c *call) deltaPage(least int) int {
	n := c.prefer.pageSize
	if n <= 0 {
		n = defaultDelta
	}
	return min(max(n, least), largestDelta)
}

// writeDelta writes one page of a round. typ is the name of the element type;
// withType adds it to every element, as the service does for items.
func writeDelta[T any](c *call, s *schema[T], p *plan[T], d deltaState, ch store.Changes[T], typ string, withType, folderIDs bool) *fault {
	e := c.encoder()
	e.expand = p.expand
	b := take()
	out := c.context(b.bytes, "Collection("+typ+")")
	next := d
	next.Since = ch.Next
	option := "$skiptoken"
	if ch.More {
		out = append(out, `"@odata.nextLink":`...)
	} else {
		option, next.Floor = "$deltatoken", 0
		out = append(out, `"@odata.deltaLink":`...)
	}
	out = appendString(out, c.tokenLink(option, c.sealToken(next)))
	out = append(out, `,"value":[`...)
	for i, x := range ch.Items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '{')
		if withType && e.etags {
			out = append(out, `"@odata.type":"#microsoft.graph.`+typ+`",`...)
		}
		if !x.Gone {
			out = s.members(out, e, p.fields, x.Item)
			continue
		}
		out = append(out, `"id":`...)
		if folderIDs {
			out = e.appendFolderID(out, x.Removed.Key)
		} else {
			out = e.appendID(out, x.Removed)
		}
		out = append(out, `,"@removed":{"reason":"deleted"}}`...)
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

func messageDelta(c *call) *fault {
	folder, f := c.messageFolder()
	if f != nil {
		return f
	}
	if folder == 0 {
		return badCode("ErrorInvalidRequest", "Change tracking is not supported against 'microsoft.graph.message' outside of a folder.")
	}
	d, p, f := startDelta(c, messages, uint64(folder))
	if f != nil {
		return f
	}
	if f := deltaOptions(p); f != nil {
		return f
	}
	ch, err := c.mb.MessageChanges(folder, store.ChangeQuery{Since: d.Since, Floor: d.Floor, Limit: c.deltaPage(1)})
	if errors.Is(err, store.ErrSyncReset) {
		return storeFault(err)
	}
	if err != nil {
		return &fault{status: http.StatusNotFound, code: "ErrorSyncFolderNotFound", message: "The folder that was to be synchronized was not found."}
	}
	lost := c.prefer.immutable && c.s.cfg.Quirk("sync.moveback", c.mb)
	ch.Items = slices.DeleteFunc(ch.Items, func(x store.Change[message]) bool {
		return !x.Gone && (p.keep != nil && !p.keep(x.Item) || x.Back && lost)
	})
	return writeDelta(c, messages, p, d, ch, "message", true, false)
}

// deltaOptions refuses what message delta does not take: any order but newest
// first, any filter but a lower bound of receivedDateTime, and $search.
func deltaOptions(p *plan[message]) *fault {
	if p.q.HasSearch {
		return badCode("ErrorInvalidUrlQuery", "The query parameter '$search' is not supported for change tracking.")
	}
	if o := p.q.OrderBy; len(o) > 0 && (len(o) > 1 || !o[0].Desc || !strings.EqualFold(o[0].Path, "receivedDateTime")) {
		return badCode("ErrorInvalidUrlQuery", "Change tracking can only be ordered by receivedDateTime desc.")
	}
	if p.q.Filter != nil {
		var q store.MessageQuery
		if !receivedBounds(p.q.Filter, &q) || !q.Before.IsZero() {
			return badCode("ErrorInvalidUrlQuery", "Change tracking can only be filtered by receivedDateTime with ge or gt.")
		}
	}
	return nil
}

func folderDelta(c *call) *fault {
	d, p, f := startDelta(c, folders, uint64(store.FolderSort))
	if f != nil {
		return f
	}
	ch := c.mb.FolderChanges(store.ChangeQuery{Since: d.Since, Floor: d.Floor, Limit: c.deltaPage(1)})
	return writeDelta(c, folders, p, d, ch, "mailFolder", false, true)
}

// eventDelta follows the default calendar's view of a fixed window.
func eventDelta(c *call) *fault {
	d, p, f := startDelta(c, events, uint64(store.EventSort))
	if f != nil {
		return f
	}
	if d.To == 0 {
		from, to, f := window(p.q)
		if f != nil {
			return f
		}
		d.From, d.To = from.Unix(), to.Unix()
	}
	plain := &plan[event]{q: &odata.Query{}, fields: events.defaults()} // $select is not supported here
	ch := c.mb.EventChanges(time.Unix(d.From, 0), time.Unix(d.To, 0), store.ChangeQuery{Since: d.Since, Floor: d.Floor, Limit: c.deltaPage(leastEvents)})
	return writeDelta(c, events, plain, d, ch, "event", true, false)
}

func contactDelta(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	d, p, f := startDelta(c, contacts, uint64(k))
	if f != nil {
		return f
	}
	ch, err := c.mb.ContactChanges(k, store.ChangeQuery{Since: d.Since, Floor: d.Floor, Limit: c.deltaPage(1)})
	if err != nil {
		return storeFault(err)
	}
	return writeDelta(c, contacts, p, d, ch, "contact", true, false)
}

func contactFolderDelta(c *call) *fault {
	d, p, f := startDelta(c, contactFolders, uint64(store.ContactFolderSort))
	if f != nil {
		return f
	}
	ch := c.mb.ContactFolderChanges(store.ChangeQuery{Since: d.Since, Floor: d.Floor, Limit: c.deltaPage(1)})
	return writeDelta(c, contactFolders, p, d, ch, "contactFolder", false, true)
}
