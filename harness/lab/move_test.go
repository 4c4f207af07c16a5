package lab_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

// traffic asks the same questions again and again until it is stopped, and counts
// what is answered.
type traffic struct {
	stop chan struct{}
	all  sync.WaitGroup
	mu   sync.Mutex
	seen map[string]int
	past []string // what was seen before the last forget
}

// flow asks each question, by its name, in a line of its own.
func flow(questions map[string]func() answer) *traffic {
	f := &traffic{stop: make(chan struct{}), seen: map[string]int{}}
	for name, ask := range questions {
		f.all.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				default:
				}
				a := ask()
				said := a.code
				if to := a.header.Get("Location"); to != "" {
					said = origin(to)
				}
				f.mu.Lock()
				f.seen[fmt.Sprint(name, " ", a.status, " ", said)]++
				f.mu.Unlock()
			}
		})
	}
	return f
}

// end stops the traffic and reports every answer that is none of those expected.
func (f *traffic) end(t *testing.T, expected ...string) {
	t.Helper()
	close(f.stop)
	f.all.Wait()
	for _, answer := range slices.Concat(f.past, slices.Collect(maps.Keys(f.seen))) {
		if !slices.Contains(expected, answer) {
			t.Errorf("somebody saw %q", answer)
		}
	}
}

// forget drops what was counted: what is awaited from now on has to come anew.
func (f *traffic) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past = append(f.past, slices.Collect(maps.Keys(f.seen))...)
	f.seen = map[string]int{}
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

// One mailbox moves to the cloud, its twin to the servers and back again, while
// clients ask for their mail, for a stored id, for changes since a token, and where
// the mailbox is. Nobody sees anything but the answers of the two places, and each
// setting keeps its promise during the move and after it.
func TestAMoveUnderTrafficKeepsWhatEachSettingPromises(t *testing.T) {
	for _, row := range []struct {
		name              string
		ids, delta, lag   string
		item, round, said string // about the stored id, the token, and Autodiscover right after the move
	}{
		{"it keeps ids and tokens, and Autodiscover lags", "kept", "kept", "5s", "item 200 ", "round 200 ", "where 302 "},
		{"it renews ids and resets tokens, and Autodiscover knows", "new", "reset", "", "item 404 ErrorItemNotFound", "round 410 SyncStateNotFound", "where 200 "},
		{"it renews ids and keeps tokens", "new", "kept", "", "item 404 ErrorItemNotFound", "round 200 ", "where 200 "},
		{"it keeps ids and resets tokens, and Autodiscover lags", "kept", "reset", "5s", "item 200 ", "round 410 SyncStateNotFound", "where 302 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := clock.NewFake(time.Now())
			w := start(t, lab.Options{MoveIDs: row.ids, MoveDelta: row.delta, MoveLag: row.lag, Clock: c})
			p, app := w.info.Pairs[0], w.app(0)
			old := "where 302 " + origin(w.info.AutodiscoverOnPrem)
			if row.lag != "" {
				row.said = old
			}
			id, token := values(w.rest(0, "GET", "/me/messages?$top=1", "").doc)[0]["Id"].(string), deltaToken(w)
			graph, login := w.info.Graph+"/users/"+p.OnPremUPN, "Basic "+basic(p.OnPremUPN, p.OnPremPassword)
			f := flow(map[string]func() answer{
				"cloud":  func() answer { return w.get(app, graph+"/messages?$top=5") },
				"onprem": func() answer { return w.get("", w.info.Rest+"/me/messages?$top=5", "Authorization", login) },
				"item":   func() answer { return w.get(app, graph+"/messages/"+id) },
				"round": func() answer {
					return w.get(app, w.info.Graph+"/users/"+p.CloudUPN+"/mailFolders/inbox/messages/delta?$deltatoken="+token)
				},
				"where": func() answer {
					return w.get("", w.info.Autodiscover+"/autodiscover/autodiscover.json?Protocol=EWS&Email="+p.OnPremUPN)
				},
			})
			const away = " 404 MailboxNotEnabledForRESTAPI"
			f.await(t, "cloud"+away, "onprem 200 ", "item"+away, "round 200 ", old)
			f.move(w, p.OnPremUPN, "cloud")
			f.move(w, p.CloudUPN, "onprem")
			f.await(t, "cloud 200 ", "onprem 404 ErrorNonExistentMailbox", row.item, "round"+away, row.said)
			f.move(w, p.CloudUPN, "cloud")
			c.Advance(5 * time.Second)
			f.await(t, "cloud 200 ", "onprem 404 ErrorNonExistentMailbox", row.item, row.round, "where 200 ")
			f.end(t, "cloud"+away, "onprem 200 ", "item"+away, "round 200 ", old,
				"cloud 200 ", "onprem 404 ErrorNonExistentMailbox", row.item, "round"+away, row.round, "where 200 ")
		})
	}
}

// move moves a mailbox under the traffic.
func (f *traffic) move(w *world, mailbox, to string) {
	w.t.Helper()
	if got := w.ask("", http.MethodPost, w.info.Control+"/move", `{"mailbox":"`+mailbox+`","to":"`+to+`"}`); got.status != 200 {
		w.t.Fatal(got.body)
	}
	f.forget()
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
