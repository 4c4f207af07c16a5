package history

import (
	"fmt"

	"cutover/harness/result"
)

// State is the verdict of the last run of r's series before r, "" when there is
// none. A change of it is what somebody has to hear of.
func (h *History) State(r *result.Result) (result.Verdict, error) {
	runs, err := h.List(Filter{Series: SeriesOf(r), Before: r.Started, Last: 1})
	if err != nil {
		return "", fmt.Errorf("history: %w", err)
	}
	if len(runs) == 0 {
		return "", nil
	}
	return runs[len(runs)-1].Verdict, nil
}
