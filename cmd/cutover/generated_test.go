package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// hurried is a clock on which a minute passes in a second: suites pause and poll.
type hurried struct {
	clock.Clock
	began time.Time
}

const hurry = 60

func (h hurried) Now() time.Time { return h.began.Add(hurry * h.Clock.Now().Sub(h.began)) }

func (h hurried) NewTimer(d time.Duration) clock.Timer {
	return hurriedTimer{h.Clock.NewTimer(d / hurry)}
}

func (h hurried) SleepUntil(ctx context.Context, t time.Time) error {
	return h.Clock.SleepUntil(ctx, h.Clock.Now().Add(t.Sub(h.Now())/hurry))
}

type hurriedTimer struct{ clock.Timer }

func (t hurriedTimer) Reset(d time.Duration) bool { return t.Timer.Reset(d / hurry) }

// book is a journal in memory. The real one waits for the disk, which takes longer than
// everything else here.
type book struct {
	mu   sync.Mutex // guards the fields below
	seq  uint64
	path map[uint64]string
	ids  map[[2]string]bool
}

func newBook() *book { return &book{path: map[uint64]string{}, ids: map[[2]string]bool{}} }

func (b *book) Intend(e journal.Entry) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	b.path[b.seq] = e.Path
	return b.seq, nil
}

func (b *book) Done(seq uint64, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids[[2]string{b.path[seq], id}] = true
	return nil
}

func (b *book) Void(uint64) error    { return nil }
func (b *book) Lost(uint64) error    { return nil }
func (b *book) Removed(uint64) error { return nil }

func (b *book) mine(path, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return id != "" && b.ids[[2]string{path, id}]
}

// block is a number of suites that share a pair of hostile servers, a door and a
// journal.
type block struct {
	seed     uint64
	suites   int
	builtin  []string // texts to mutate
	dir      string   // with the body files
	unlocked bool     // the rules are those of a careless program
}

// tally is what came of the suites of one or more blocks.
type tally struct {
	suites, read, planned, ran, requests, writes, made int

	refused map[string]int    // by rule
	dialled map[string]int    // addresses that are no server of the block
	wrong   map[string]int    // what must never arrive, by sort
	first   map[string]string // an example of each
}

func newTally() *tally {
	return &tally{refused: map[string]int{}, dialled: map[string]int{}, wrong: map[string]int{}, first: map[string]string{}}
}

func (t *tally) add(o *tally) {
	t.suites, t.read, t.planned, t.ran = t.suites+o.suites, t.read+o.read, t.planned+o.planned, t.ran+o.ran
	t.requests, t.writes, t.made = t.requests+o.requests, t.writes+o.writes, t.made+o.made
	for _, m := range [][2]map[string]int{{t.refused, o.refused}, {t.dialled, o.dialled}, {t.wrong, o.wrong}} {
		for key, n := range m[1] {
			m[0][key] += n
		}
	}
	for key, example := range o.first {
		if t.first[key] == "" {
			t.first[key] = example
		}
	}
}

func (t *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d suites: %d read, %d planned, %d ran; %d requests arrived, %d of them writes, which made %d items\nrefused:", t.suites, t.read, t.planned, t.ran, t.requests, t.writes, t.made)
	for _, rule := range slices.Sorted(maps.Keys(t.refused)) {
		fmt.Fprintf(&b, " %s %d,", rule, t.refused[rule])
	}
	return strings.TrimSuffix(b.String(), ",")
}

// refusing counts the rules that say no.
type refusing struct {
	next wire.Doer
	mu   *sync.Mutex
	by   map[string]int // guarded by mu
}

func (d refusing) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	d.next.Do(ctx, req, into)
	var refused *guard.Refusal
	if into.Failure != nil && errors.As(into.Failure.Err, &refused) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.by[refused.Rule]++
	}
}

// ask runs the block's suites one after the other, wired as `cutover run` does it.
func (b block) ask(t *testing.T) *tally {
	t.Helper()
	out := newTally()
	var mu sync.Mutex // guards out.dialled and out.refused
	rogue := newExchange(t, b.seed, false, "")
	defer rogue.server.Close()
	left, right := newExchange(t, b.seed, true, rogue.server.URL), newExchange(t, b.seed+1, false, rogue.server.URL)
	defer left.server.Close()
	defer right.server.Close()
	a := &App{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Env: func(string) string { return "" }, Version: "test",
		Clock: hurried{clock.System(), clock.System().Now()}}
	a.Connecting = func(_, address string) error {
		if at := "http://" + address; at == left.server.URL || at == right.server.URL {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		out.dialled[address]++
		return errors.New("no test leaves this machine")
	}
	profile := b.profile(t, left, right)
	consent := filepath.Join(t.TempDir(), "consent.yaml")
	if err := os.WriteFile(consent, []byte(fmt.Sprintf(`
consent: v1
kind: run
profile: near
tenant: near.example
hosts: [%q, %q]
networks: [127.0.0.0/8]
mailboxes: [ann@left.example, bob@left.example, cat@left.example, ann@right.example, bob@right.example, cat@right.example]
operations: [read, create, change, delete, mail]
recipients: [%s]
rate: 100000/s
items: 1000000
mails: 1000000
expires: 2999-12-31
approver: nobody
`, left.server.Listener.Addr(), right.server.Listener.Addr(), strings.Join(insiders, ", "))), 0o600); err != nil {
		t.Fatal(err)
	}
	names := []string{"onprem", "cloud"}
	rules, err := a.rules(profile, names, &target{consent: consent}, true)
	if err != nil {
		t.Fatal(err)
	}
	records := newBook()
	rules.Mine = records.mine
	if b.unlocked {
		rules.Simulated, rules.Consent, rules.Mine = true, nil, nil
		for _, name := range names {
			rules.Hosts[name] = append(rules.Hosts[name], rogue.server.Listener.Addr().String())
		}
	}
	d, err := a.open(profile, nil, names, rules)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	deps := run.Deps{RunID: "20260302T020000Z-generated", Clock: a.Clock, Doers: map[string]wire.Doer{}, Journal: records, MaxLag: 24 * time.Hour, Key: []byte("key")}
	for _, name := range names {
		deps.Doers[name] = refusing{d.doers[name], &mu, out.refused}
	}
	g := &grammar{r: rand.New(rand.NewPCG(b.seed, 2))}
	for n := range b.suites {
		b.one(t, g, n, profile, rules, deps, out)
	}
	for _, x := range []*exchange{left, right} {
		out.requests, out.writes, out.made = out.requests+x.requests, out.writes+x.verdicts.writes, out.made+x.made
		out.add(&tally{wrong: x.verdicts.wrong, first: x.verdicts.first})
	}
	return out
}

// profile leads to the block's servers.
func (b block) profile(t *testing.T, left, right *exchange) *profiles.Profile {
	t.Helper()
	profile, err := profiles.Parse("near.yaml", []byte(fmt.Sprintf(`
profile: near
paths:
  onprem: {rest: {url: %q, as: user}}
  cloud: {graph: {url: %q, as: %s}}
left: onprem
right: cloud
mailboxes:
  - {name: ann, onprem_smtp: ann@left.example, cloud_upn: ann@right.example, cloud_smtp: ann@right.example, tags: [desktop]}
  - {name: bob, onprem_smtp: bob@left.example, cloud_upn: bob@right.example, cloud_smtp: bob@right.example, tags: [mobile]}
  - {name: cat, onprem_smtp: cat@left.example, cloud_upn: cat@right.example, cloud_smtp: cat@right.example, tags: [desktop, mobile]}
`, left.root(), right.root(), []string{"app", "user"}[b.seed%2])))
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

// one makes a suite and runs a few iterations of it.
func (b block) one(t *testing.T, g *grammar, n int, profile *profiles.Profile, rules guard.Rules, deps run.Deps, out *tally) {
	t.Helper()
	out.suites++
	text := g.suite(n)
	if n%3 == 0 {
		text = g.mutated(pick(g, b.builtin...))
	} else if n%3 == 1 {
		text = g.mutated(text)
	}
	suite, err := suites.Parse(filepath.Join(b.dir, "suite.yaml"), []byte(text))
	if err != nil {
		return
	}
	out.read++
	p, err := plan.Compile(suite, profile, plan.Options{Rate: strictyaml.Rate{PerSecond: 200}, Duration: time.Second, Iterations: 3, AllowWrite: true})
	if err != nil || stress(rules, suite) != nil {
		return
	}
	out.planned++
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := run.Run(ctx, p, deps); err != nil {
		t.Errorf("suite %d of block %d: %v\n%s", n, b.seed, err, text)
		return
	}
	out.ran++
}

// generated asks so many suites, in blocks, several at a time.
func generated(t *testing.T, count int, unlocked bool) *tally {
	t.Helper()
	dir := t.TempDir()
	writeBodies(t, dir)
	builtin := builtinTexts(t)
	const size = 100
	blocks := make(chan block)
	all := newTally()
	var mu sync.Mutex // guards all
	var work sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) { // suites spend most of their time waiting
		work.Go(func() {
			for b := range blocks {
				one := b.ask(t)
				mu.Lock()
				all.add(one)
				mu.Unlock()
			}
		})
	}
	for at := 0; at < count; at += size {
		blocks <- block{seed: uint64(at/size) * 2, suites: min(size, count-at), builtin: builtin, dir: dir, unlocked: unlocked}
	}
	close(blocks)
	work.Wait()
	return all
}

// nothingLeaves asks so many suites and wants nothing to arrive that must not.
func nothingLeaves(t *testing.T, count int) {
	t.Helper()
	defer leaves(t)()
	began := clock.System().Now()
	got := generated(t, count, false)
	t.Logf("%v\nin %v", got, clock.System().Now().Sub(began).Round(time.Millisecond))
	for sort, n := range got.wrong {
		t.Errorf("%d times %s, such as\n%s", n, sort, got.first[sort])
	}
	for address, n := range got.dialled {
		t.Errorf("%d connections to %s were about to be made", n, address)
	}
	if got.ran < count/4 || got.writes < count/10 || got.made < count/10 {
		t.Errorf("too little happened for this to mean anything: %v", got)
	}
	for _, rule := range []string{"host", "header", "mailbox", "not ours", "operation", "recipient"} {
		if got.refused[rule] == 0 {
			t.Errorf("no suite came up against the rule %q", rule)
		}
	}
}

func TestNoGeneratedSuiteGetsPastTheRules(t *testing.T) {
	count := 2000
	if testing.Short() {
		count = 500
	}
	nothingLeaves(t, count)
}

func TestSoakNoneOfAHundredThousandSuitesGetsPastTheRules(t *testing.T) {
	soaking(t)
	nothingLeaves(t, 100_000)
}

// Without the rules the same suites do all that is looked for: the judge is awake.
func TestWithoutTheRulesTheSuitesDoHarm(t *testing.T) {
	got := generated(t, 300, true)
	for _, sort := range []string{"a mailbox outside the list", "a recipient outside the list", "a stored recipient outside the list", "a change to what the run did not make", "something that lasts"} {
		if got.wrong[sort] == 0 {
			t.Errorf("nothing counted as %s: %v %v", sort, got, got.wrong)
		}
	}
	if len(got.dialled) == 0 {
		t.Error("nobody was led elsewhere")
	}
}
