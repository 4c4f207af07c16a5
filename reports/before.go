package reports

import (
	"fmt"
	"time"

	"cutover/harness/result"
)

// heldAgainst says in a sentence which earlier answers a run was held against.
func heldAgainst(b *result.Before) string {
	s := fmt.Sprintf("The %s side is what %s (%s) had answered on %s, in run %s. It was kept as structures and pseudonyms: values are not shown, and which of two moments is earlier is not known.",
		b.Side, b.Path, b.Dialect, b.Made.UTC().Format(time.DateTime+" UTC"), b.RunID)
	if !b.Complete {
		s += " That record is not complete: " + b.Why + "."
	}
	return s
}
