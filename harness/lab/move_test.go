package lab_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

// traffic asks both sides of a mailbox again and again until it is stopped, and
// counts what they answer.
type traffic struct {
	stop chan struct{}
	all  sync.WaitGroup
	mu   sync.Mutex
	seen map[string]int
}

func (w *world) flow(app, upn, basicAuth string) *traffic {
	f := &traffic{stop: make(chan struct{}), seen: map[string]int{}}
	for side, address := range map[string]string{"cloud": w.info.Graph + "/users/" + upn + "/messages?$top=5", "onprem": w.info.Rest + "/me/messages?$top=5"} {
		f.all.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				default:
				}
				var a answer
				if side == "cloud" {
					a = w.get(app, address)
				} else {
					a = w.get("", address, "Authorization", basicAuth)
				}
				f.mu.Lock()
				f.seen[fmt.Sprint(side, " ", a.status, " ", a.code)]++
				f.mu.Unlock()
			}
		})
	}
	return f
}

// await lets traffic flow until each of the answers was seen.
func (f *traffic) await(t *testing.T, answers ...string) {
	t.Helper()
	for range 2000 {
		f.mu.Lock()
		missing := 0
		for _, a := range answers {
			if f.seen[a] == 0 {
				missing++
			}
		}
		f.mu.Unlock()
		if missing == 0 {
			return
		}
		_ = clock.System().SleepUntil(t.Context(), clock.System().Now().Add(5*time.Millisecond))
	}
	t.Errorf("not all of %v came: %v", answers, f.seen)
}

func TestAMoveUnderTrafficFlipsTheSidesAndNothingElse(t *testing.T) {
	const away, here = "cloud 404 MailboxNotEnabledForRESTAPI", "onprem 200 "
	const moved, gone = "cloud 200 ", "onprem 404 ErrorNonExistentMailbox"
	for _, ids := range []string{"kept", "new"} {
		w := start(t, lab.Options{MoveIDs: ids})
		p := w.info.Pairs[0]
		before := values(w.rest(0, "GET", "/me/messages?$top=1", "").doc)[0]["Id"]
		app := w.app(0)
		f := w.flow(app, p.OnPremUPN, "Basic "+basic(p.OnPremUPN, p.OnPremPassword))
		f.await(t, away, here)
		if got := w.ask("", http.MethodPost, w.info.Control+"/move", `{"mailbox":"`+p.OnPremUPN+`","to":"cloud"}`); got.status != 200 {
			t.Fatal(got.body)
		}
		f.await(t, moved, gone)
		close(f.stop)
		f.all.Wait()
		for answer := range f.seen {
			if answer != away && answer != here && answer != moved && answer != gone {
				t.Errorf("during the move somebody saw %q %d times", answer, f.seen[answer])
			}
		}
		after := values(w.get(app, w.info.Graph+"/users/"+p.OnPremUPN+"/messages?$top=1").doc)[0]["id"]
		if (after == before) != (ids == "kept") {
			t.Errorf("ids %s: %v became %v", ids, before, after)
		}
	}
}

func TestAMoveKeepsOrResetsDeltaTokens(t *testing.T) {
	for setting, want := range map[string]string{"kept": "200 ", "reset": "410 SyncStateNotFound"} {
		w := start(t, lab.Options{MoveDelta: setting, MoveIDs: "kept"})
		app, upn := w.app(0), w.info.Pairs[0].CloudUPN
		token := deltaToken(w)
		for _, to := range []string{"onprem", "cloud"} { // out and back again: a round that spans two moves
			if err := w.lab.Move(upn, to); err != nil {
				t.Fatal(err)
			}
		}
		got := w.get(app, w.info.Graph+"/users/"+upn+"/mailFolders/inbox/messages/delta?$deltatoken="+token)
		if s := fmt.Sprint(got.status, " ", got.code); s != want {
			t.Errorf("delta tokens %s: %s, want %s", setting, s, want)
		}
	}
}

func TestAutodiscoverLagsBehindAMoveAsLongAsItIsTold(t *testing.T) {
	c := clock.NewFake(time.Now())
	w := start(t, lab.Options{MoveLag: "5s", Clock: c})
	upn := w.info.Pairs[0].OnPremUPN
	onPrem := func() bool {
		return strings.HasPrefix(w.get("", w.info.Autodiscover+"/autodiscover/autodiscover.json?Protocol=EWS&Email="+upn).header.Get("Location"), w.info.AutodiscoverOnPrem)
	}
	if err := w.lab.Move(upn, "cloud"); err != nil {
		t.Fatal(err)
	}
	c.Advance(4 * time.Second)
	if !onPrem() {
		t.Error("after 4 s it knows of the move already")
	}
	c.Advance(time.Second)
	if onPrem() {
		t.Error("after 5 s it does not know of the move yet")
	}
}
