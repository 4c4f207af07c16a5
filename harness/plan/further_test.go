package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/profiles"
	"cutover/suites"
)

const furtherSuite = `
suite: further
scenarios:
  - name: inbox
    weight: 3
    steps:
      - {name: list, get: /me/messages, capture: {first: "$.value[0].id"}}
      - {name: read, get: "/me/messages/{{first}}"}
  - name: draft
    steps:
      - {name: create, post: /me/messages, body: {subject: x}, expect: {status: 201}}
load:
  - {name: warm-up, constant: {rate: 10/s, for: 10s}, measure: false}
  - {name: steady, constant: {rate: 20/s, for: 10s}}
`

// TestWhatTheComparisonAddsIsBounded holds the bounds against what each switch brings: of the 200 measured
// iterations, 150 are expected to ask two reads of which one is a list.
func TestWhatTheComparisonAddsIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		o              plan.Options
		want           []string
	}{
		{"it asks differences again", "", "", plan.Options{}, []string{"onprem differences asked again 100", "cloud differences asked again 100"}},
		{"it asks reads twice for their noise", "load:", "compare: {noise: 10%}\nload:", plan.Options{}, []string{
			"onprem differences asked again 100", "cloud differences asked again 100", "onprem reads asked twice 30", "cloud reads asked twice 30"}},
		{"it follows lists to their end", "load:", "compare: {pages: drain, sample: 50%}\nload:", plan.Options{}, []string{
			"onprem differences asked again 100", "cloud differences asked again 100", "onprem further pages 1425", "cloud further pages 1425"}},
		{"it has no bound where answers decide how much is asked", "constant: {rate: 20/s, for: 10s}", "closed: {users: 2, for: 10s}", plan.Options{Noise: true}, []string{
			"onprem differences asked again 100", "cloud differences asked again 100", "onprem reads asked twice 0", "cloud reads asked twice 0"}},
		{"it adds nothing when one side is asked alone", "", "", plan.Options{Only: plan.Left}, nil},
		{"it adds nothing when nothing is compared", "load:", "compare: {sample: 0%}\nload:", plan.Options{}, nil},
	} {
		suite, err := suites.Parse("further.yaml", []byte(strings.Replace(furtherSuite, c.from, c.to, 1)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		profile, err := profiles.Load("lab")
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Compile(suite, profile, c.o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, f := range p.Further() {
			got = append(got, fmt.Sprintf("%s %s %.0f", f.Path, f.What, f.AtMost))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}
