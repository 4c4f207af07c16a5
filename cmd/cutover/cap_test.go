package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cutover/harness/lab"
)

// Of 10,000 mailboxes a few are asked more often than they can answer at four at a time.
// What they see at once is the lab's own count.
func TestTheLabSeesNoMailboxOfTenThousandAskedByMoreThanItsCap(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	r := &real{t: t, dir: t.TempDir(), env: map[string]string{}}
	l, err := lab.Start(t.Context(), lab.Options{Mailboxes: 10_000, LatencyCloud: "fixed:150ms", Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info := l.Info()
	app := info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == "app-only" })]
	r.secret("MANY", app.Secret)
	var b strings.Builder
	fmt.Fprintf(&b, "profile: many\npaths:\n  cloud: {graph: {url: %q}, auth: {entra: {client: %s, authority: %q, tenant: %s, secret: {env: MANY}}}}\ntls: {ca: %s}\nlimits: {per_mailbox: {concurrency: 4}}\nmailboxes:\n",
		info.Graph, app.ID, info.Authority, info.Tenant, info.CA)
	for i, p := range info.Pairs {
		fmt.Fprintf(&b, "  - {name: box-%d, cloud_upn: %s, cloud_smtp: %s}\n", i+1, p.CloudUPN, p.CloudUPN)
	}
	suite := "suite: caps\nscenarios:\n  - {name: read, skew: 1.1, steps: [{name: list, get: /me/messages, query: {$top: 1, $select: [subject]}}]}\nload:\n  - {name: steady, constant: {rate: 400/s, for: 1s}}\n"
	profile := r.write("many.yaml", b.String())
	code, out, errs := r.cutover("run", r.write("caps.yaml", suite), "--profile", profile, "--out", r.dir+"/run", "--no-progress")
	if code != exitPass && code != exitInconclusive { // a busy machine: the waits are long by intent
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if seen := l.Stats().Throttling; seen.Peak != 4 || seen.Refused != 0 {
		t.Errorf("the lab saw %d at once of one mailbox and refused %d; want 4, to which the busiest were asked, and none\n%s", seen.Peak, seen.Refused, out)
	}
}
