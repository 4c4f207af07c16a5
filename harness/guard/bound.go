package guard

import (
	"context"
	"reflect"
	"sync/atomic"
)

// keptContexts is how many callers' contexts at a time have a derived one that is
// kept: the run's, the preflight's, the clean-up's, and one to spare.
const keptContexts = 4

// bound is a context that ends with its parent or when the door closes.
type bound struct {
	parent context.Context
	ctx    context.Context
}

// boundContexts are the derived contexts that are kept until their parents end.
type boundContexts [keptContexts]atomic.Pointer[bound]

// bound ends ctx when the door closes; stop releases it. A run sends all its requests
// with one context: what is derived from that is derived once and kept until it ends.
func (d *Door) bound(ctx context.Context) (derived context.Context, stop func()) {
	for i := range d.kept {
		if kept := d.kept[i].Load(); kept != nil && kept.parent == ctx {
			return kept.ctx, func() {}
		}
	}
	derived, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(d.ctx, func() { cancel(errClosed) })
	if slot := d.keep(&bound{ctx, derived}); slot != nil {
		one := slot.Load()
		context.AfterFunc(ctx, func() {
			slot.CompareAndSwap(one, nil)
			release()
			cancel(nil)
		})
		return derived, func() {}
	}
	return derived, func() { release(); cancel(nil) }
}

// keep puts b into a free place, nil when there is none.
func (d *Door) keep(b *bound) *atomic.Pointer[bound] {
	if b.parent.Err() != nil || !reflect.TypeOf(b.parent).Comparable() {
		return nil
	}
	for i := range d.kept {
		if d.kept[i].CompareAndSwap(nil, b) {
			return &d.kept[i]
		}
	}
	return nil
}
