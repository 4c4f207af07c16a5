package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/result"
)

// TestAMailboxPairThatAWriteSplitIsReportedAndItsListsAreNoDifferences lets the cloud refuse what on-premises takes:
// from then on the two calendars differ, and that is nobody's fault.
func TestAMailboxPairThatAWriteSplitIsReportedAndItsListsAreNoDifferences(t *testing.T) {
	suite := filepath.Join(t.TempDir(), "split.yaml")
	text := `suite: split
scenarios:
  - name: yearly
    steps:
      - name: create
        post: /me/events
        body:
          subject: "{{random.subject}}"
          start: {dateTime: "2026-03-10T09:00:00", timeZone: UTC}
          end: {dateTime: "2026-03-10T10:00:00", timeZone: UTC}
          recurrence:
            pattern: {type: relativeYearly, interval: 1, month: 3, daysOfWeek: [tuesday], index: second}
            range: {type: noEnd, startDate: "2026-03-10"}
        expect: {status: [201, 400]}
      - {name: look, get: /me/events, query: {$top: 50, $select: [id, subject]}}
load: [{constant: {rate: 20/s, for: 1s}}]
`
	if err := os.WriteFile(suite, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, quirks string
		diverged     int
	}{
		{"nothing is refused, and nothing diverges", "none", 0},
		{"the cloud refuses a series in each of two mailboxes, and both pairs diverge", "recur.inexpressible", 2},
	} {
		r := ledgerResult(t, suite, "--set", "lab.mailboxes=2", "--set", "lab.quirks="+row.quirks)
		for _, f := range r.Findings {
			if f.Step != "create" && f.Class == result.Breaking {
				t.Errorf("%s: %s %s/%s %s: %s → %s", row.name, f.ID, f.Scenario, f.Step, f.Pointer, f.Left, f.Right)
			}
		}
		if len(r.Diverged) != row.diverged || (r.Comparison.Skipped["diverged mailbox"] > 0) != (row.diverged > 0) {
			t.Errorf("%s: diverged %+v, skipped %v", row.name, r.Diverged, r.Comparison.Skipped)
		}
		for _, d := range r.Diverged {
			if d.Step != "create" || d.Side != "left" || !strings.Contains(d.Mailbox, ".") {
				t.Errorf("%s: %+v", row.name, d)
			}
		}
	}
}
