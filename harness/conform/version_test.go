package conform_test

import (
	"fmt"
	"testing"

	"cutover/harness/conform"

	"github.com/google/go-cmp/cmp"
)

// state is one sight of an item: its change key and its content.
type state struct{ key, subject string }

// TestVersionsAreComparedByTheirPatternOverTime shows an item and its counterpart several times. What a
// version is called means nothing; when it changes does.
func TestVersionsAreComparedByTheirPatternOverTime(t *testing.T) {
	const (
		stayedLeft  = "version.pattern : same version, other content → version follows content by left"
		stayedRight = "version.pattern : version follows content → same version, other content by right"
		newLeft     = "version.renewed : new version, same content → same version by left"
		newRight    = "version.renewed : same version → new version, same content by right"
		other       = `value.string /subject: "a" → "b"`
	)
	for _, c := range []struct {
		name        string
		left, right []state
		want        []string
	}{
		{"it says nothing of versions that stay", []state{{"1", "a"}, {"1", "a"}}, []state{{"x", "a"}, {"x", "a"}}, nil},
		{"it says nothing of an update on both sides", []state{{"1", "a"}, {"2", "b"}}, []state{{"x", "a"}, {"y", "b"}}, nil},
		{"it says nothing of an update that the step does not show", []state{{"1", "a"}, {"2", "a"}}, []state{{"x", "a"}, {"y", "a"}}, nil},
		{"it says nothing of a change that was taken back on both sides",
			[]state{{"1", "a"}, {"2", "b"}, {"3", "a"}}, []state{{"x", "a"}, {"y", "b"}, {"z", "a"}}, nil},
		{"it says nothing of versions that are spelt alike on both sides", []state{{"1", "a"}, {"2", "b"}}, []state{{"1", "a"}, {"2", "b"}}, nil},
		{"it finds a new version of unchanged content on the right", []state{{"1", "a"}, {"1", "a"}}, []state{{"x", "a"}, {"y", "a"}}, []string{newRight}},
		{"it finds a new version of unchanged content on the left", []state{{"1", "a"}, {"2", "a"}}, []state{{"x", "a"}, {"x", "a"}}, []string{newLeft}},
		{"it finds a version that is new every time", []state{{"1", "a"}, {"1", "a"}, {"1", "a"}}, []state{{"x", "a"}, {"y", "a"}, {"z", "a"}}, []string{newRight}},
		{"it finds a new version between two updates", []state{{"1", "a"}, {"1", "a"}, {"2", "b"}}, []state{{"x", "a"}, {"y", "a"}, {"z", "b"}}, []string{newRight}},
		{"it finds an update under the old version on the right", []state{{"1", "a"}, {"2", "b"}}, []state{{"x", "a"}, {"x", "b"}}, []string{stayedRight}},
		{"it finds an update under the old version on the left", []state{{"1", "a"}, {"1", "b"}}, []state{{"x", "a"}, {"y", "b"}}, []string{stayedLeft}},
		{"it finds an update of one side alone as what it is", []state{{"1", "a"}, {"1", "a"}}, []state{{"x", "a"}, {"y", "b"}}, []string{other}},
	} {
		for _, reversed := range []bool{false, true} { // pairs arrive in any order
			comparer := conform.New(conform.Options{ShowValues: true})
			for n := range c.left {
				i := n
				if reversed {
					i = len(c.left) - 1 - n
				}
				body := func(id string, s state) conform.Answer {
					return answer(fmt.Sprintf(`{"id":%q,"changeKey":%q,"subject":%q}`, id, s.key, s.subject))
				}
				comparer.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(i), Mailbox: "m",
					Left: body("L", c.left[i]), Right: body("R", c.right[i])})
			}
			if diff := cmp.Diff(c.want, lines(comparer.Report().Findings)); diff != "" {
				t.Errorf("%s (reversed %t) (-want +got)\n%s", c.name, reversed, diff)
			}
		}
	}
}

// TestVersionsOfListedItemsAreFollowedOneByOne has two items in a list, of which one gets a new version on the left.
func TestVersionsOfListedItemsAreFollowedOneByOne(t *testing.T) {
	comparer := conform.New(conform.Options{ShowValues: true})
	for i, key := range []string{"1", "2"} {
		comparer.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages", Arrival: uint64(i), Mailbox: "m",
			Left:  answer(`{"value":[{"id":"L1","@odata.etag":"W/\"` + key + `\"","subject":"a"},{"id":"L2","@odata.etag":"W/\"7\"","subject":"b"}]}`),
			Right: answer(`{"value":[{"id":"R1","@odata.etag":"W/\"x\"","subject":"a"},{"id":"R2","@odata.etag":"W/\"y\"","subject":"b"}]}`)})
	}
	report := comparer.Report()
	want := []string{"version.renewed /value/*: new version, same content → same version by left"}
	if diff := cmp.Diff(want, lines(report.Findings)); diff != "" {
		t.Fatalf("findings (-want +got)\n%s", diff)
	}
	if f := report.Findings[0]; f.Count != 1 || f.Share != 0.5 || f.Example == nil || f.Example.Arrival != 1 {
		t.Errorf("finding %+v, want one item, seen at the second pair", f)
	}
}
