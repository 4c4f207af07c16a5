package conform_test

import (
	"testing"

	"cutover/harness/conform"
	"cutover/harness/lab/quirks"
)

func TestEveryQuirkOfTheLabHasARule(t *testing.T) {
	for _, q := range quirks.All() {
		if _, ok := conform.Explain(q.ID); !ok {
			t.Errorf("quirk %s (%s) has no rule: a finding cannot be reported under its name", q.ID, q.About)
		}
	}
}
