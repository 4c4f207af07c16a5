package history

import (
	"fmt"
	"slices"
	"time"

	"cutover/harness/compare"
	"cutover/harness/result"
)

// BadNight is a night since which something is worse, with what else changed from the run
// before it.
type BadNight struct {
	RunID   string               `json:"run_id"`
	Started time.Time            `json:"started"`
	What    []string             `json:"what"` // "p95 of open-inbox/list on cloud: 41 → 52 ms (+27 %)"
	With    []compare.Difference `json:"with"`
}

// FirstBad finds, for every step that is slower than it was and for every finding that
// came to stay, the first night of it. The oldest night comes first.
func (h *History) FirstBad(w Wanted) ([]BadNight, error) {
	runs, err := h.List(w.Filter)
	if err != nil {
		return nil, err
	}
	what := map[int][]string{}
	trends, err := h.Trends(w)
	if err != nil {
		return nil, err
	}
	for _, t := range trends {
		if c, bad := t.Still(); bad {
			what[c.at] = append(what[c.at], fmt.Sprintf("%s of %s/%s on %s: %.3g → %.3g ms (%+.3g %%)", t.Quantile, t.Scenario, t.Step, t.Path, c.Before, c.After, c.Share*100))
		}
	}
	if err := h.findingsThatCame(runs, what); err != nil {
		return nil, err
	}
	out := []BadNight{}
	for i, run := range runs {
		if len(what[i]) == 0 {
			continue
		}
		bad := BadNight{RunID: run.RunID, Started: run.Started, What: what[i], With: []compare.Difference{}}
		if i > 0 {
			bad.With = compare.Differences(runs[i-1].result(), run.result())
		}
		out = append(out, bad)
	}
	return out, nil
}

// findingsThatCame adds the unwaived findings that were not there on the first night and
// are there at the end.
func (h *History) findingsThatCame(runs []Run, what map[int][]string) error {
	shown := map[string][]bool{}
	says := map[string]string{}
	for i, run := range runs {
		findings, err := h.Findings(run)
		if err != nil {
			return err
		}
		for _, f := range findings {
			if f.Waived || f.Severity == result.Info {
				continue
			}
			if shown[f.Fingerprint] == nil {
				shown[f.Fingerprint] = make([]bool, len(runs))
			}
			shown[f.Fingerprint][i] = true
			says[f.Fingerprint] = fmt.Sprintf("finding %s in %s/%s %s (%s, %s)", f.ID, f.Scenario, f.Step, f.Pointer, f.Class, f.Severity)
		}
	}
	var prints []string
	for print := range shown {
		prints = append(prints, print)
	}
	slices.SortFunc(prints, func(a, b string) int {
		if says[a] != says[b] {
			if says[a] < says[b] {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, print := range prints {
		if at, stays := FirstSeen(shown[print]); stays && at > 0 {
			what[at] = append(what[at], says[print])
		}
	}
	return nil
}
