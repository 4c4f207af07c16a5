package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

const graphPair = `
profile: pair
paths:
  near: {graph: {url: "http://127.0.0.1:9/v1.0"}, auth: {token: {secret: {env: T}}}, headers: {X-Api-Key: s3cret}}
  far: {graph: {url: "http://127.0.0.1:8/v1.0"}, auth: {ntlm: {user: u, password: {env: P}}}}
mailboxes:
  - {name: ann, near_smtp: ann@near.test, far_smtp: ann@far.test}
`

const evidenceSuite = `
suite: evidence
scenarios:
  - name: inbox
    steps:
      - name: list
        get: /me/messages
        query: {$top: "25", $select: [id, subject, importance]}
        capture: {first: "$.value[0].id"}
      - name: read
        get: /me/messages/{{first}}
        prefer: [outlook.body-content-type="text"]
      - name: send
        post: /me/messages
        body: {subject: x}
load: [{name: steady, constant: {rate: 5/s, for: 1s}}]
`

// fickle answers as a mailbox whose subject differs on the far side, the read only until the run is over.
func fickle(side string, over *bool) func(*wire.Request, time.Duration) reply {
	return func(req *wire.Request, _ time.Duration) reply {
		subject, importance := "s", "normal"
		if side == "far" {
			subject = "other"
		}
		switch {
		case req.Method == "POST":
			return reply{status: 201, body: fmt.Sprintf(`{"id":"new-%s","subject":%q}`, side, subject)}
		case strings.Contains(req.URL, "messages/"):
			if side == "far" && !*over {
				importance = "high"
			}
			*over = *over || req.Kind == wire.Probe
			return reply{status: 200, body: fmt.Sprintf(`{"id":"id-%s","subject":"s","importance":%q}`, side, importance)}
		case strings.Contains(req.URL, "$select=subject"):
			return reply{status: 200, body: fmt.Sprintf(`{"value":[{"id":"id-%s","subject":%q}]}`, side, subject)}
		}
		return reply{status: 200, body: fmt.Sprintf(`{"value":[{"id":"id-%s","subject":%q,"importance":"normal"}]}`, side, subject)}
	}
}

func TestADifferenceIsSentAgainWhenTheLoadIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, evidenceSuite, graphPair, plan.Options{})
		over := false
		near, far := newTarget(fickle("near", &over)), newTarget(fickle("far", &over))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		byPlace := map[string]result.Evidence{}
		for _, f := range got.Findings {
			if f.Evidence != nil {
				byPlace[f.Step+" "+f.Pointer] = *f.Evidence
			}
		}
		const token, user = `-H "Authorization: Bearer $TOKEN_LEFT" `, `--ntlm -u "$USER_RIGHT:$PASSWORD_RIGHT" `
		const key = `-H "X-Api-Key: $X_API_KEY_LEFT" `
		const prefer = `-H "Prefer: outlook.body-content-type=\"text\"" `
		want := map[string]result.Evidence{
			"list /value/*/subject": {
				Left:   "curl -sS " + token + key + `"http://127.0.0.1:9/v1.0/users/${MAILBOX_LEFT}/messages?\$select=subject&\$top=1"`,
				Right:  "curl -sS " + user + `"http://127.0.0.1:8/v1.0/me/messages?\$select=subject&\$top=1"`,
				Resent: result.PersistsReduced,
			},
			"read /importance": {
				Left:   "curl -sS " + token + prefer + key + `"http://127.0.0.1:9/v1.0/users/${MAILBOX_LEFT}/messages/${FIRST_LEFT}"`,
				Right:  "curl -sS " + user + prefer + `"http://127.0.0.1:8/v1.0/me/messages/${FIRST_RIGHT}"`,
				Resent: result.NotReproduced, Because: "its scenario changes the mailbox, which is no longer as it was",
			},
			"send /subject": {
				Left:   "curl -sS -X POST " + token + `-H "Content-Type: application/json" ` + key + `--data "$BODY" "http://127.0.0.1:9/v1.0/users/${MAILBOX_LEFT}/messages"`,
				Right:  "curl -sS -X POST " + user + `-H "Content-Type: application/json" ` + `--data "$BODY" "http://127.0.0.1:8/v1.0/me/messages"`,
				Resent: result.NotResent, Because: "the request changes the mailbox",
			},
		}
		if diff := cmp.Diff(want, byPlace); diff != "" {
			t.Errorf("evidence (-want +got)\n%s", diff)
		}
		for side, target := range map[string]*target{"near": near, "far": far} {
			probes := 0
			for _, s := range target.requests() {
				if s.kind == wire.Probe {
					probes++
					if s.method != "GET" {
						t.Errorf("%s %s was sent again", s.method, s.url)
					}
				}
			}
			if n := got.Traffic[side].Probes; n != uint64(probes) || probes != 3 { // list reduced, read reduced and full
				t.Errorf("%s: %d probes counted, %d sent, want 3", side, n, probes)
			}
			if n := row(t, got, "list", side).Count; n != 5 {
				t.Errorf("%s: %d lists in the statistics, want 5: what is sent again is in no row", side, n)
			}
		}
	})
}

func TestNothingIsSentAgainAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, evidenceSuite, graphPair, plan.Options{})
		over := false
		near, far := newTarget(fickle("near", &over)), newTarget(fickle("far", &over))
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(500*time.Millisecond, cancel).Stop()
		got, err := run.Run(ctx, p, deps(map[string]*target{"near": near, "far": far}))
		if err != nil {
			t.Fatal(err)
		}
		if got.Traffic["near"].Probes+got.Traffic["far"].Probes > 0 {
			t.Errorf("traffic %+v", got.Traffic)
		}
		if !slices.ContainsFunc(got.Findings, func(f result.Finding) bool { return f.Evidence != nil && f.Evidence.Because == "the run was stopped" }) {
			t.Errorf("no finding says that it was not sent again: %+v", got.Findings)
		}
	})
}
