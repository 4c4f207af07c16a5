package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// ErrUnfinished says that a folder has no result.json: its run was killed, or
// still runs. Seal makes a result of what is there.
var ErrUnfinished = errors.New("the run has no result: it was killed, or it still runs")

// ErrNoRun says that a folder is no run folder at all.
var ErrNoRun = errors.New("no run folder")

// Load reads a finished run, its time series included.
func Load(dir string) (*result.Result, error) {
	if !IsRun(dir) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoRun)
	}
	data, err := os.ReadFile(filepath.Join(dir, ResultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrUnfinished)
	}
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	r, err := result.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.Series, err = loadSeries(filepath.Join(dir, SeriesFile))
	return r, err
}

// loadSeries reads series.jsonl in the order of time. Lines of the same second
// add up. A last line without its newline was never acknowledged and is
// skipped; a missing file is an empty series.
func loadSeries(file string) ([]result.Second, error) {
	seconds, _, err := readSeries(file)
	return seconds, err
}

// readSeries is loadSeries with the number of whole lines.
func readSeries(file string) (seconds []result.Second, lines int, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("run folder: %w", err)
	}
	at := map[int]int{}
	for len(data) > 0 {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			break
		}
		data = rest
		lines++
		var s result.Second
		if err := json.Unmarshal(line, &s); err != nil {
			return nil, 0, fmt.Errorf("%s:%d: %w", file, lines, err)
		}
		if i, known := at[s.T]; known {
			amend(&seconds[i], s)
			continue
		}
		at[s.T] = len(seconds)
		seconds = append(seconds, s)
	}
	sort.SliceStable(seconds, func(i, j int) bool { return seconds[i].T < seconds[j].T })
	return seconds, lines, nil
}

// amend adds a later line of the same second. What is a level and not a count
// keeps its highest value.
func amend(into *result.Second, s result.Second) {
	if into.Due == 0 && len(into.Series) == 0 { // the line that opened the record
		into.Ahead = s.Ahead
	}
	into.Due += s.Due
	into.Begun += s.Begun
	into.Unplanned += s.Unplanned
	into.Ahead = max(into.Ahead, s.Ahead)
	into.Buckets = into.Buckets.Add(s.Buckets)
	into.InFlight = max(into.InFlight, s.InFlight)
	into.LagP99 = max(into.LagP99, s.LagP99)
	into.CPU = max(into.CPU, s.CPU)
	into.RSSBytes = max(into.RSSBytes, s.RSSBytes)
	into.Findings = max(into.Findings, s.Findings)
	if s.Comparison != nil {
		into.Comparison = s.Comparison
	}
	for _, p := range s.Series {
		addPoint(into, p)
	}
}

func addPoint(into *result.Second, p result.SeriesPoint) {
	for i := range into.Series {
		q := &into.Series[i]
		if q.Scenario != p.Scenario || q.Step != p.Step || q.Path != p.Path {
			continue
		}
		q.Count += p.Count
		q.Errors += p.Errors
		q.Throttled += p.Throttled
		q.PushedBack += p.PushedBack
		both := q.Histogram.Unpack()
		p.Histogram.AddTo(both)
		q.Histogram = hist.Pack(both)
		return
	}
	into.Series = append(into.Series, p)
}

// rows adds a series up into the rows of a result, measured seconds only, in
// the order of scenario, step and path.
func rows(t taken, paths []result.PathInfo) []result.StepStats {
	type key struct{ scenario, step, path string }
	index := map[key]int{}
	var out []result.StepStats
	var measured float64
	for n, s := range t.seconds {
		if !s.Measured {
			continue
		}
		measured += t.length(n)
		for _, p := range s.Series {
			k := key{p.Scenario, p.Step, p.Path}
			i, known := index[k]
			if !known {
				i = len(out)
				index[k] = i
				out = append(out, result.StepStats{Scenario: p.Scenario, Step: p.Step, Path: p.Path,
					Side: sideOf(p.Path, paths), Outcomes: map[string]uint64{}, Histogram: new(hist.Histogram)})
			}
			addRow(&out[i], p)
		}
	}
	for i := range out {
		out[i].RatePerS, out[i].GoodPerS = float64(out[i].Count)/measured, float64(out[i].Outcomes[result.OutcomeOK])/measured
		out[i].Response = result.Summarise(out[i].Histogram)
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Scenario != b.Scenario {
			return a.Scenario < b.Scenario
		}
		if a.Step != b.Step {
			return a.Step < b.Step
		}
		return a.Side < b.Side
	})
	return out
}

func addRow(row *result.StepStats, p result.SeriesPoint) {
	row.Count += p.Count
	for name, n := range map[string]uint64{
		result.OutcomeOK:         p.Count - min(p.Count, p.Errors+p.Throttled),
		result.OutcomeUnexpected: p.Errors,
		result.OutcomeThrottled:  p.Throttled,
	} {
		if n > 0 {
			row.Outcomes[name] += n
		}
	}
	p.Histogram.AddTo(row.Histogram)
}

func sideOf(path string, paths []result.PathInfo) string {
	for _, p := range paths {
		if p.Name == path {
			return p.Side
		}
	}
	return ""
}
