package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// The run's context is not the first that a door sees: the preflight's came before.
func TestEachLongLivedContextIsDerivedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(Rules{Simulated: true})
		if err != nil {
			t.Fatal(err)
		}
		preflight, end := context.WithCancel(t.Context())
		run, stop := context.WithCancel(t.Context())
		defer stop()
		first, _ := d.bound(preflight)
		second, _ := d.bound(run)
		for range 3 {
			if again, _ := d.bound(run); again != second {
				t.Error("the run's context was derived again")
			}
		}
		end()
		synctest.Wait()
		if first.Err() == nil || second.Err() != nil {
			t.Errorf("after the preflight: %v, %v; want only the first to have ended", first.Err(), second.Err())
		}
		for range 10 * keptContexts { // those that end make room
			short, done := context.WithCancel(t.Context())
			if derived, _ := d.bound(short); derived == short {
				t.Error("a context was not derived")
			}
			done()
			synctest.Wait()
		}
		later, finish := context.WithCancel(t.Context())
		defer finish()
		kept, _ := d.bound(later)
		if again, _ := d.bound(later); again != kept {
			t.Error("no place was left for a later context")
		}
		d.Close()
		synctest.Wait()
		for _, ctx := range []context.Context{second, kept} {
			if !errors.Is(context.Cause(ctx), errClosed) {
				t.Errorf("after closing: %v, want that the door is closed", context.Cause(ctx))
			}
		}
	})
}
