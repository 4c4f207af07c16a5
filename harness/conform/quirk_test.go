package conform_test

import (
	"testing"

	"cutover/harness/conform"
	"cutover/harness/lab/quirks"
)

func TestEveryQuirkOfTheLabHasARule(t *testing.T) {
	for _, q := range quirks.All() {
		rule, ok := conform.Explain(q.ID)
		if !ok {
			t.Errorf("quirk %s (%s) has no rule: a finding cannot be reported under its name", q.ID, q.About)
			continue
		}
		if q.State == quirks.Waits && rule.Waiting == "" {
			t.Errorf("quirk %s waits in the lab, and its rule does not say what for", q.ID)
		}
		if q.Class != string(rule.Class) {
			t.Errorf("quirk %s is %s in the lab and %s as a rule", q.ID, q.Class, rule.Class)
		}
	}
}
