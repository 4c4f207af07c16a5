package guard

import (
	"fmt"
	"slices"
	"strings"

	"cutover/harness/consent"
	"cutover/harness/wire"
)

// use is what a write uses up.
type use struct {
	items, mails int
	bytes        int64
}

// usedBy tells what a request uses up: each part of a batch by itself.
func usedBy(req *wire.Request) use {
	e := &req.Effect
	u := use{bytes: int64(len(req.Body))}
	if e.Creates != "" && e.Target == "" { // a moved item is not one more
		u.items = 1
	}
	if e.Mails {
		u.mails = 1
	}
	if !isBatch(pathOf(req.URL)) {
		return u
	}
	found := contents{}
	if found.read(req) != nil {
		return u // refused for that elsewhere
	}
	items, mails := 0, 0
	for _, p := range found.changed {
		path := bare(p.url)
		verb, _ := mailVerb("https://batch/" + strings.TrimPrefix(path, "/"))
		switch {
		case verb != "", meeting(strings.ToUpper(p.method), path):
			mails++
		case strings.EqualFold(p.method, "POST") && !asksOnly(path):
			items++
			if e.Mails {
				mails++ // an event with guests invites them
			}
		}
	}
	u.items, u.mails = max(u.items, items), max(u.mails, mails)
	return u
}

// partsDo lists what the parts of a batch do, in the words of a consent.
func partsDo(req *wire.Request) []consent.Operation {
	found := contents{}
	if found.read(req) != nil {
		return nil // refused for that elsewhere
	}
	var ops []consent.Operation
	for _, p := range found.changed {
		path := bare(p.url)
		verb, _ := mailVerb("https://batch/" + strings.TrimPrefix(path, "/"))
		switch {
		case strings.EqualFold(p.method, "DELETE"):
			ops = append(ops, consent.Delete)
		case !strings.EqualFold(p.method, "POST"):
			ops = append(ops, consent.Change)
		case verb != "":
			ops = append(ops, consent.Mail)
		case !asksOnly(path):
			ops = append(ops, consent.Create)
		}
	}
	return ops
}

// asksOnly tells whether a path ends in an action that only asks.
func asksOnly(path string) bool {
	all := words(path)
	return len(all) > 0 && slices.Contains(asking, verbOf(all[len(all)-1]))
}

// volume books what a write uses up, or refuses it.
func (l *limits) volume(req *wire.Request, changes bool) error {
	if !changes {
		return nil
	}
	u := usedBy(req)
	l.mu.Lock()
	defer l.mu.Unlock()
	c, box := &l.caps, req.Mailbox
	switch {
	case over(l.seen.Items, u.items, c.Items):
		return volumeRefusal("items created", c.Items)
	case over(l.items[box], u.items, c.MailboxItems):
		return volumeRefusal("items created in one mailbox", c.MailboxItems)
	case over(l.seen.Mails, u.mails, c.Mails):
		return volumeRefusal("mails sent", max(c.Mails, 0))
	case over(l.seen.Bytes, u.bytes, c.Bytes):
		return volumeRefusal("bytes written", c.Bytes)
	case over(l.bytes[box], u.bytes, c.MailboxBytes):
		return volumeRefusal("bytes written to one mailbox", c.MailboxBytes)
	}
	l.seen.Items += u.items
	l.seen.Mails += u.mails
	l.seen.Bytes += u.bytes
	l.items[box] += u.items
	l.bytes[box] += u.bytes
	l.seen.MailboxItems = max(l.seen.MailboxItems, l.items[box])
	l.seen.MailboxBytes = max(l.seen.MailboxBytes, l.bytes[box])
	return nil
}

// over tells whether more would exceed limit; 0 is none, below 0 nothing.
func over[N int | int64](used, more, limit N) bool {
	return limit != 0 && more > 0 && used+more > limit
}

func volumeRefusal[N int | int64](what string, limit N) *Refusal {
	return refuse("volume", fmt.Sprintf("the cap of %d %s is used up", limit, what), "plan fewer writes, or ask the approver to raise the figure")
}
