// Package lab is the simulated hybrid deployment: a token service, Graph,
// Exchange on-prem with its REST API and Autodiscover, and the proxy between
// them, all in this process, on loopback, over TLS with a certificate authority
// of its own. docs/lab.md says what is imitated, from which source, how sure.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
	"cutover/harness/lab/quirks"
	"cutover/harness/lab/store"
)

// Lab is a running deployment. Its methods are safe for concurrent use.
type Lab struct {
	options  Options
	info     Info
	ca       *authority
	client   []byte // certificate and key of the first application, PEM
	store    *store.Store
	quirks   *quirks.Set
	numbers  map[*store.Mailbox]int // number of the pair of each mailbox; fixed after Start
	log      frontEndLog
	limiter  *faults.Limiter
	services []*service
	wait     sync.WaitGroup
	unwatch  func() bool
	close    func() error // once

	mu    sync.Mutex
	stale map[*store.Mailbox]staleness // guarded by mu: what Autodiscover still believes after a move
}

// staleness is an answer of the past.
type staleness struct {
	was   store.Location
	until time.Time
}

// staleFor is how long Autodiscover lags with the quirk autod.stale (inferred).
const staleFor = 30 * time.Second

// Start generates the mailboxes and serves until Close, or until ctx ends.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Mailboxes == 0 {
		o.Mailboxes = DefaultMailboxes
	}
	if o.Preset == "" {
		o.Preset = defaultPreset
	}
	p, ok := presets[o.Preset]
	if !ok {
		return nil, fmt.Errorf("lab.preset: unknown value %q", o.Preset)
	}
	if o.Proxy == "" {
		o.Proxy = p.proxy
	}
	l := &Lab{options: o, stale: map[*store.Mailbox]staleness{}, numbers: map[*store.Mailbox]int{}}
	l.close = sync.OnceValue(l.stop)
	if err := l.start(ctx, p); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.unwatch = context.AfterFunc(ctx, func() { _ = l.close() })
	return l, nil
}

// Info says where the services listen and who can sign in.
func (l *Lab) Info() Info { return l.info }

// CAPEM is the certificate authority to trust, in PEM.
func (l *Lab) CAPEM() []byte { return l.ca.pem }

// ClientPEM is the certificate and the key with which the first application can
// sign in instead of its secret, in PEM.
func (l *Lab) ClientPEM() []byte { return l.client }

// Stats counts the requests served so far, by service. The control port and
// what Graph asks the on-prem servers are not in it.
func (l *Lab) Stats() Stats {
	s := Stats{Services: map[string]uint64{}, Throttling: l.limiter.Ledger()}
	for _, one := range l.services {
		if one.name != controlName {
			s.Services[one.name] = one.served.Load()
		}
	}
	return s
}

// Planted lists the quirks that are on. Nothing that compares may read it.
func (l *Lab) Planted() []quirks.Planted { return l.quirks.Planted() }

// FrontEndSays is the x-ms-diagnostics text with which the on-prem front end
// refused what Graph asked it for a client request id; "" when it did not.
func (l *Lab) FrontEndSays(clientRequestID string) string {
	entries := l.log.find(clientRequestID)
	for i := len(entries) - 1; i >= 0; i-- {
		if entries[i].Diagnostics != "" {
			return entries[i].Diagnostics
		}
	}
	return ""
}

// Move changes the side of a mailbox while it is served. to is onprem, cloud,
// unlicensed or softdeleted. Whether ids and delta tokens survive are settings.
func (l *Lab) Move(mailbox, to string) error {
	where, err := store.ParseLocation(to)
	if err != nil {
		return err
	}
	mb, ok := l.store.Lookup(mailbox)
	if !ok {
		return fmt.Errorf("no mailbox %q in the lab", mailbox)
	}
	lag, _ := lagOf(l.options.MoveLag) // Start has checked it
	if l.quirks.On("autod.stale") && lag == 0 {
		lag = staleFor
	}
	if lag > 0 {
		l.mu.Lock()
		l.stale[mb] = staleness{mb.Location(), l.options.Clock.Now().Add(lag)}
		l.mu.Unlock()
	}
	return l.store.Move(mailbox, where, store.MoveOptions{NewIDs: l.options.MoveIDs != "kept", ResetDelta: l.options.MoveDelta != "kept"})
}

// locate is where Autodiscover believes a mailbox to be.
func (l *Lab) locate(mb *store.Mailbox) store.Location {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.stale[mb]; ok {
		if l.options.Clock.Now().Before(s.until) {
			return s.was
		}
		delete(l.stale, mb)
	}
	return mb.Location()
}

// Close stops all services and waits for what they were doing.
func (l *Lab) Close() error {
	if l.unwatch != nil {
		l.unwatch()
	}
	return l.close()
}

func (l *Lab) stop() error {
	errs := make([]error, len(l.services))
	var all sync.WaitGroup
	for i, s := range l.services {
		all.Go(func() { errs[i] = s.close() })
	}
	all.Wait()
	l.wait.Wait()
	return errors.Join(errs...)
}

// at says whether a quirk is on in a mailbox.
func (l *Lab) at(id string, mb *store.Mailbox) bool {
	n, ok := l.numbers[mb]
	return ok && l.quirks.At(id, n)
}

func (l *Lab) writeCA(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, l.ca.pem, 0o644); err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	return file, nil
}

// lagOf reads how long Autodiscover lags behind a move.
func lagOf(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0, fmt.Errorf("want a duration from 0s to 24h")
	}
	return d, nil
}

func lifetime(text string) (time.Duration, error) {
	if text == "" {
		return time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return 0, fmt.Errorf("want a duration from 1s to 24h")
	}
	return d, nil
}
