package lane_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cutover/harness/lane"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func names(t *lane.Ticket) (list []string) {
	for ; t != nil; t = t.Next() {
		list = append(list, t.Value.(string))
	}
	return list
}

func TestALaneAdmitsUpToItsCapAndThenQueuesInOrder(t *testing.T) {
	l := lane.New(lane.Limits{Concurrency: 2})
	a, b, c, d := &lane.Ticket{Value: "a"}, &lane.Ticket{Value: "b"}, &lane.Ticket{Value: "c"}, &lane.Ticket{Value: "d"}
	got := []bool{l.Enter(a), l.Enter(b), l.Enter(c), l.Enter(d)}
	want := []bool{true, true, false, false}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("Enter %d = %v, want %v", i, got[i], want[i])
		}
	}
	first, _ := l.Leave(start)
	second, _ := l.Leave(start)
	third, _ := l.Leave(start)
	if first != c || second != d || third != nil {
		t.Errorf("Leave handed out %v, %v, %v; want c, d, nil", first, second, third)
	}
	if inFlight, waiting := l.Peak(); inFlight != 2 || waiting != 2 {
		t.Errorf("Peak() = %d, %d; want 2, 2", inFlight, waiting)
	}
}

func TestALaneDropsWhatIsTooLateWhenItsTurnComes(t *testing.T) {
	l := lane.New(lane.Limits{Concurrency: 1, MaxLag: time.Second})
	l.Enter(&lane.Ticket{Value: "a", Due: at(0)})
	l.Enter(&lane.Ticket{Value: "b", Due: at(10)})
	l.Enter(&lane.Ticket{Value: "c", Due: at(20)})
	l.Enter(&lane.Ticket{Value: "d", Due: at(1500)})
	next, late := l.Leave(at(2000))
	if next == nil || next.Value != "d" {
		t.Errorf("Leave handed the slot to %v, want d", next)
	}
	if got := names(late); len(got) != 2 || got[0] != "b" || got[1] != "c" {
		t.Errorf("Leave dropped %v, want b and c", got)
	}
}

func TestExpireFindsLateTicketsWhileNobodyLeaves(t *testing.T) {
	l := lane.New(lane.Limits{Concurrency: 1, MaxLag: time.Second})
	l.Enter(&lane.Ticket{Value: "a", Due: at(0)})
	l.Enter(&lane.Ticket{Value: "b", Due: at(0)})
	l.Enter(&lane.Ticket{Value: "c", Due: at(900)})
	if got := names(l.Expire(at(1001))); len(got) != 1 || got[0] != "b" {
		t.Errorf("Expire = %v, want b", got)
	}
	if got := names(l.Clear()); len(got) != 1 || got[0] != "c" {
		t.Errorf("Clear = %v, want c", got)
	}
}

func TestACancelledTicketIsNotHandedOut(t *testing.T) {
	for _, gone := range []int{0, 1, 2} {
		l := lane.New(lane.Limits{Concurrency: 1})
		held := &lane.Ticket{Value: "held"}
		l.Enter(held)
		queue := []*lane.Ticket{{Value: "a"}, {Value: "b"}, {Value: "c"}}
		for _, q := range queue {
			l.Enter(q)
		}
		if !l.Cancel(queue[gone]) {
			t.Fatalf("Cancel of waiting ticket %d = false", gone)
		}
		if l.Cancel(held) {
			t.Error("Cancel of a ticket with a slot = true")
		}
		l.Enter(&lane.Ticket{Value: "d"})
		want := map[int][]string{0: {"b", "c", "d"}, 1: {"a", "c", "d"}, 2: {"a", "b", "d"}}[gone]
		if got := names(l.Clear()); len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("after cancelling %d the queue is %v, want %v", gone, got, want)
		}
	}
}

func TestAPauseOfTheServerHoldsTheLane(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		l := lane.New(lane.Limits{Concurrency: 4, Rate: rate})
		l.Pause(at(2000))
		l.Pause(at(1000)) // a shorter pause does not end a longer one
		if got := l.Reserve(at(500)); !got.Equal(at(2000)) {
			t.Errorf("rate %v: Reserve inside the pause = %v, want its end", rate, got.Sub(start))
		}
		if got := l.Reserve(at(2500)); !got.Equal(at(2500)) {
			t.Errorf("rate %v: Reserve after the pause = %v, want at once", rate, got.Sub(start))
		}
	}
}

// In any stretch of k/rate seconds at most k requests leave, and whoever may
// leave at once does.
func TestAWindowNeverLetsMoreThroughThanItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.2, 300).Draw(t, "rate")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 400), 1, 300).Draw(t, "gaps")
		w := lane.NewWindow(rate)
		k := max(1, int(rate))
		length := time.Duration(float64(k) / rate * float64(time.Second))
		var sent []time.Time
		now := start
		for _, gap := range gaps {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			leaves := w.Reserve(now)
			if leaves.Before(now) {
				t.Fatalf("Reserve(%v) = %v, before it was asked", now.Sub(start), leaves.Sub(start))
			}
			sent = append(sent, leaves)
			if n := len(sent); n > k && sent[n-1].Sub(sent[n-1-k]) < length {
				t.Fatalf("%d requests in %v, window %v", k+1, sent[n-1].Sub(sent[n-1-k]), length)
			}
		}
	})
}

func TestAWindowWithoutARateHasNoCap(t *testing.T) {
	w, s := lane.NewWindow(0), lane.NewShared(0)
	for range 1000 {
		if got := w.Reserve(start); !got.Equal(start) {
			t.Fatalf("Window.Reserve = %v", got)
		}
		if got := s.Reserve(start); !got.Equal(start) {
			t.Fatalf("Shared.Reserve = %v", got)
		}
	}
}

func TestASharedWindowIsOneForAll(t *testing.T) {
	s := lane.NewShared(10)
	var group sync.WaitGroup
	latest := make([]time.Time, 5)
	for i := range latest {
		group.Go(func() {
			for range 10 {
				latest[i] = s.Reserve(start)
			}
		})
	}
	group.Wait()
	last := start
	for _, t := range latest {
		if t.After(last) {
			last = t
		}
	}
	if want := start.Add(4 * time.Second); !last.Equal(want) {
		t.Errorf("the 50th request at 10/s leaves after %v, want 4s", last.Sub(start))
	}
}

// However tickets come and go, no more than the cap hold a slot and none is lost.
func TestALaneLosesNoTicket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "cap")
		l := lane.New(lane.Limits{Concurrency: limit, MaxLag: time.Second})
		now, entered, done, holding := start, 0, 0, 0
		count := func(late *lane.Ticket) {
			for ; late != nil; late = late.Next() {
				done++
			}
		}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "gap")) * time.Millisecond)
			if rapid.Bool().Draw(t, "enter") || holding == 0 {
				entered++
				if l.Enter(&lane.Ticket{Due: now}) {
					holding++
				}
			} else {
				next, late := l.Leave(now)
				done++
				count(late)
				if next == nil {
					holding--
				}
			}
			if holding > limit {
				t.Fatalf("%d slots taken, cap %d", holding, limit)
			}
		}
		count(l.Clear())
		if done+holding != entered {
			t.Fatalf("%d entered, %d done or dropped, %d hold a slot", entered, done, holding)
		}
	})
}
