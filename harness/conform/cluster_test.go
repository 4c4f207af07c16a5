package conform_test

import (
	"fmt"
	"testing"

	"cutover/harness/conform"

	"github.com/google/go-cmp/cmp"
)

func TestFindingsOfTheSameIterationsNameTheirProbableCause(t *testing.T) {
	c := conform.New(conform.Options{})
	for i := range uint64(200) {
		left, right := `{"subject":"a","isRead":true,"importance":"low"}`, `{"subject":"a","isRead":true,"importance":"low"}`
		if i%7 == 0 {
			right = `{"subject":"b","isRead":false,"importance":"low"}` // one cause, two places
		}
		if i%11 == 3 {
			right = `{"subject":"a","isRead":true,"importance":"high"}` // another cause
		}
		c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: i, Mailbox: fmt.Sprint(i % 5), Left: answer(left), Right: answer(right)})
	}
	got := map[string]string{}
	for _, f := range c.Report().Findings {
		got[f.Pointer] = f.Cause
	}
	want := map[string]string{"/isRead": "", "/subject": "appears in the same iterations as value.bool at t /isRead", "/importance": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("causes (-want +got)\n%s", diff)
	}
}
