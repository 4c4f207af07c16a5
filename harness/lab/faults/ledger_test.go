package faults_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
)

func TestTheLedgerTellsWhoCameTooEarly(t *testing.T) {
	c := clock.NewFake(time.Unix(1_000_000, 0))
	limits, err := faults.ParseLimits("2/10s")
	if err != nil {
		t.Fatal(err)
	}
	l := faults.NewLimiter(limits, c)
	var after time.Duration
	for _, step := range []struct {
		it      string
		advance time.Duration
		refused bool
		want    faults.Ledger
	}{
		{"counts who is at work", 0, false, faults.Ledger{Peak: 1}},
		{"counts all of them", 0, false, faults.Ledger{Peak: 2}},
		{"counts a refusal", 0, true, faults.Ledger{Peak: 3, Refused: 1}},
		{"forgives what was on its way", 100 * time.Millisecond, true, faults.Ledger{Peak: 3, Refused: 2}},
		{"blames what came in the window", time.Second, true, faults.Ledger{Peak: 3, Refused: 3, Early: 1}},
		{"blames nobody afterwards", 11 * time.Second, false, faults.Ledger{Peak: 3, Refused: 3, Early: 1}},
	} {
		c.Advance(step.advance)
		_, refused := l.Admit("app", "mailbox", 0)
		if refused != nil {
			after = refused.After
		}
		if diff := cmp.Diff(step.want, l.Ledger()); diff != "" || (refused != nil) != step.refused {
			t.Errorf("it %s: refused %+v (-want +got)\n%s", step.it, refused, diff)
		}
	}
	if after <= 8*time.Second {
		t.Errorf("the last refusal asked for %v", after)
	}
}

func TestThrottlesThatAreRefused(t *testing.T) {
	for text, part := range map[string]string{"often": "20/1s", "0/1s": "20/1s", "20": "20/1s", "20/1": "no window", "20/1ms": "no window"} {
		if _, err := faults.ParseLimits(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", text, err, part)
		}
	}
	for text, want := range map[string]faults.Limits{"": faults.Published(), "published": faults.Published(), "none": {}} {
		if got, err := faults.ParseLimits(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
