package conform_test

import (
	"testing"

	"cutover/harness/conform"

	"github.com/google/go-cmp/cmp"
)

// TestACaptureOfAnItemWithoutACounterpartIsNotComparable has both sides capture the first item of a list,
// which the other side does not have.
func TestACaptureOfAnItemWithoutACounterpartIsNotComparable(t *testing.T) {
	c := conform.New(conform.Options{})
	c.Compare(conform.Pair{Scenario: "s", Step: "list", Endpoint: "GET /me/messages", Mailbox: "m",
		Left:  answer(`{"value":[{"id":"L9","subject":"only left","bodyPreview":"l","isRead":true},{"id":"L1","subject":"a","bodyPreview":"p","isRead":true}]}`),
		Right: answer(`{"value":[{"id":"R9","subject":"only right","bodyPreview":"r","isRead":true},{"id":"R1","subject":"a","bodyPreview":"p","isRead":true}]}`)})
	read := func(step, l, r string) {
		c.Compare(conform.Pair{Scenario: "s", Step: step, Endpoint: "GET /me/messages/{id}", Mailbox: "m", Refs: []conform.Ref{{Left: l, Right: r}},
			Left: answer(`{"id":"` + l + `","subject":"one"}`), Right: answer(`{"id":"` + r + `","subject":"two"}`)})
	}
	read("strangers", "L9", "R9")
	read("counterparts", "L1", "R1")
	report := c.Report()
	var got []string
	for _, f := range report.Findings {
		got = append(got, f.Step+" "+f.ID)
	}
	if diff := cmp.Diff([]string{"list item.extra", "list item.missing", "counterparts value.string"}, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	if n := report.Comparison.Skipped["captures name different items"]; n != 1 {
		t.Errorf("%d pairs were not comparable, want 1", n)
	}
}
