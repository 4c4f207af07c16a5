package history_test

import (
	"path/filepath"
	"testing"

	"cutover/harness/history"
	"cutover/harness/result"
)

func TestTheStateIsTheVerdictOfTheRunBefore(t *testing.T) {
	h, err := history.Open(filepath.Join(t.TempDir(), "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for n, c := range []struct {
		name    string
		verdict result.Verdict
		before  result.Verdict
	}{
		{"of the first run it is none", result.Pass, ""}, {"after a pass it is pass", result.Fail, result.Pass},
		{"after a fail it is fail", result.Inconclusive, result.Fail}, {"after a run that could not tell it is that", result.Pass, result.Inconclusive},
	} {
		r := nightRun(n, 20, 40)
		r.Verdict = c.verdict
		got, err := h.State(r)
		if err != nil || got != c.before {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.before)
		}
		if err := h.Record(r, r.RunID); err != nil {
			t.Fatal(err)
		}
	}
	other := nightRun(9, 20, 40)
	other.Suite, other.SuiteHash = "another", "another"
	if got, err := h.State(other); got != "" || err != nil {
		t.Errorf("another series has the state %q (%v)", got, err)
	}
}
