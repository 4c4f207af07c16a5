package clean

import (
	"context"
	"errors"
	"fmt"

	"cutover/harness/clock"
	"cutover/harness/journal"
)

// Count lists what a mailbox holds on a path of what entries say was made there,
// by sort: by the tag where items of a sort carry one, else by asking for each id.
// Nothing is changed.
func Count(ctx context.Context, path, mailbox string, entries []journal.Entry, d Deps) (map[string]int, error) {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	g := &group{path: path, mailbox: mailbox, began: first(entries)}
	c, err := d.cleaner(g)
	if err != nil {
		return nil, err
	}
	counted, listed := map[string]int{}, map[[2]string]bool{}
	for _, e := range entries {
		if resources[e.Sort].text == "" {
			there, err := c.there(ctx, &item{Entry: e})
			if err != nil {
				return nil, err
			}
			if there {
				counted[e.Sort]++
			}
			continue
		}
		if key := [2]string{e.Sort, e.Tag}; !listed[key] {
			listed[key] = true
			ids, err := c.tagged(ctx, e.Sort, e.Tag)
			if err != nil {
				return nil, fmt.Errorf("counting %s in %s on %s: %w", e.Sort, mailbox, path, err)
			}
			counted[e.Sort] += len(ids)
		}
	}
	return counted, nil
}

// there tells whether asking for an item by its id finds it.
func (c *cleaner) there(ctx context.Context, i *item) (bool, error) {
	if i.ID == "" {
		return false, nil
	}
	status, err := c.ask(ctx, i, "GET")
	if err == nil && i.why != "" {
		err = errors.New(i.why)
	}
	return err == nil && status/100 == 2, err
}
