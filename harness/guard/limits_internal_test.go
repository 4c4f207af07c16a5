package guard

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/consent"
	"cutover/harness/wire"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// target answers each request after a time with a status.
type target struct {
	takes time.Duration
	reply func(n int, req *wire.Request, into *wire.Call)

	mu  sync.Mutex
	got []time.Duration // when each request arrived, from the start
	t0  time.Time
}

func (x *target) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	x.mu.Lock()
	x.got = append(x.got, time.Since(x.t0))
	n := len(x.got)
	x.mu.Unlock()
	into.Timing.Sent = time.Now()
	select {
	case <-time.After(x.takes):
		into.Response.Status = 200
		if x.reply != nil {
			x.reply(n, req, into)
		}
	case <-ctx.Done():
		into.Failure = &wire.Failure{Kind: wire.Canceled, Err: ctx.Err()}
	}
}

// worst is the largest number of arrivals within any second.
func worst(at []time.Duration) (most int) {
	for i, from := range at {
		n := 0
		for _, t := range at[i:] {
			if t < from+time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func remote(caps Caps) Rules {
	c := &Consent{Hosts: []string{"mail.contoso.test"}, Mailboxes: []string{"@contoso.test"}, Operations: []consent.Operation{"read", "create", "mail"},
		Rate: strictyaml.Rate{PerSecond: 50}, Recipients: []string{"@contoso.test"}, Mails: 3, Items: 5}
	c.Expires.UnmarshalText([]byte("2999-12-31"))
	boxes := map[string][]string{}
	for i := range 100 {
		boxes[fmt.Sprint("m", i)] = []string{fmt.Sprintf("m%d@contoso.test", i)}
	}
	return Rules{Consent: c, AllowWrite: true, Hosts: map[string][]string{"cloud": {"mail.contoso.test:443"}}, Mailboxes: boxes, Caps: caps}
}

const listing = "https://mail.contoso.test/v1.0/me/messages"

// flood sends n requests for each mailbox at once and returns the target.
func flood(t *testing.T, r Rules, boxes, n int, takes time.Duration) (*target, *Door) {
	t.Helper()
	d, err := Open(r)
	if err != nil {
		t.Fatal(err)
	}
	x := &target{takes: takes, t0: time.Now()}
	p := d.doer("cloud", x)
	var all sync.WaitGroup
	for m := range boxes {
		for range n {
			all.Go(func() {
				var call wire.Call
				p.Do(t.Context(), &wire.Request{Method: "GET", URL: listing, Mailbox: fmt.Sprint("m", m)}, &call)
				if call.Failure != nil {
					t.Errorf("failure: %v", call.Failure)
				}
			})
		}
	}
	all.Wait()
	return x, d
}

func TestCapsHoldForEverySecond(t *testing.T) {
	tests := []struct {
		name         string
		caps         Caps
		boxes, each  int
		takes        time.Duration
		perSecond    int // most arrivals in any second
		concurrency  int // most of one mailbox at once
		least, worst time.Duration
	}{
		{"keeps one mailbox at 8/s", Caps{}, 1, 33, 10 * time.Millisecond, 9, 4, 3900 * time.Millisecond, 4100 * time.Millisecond},
		{"keeps all mailboxes at the consent's 50/s", Caps{}, 20, 10, 10 * time.Millisecond, 52, 4, 3900 * time.Millisecond, 4100 * time.Millisecond},
		{"keeps four of a mailbox under way", Caps{}, 1, 8, 2 * time.Second, 4, 4, 4 * time.Second, 4500 * time.Millisecond},
		{"is not raised by a flag beyond the consent", Caps{Rate: 1000, MailboxRate: 1000, MailboxConcurrency: 1000}, 20, 10, 10 * time.Millisecond, 52, 4, 3900 * time.Millisecond, 4100 * time.Millisecond},
		{"is lowered by the profile", Caps{PathRate: map[string]float64{"cloud": 10}}, 20, 2, 10 * time.Millisecond, 11, 4, 3800 * time.Millisecond, 4 * time.Second},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, d := flood(t, remote(test.caps), test.boxes, test.each, test.takes)
				defer d.Close()
				took := time.Since(x.t0)
				o := d.Observed()
				if got := worst(x.got); got > test.perSecond {
					t.Errorf("%d requests within a second, want at most %d", got, test.perSecond)
				}
				if o.MailboxConcurrency > test.concurrency {
					t.Errorf("%d of one mailbox at once, want at most %d", o.MailboxConcurrency, test.concurrency)
				}
				if took < test.least || took > test.worst {
					t.Errorf("took %s, want %s to %s", took, test.least, test.worst)
				}
			})
		})
	}
}

func TestARateAboveTheTimersResolutionIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Rules{Simulated: true, Hosts: map[string][]string{"cloud": {"127.0.0.1:443"}}, Caps: Caps{Rate: 5000}}
		d, err := Open(r)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		x := &target{t0: time.Now()}
		p := d.doer("cloud", x)
		for range 10000 {
			var call wire.Call
			p.Do(t.Context(), &wire.Request{Method: "GET", URL: "https://127.0.0.1/"}, &call)
			time.Sleep(150 * time.Microsecond) // a sender with a rhythm of its own
		}
		if took := time.Since(x.t0); took > 2050*time.Millisecond {
			t.Errorf("10,000 requests at 5,000/s took %s", took)
		}
	})
}

func TestVolumesAreUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := func(p *Doer, e wire.Effect, body string) string {
			var call wire.Call
			p.Do(t.Context(), &wire.Request{Method: "POST", URL: listing, Mailbox: "m1", Effect: e, Body: []byte(body)}, &call)
			if call.Failure == nil {
				return ""
			}
			r, _ := refusalIn(call.Failure)
			return r.Rule
		}
		create, mail := wire.Effect{Writes: true, Creates: "message"}, wire.Effect{Writes: true, Mails: true, Recipients: []string{"a@contoso.test"}}
		var got []string
		d, err := Open(remote(Caps{Bytes: 100}))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		p := d.doer("cloud", &target{})
		for range 4 {
			got = append(got, send(p, mail, ""))
		}
		for range 6 {
			got = append(got, send(p, create, `{"a":1}`))
		}
		d2, err := Open(remote(Caps{Bytes: 20}))
		if err != nil {
			t.Fatal(err)
		}
		defer d2.Close()
		p = d2.doer("cloud", &target{})
		got = append(got, send(p, create, `{"a":"12345"}`), send(p, create, `{"a":"12345"}`))
		want := []string{"", "", "", "volume", "", "", "", "", "", "volume", "", "volume"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("three mails, five items, twenty bytes (-want +got):\n%s", diff)
		}
		if o := d.Observed(); o.Items != 5 || o.Mails != 3 {
			t.Errorf("observed = %+v", o)
		}
	})
}

func TestWaitingForACapEndsWithTheCallerOrTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(remote(Caps{MailboxConcurrency: 1}))
		if err != nil {
			t.Fatal(err)
		}
		p := d.doer("cloud", &target{takes: time.Hour})
		kinds := make(chan wire.FailureKind, 3)
		ask := func(ctx context.Context) {
			var call wire.Call
			p.Do(ctx, &wire.Request{Method: "GET", URL: listing, Mailbox: "m1"}, &call)
			kinds <- call.Failure.Kind
		}
		go ask(t.Context()) // holds the seat until the door closes
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ask(short)
		gone, leave := context.WithCancel(t.Context())
		leave()
		ask(gone)
		if a, b := <-kinds, <-kinds; a != wire.Timeout || b != wire.Canceled {
			t.Errorf("kinds = %v, %v; want timeout, canceled", a, b)
		}
		go ask(t.Context())
		synctest.Wait()
		d.Close()
		if a, b := <-kinds, <-kinds; a != wire.Refused || b != wire.Refused {
			t.Errorf("kinds after closing = %v, %v; want refused", a, b)
		}
	})
}

func BenchmarkDo(b *testing.B) {
	d, err := Open(Rules{Simulated: true, Hosts: map[string][]string{"cloud": {"127.0.0.1:443"}}})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	p := d.doer("cloud", instant{})
	req := &wire.Request{Method: "GET", URL: "https://127.0.0.1:443/v1.0/me/messages", Mailbox: "m1", Header: wire.Header{{Name: "Prefer", Value: "x"}}}
	var call wire.Call
	b.ReportAllocs()
	for b.Loop() {
		p.Do(b.Context(), req, &call)
	}
}

type instant struct{}

func (instant) Do(_ context.Context, _ *wire.Request, into *wire.Call) { into.Response.Status = 200 }

func BenchmarkRecipients(b *testing.B) {
	r := remote(Caps{})
	body := `{"message":{"subject":"hello","body":{"contentType":"text","content":"` + strings.Repeat("some words of a mail ", 50) + `"},"toRecipients":[{"emailAddress":{"address":"m1@contoso.test"}}]}}`
	req := &wire.Request{Method: "POST", URL: "https://mail.contoso.test/v1.0/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true}, Body: []byte(body)}
	for b.Loop() {
		if err := r.recipients(req, true); err != nil {
			b.Fatal(err)
		}
	}
}
