package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cutover/harness/journal"
	"cutover/harness/result"
)

// Seal makes a result of a run that was killed, writes it into the folder and
// returns it: every second that reached the disk counts, a leg that cannot be
// accounted for is in the bucket unknown, and the verdict is inconclusive
// unless the findings alone fail it. A folder that already has its result is
// only read.
func Seal(dir string) (*result.Result, error) { return SealJudged(dir, nil) }

// SealJudged is Seal with judge called on the result before its verdict is
// decided: gates are evaluated there, on what is left. Nil: gates have no data.
func SealJudged(dir string, judge func(*result.Result)) (*result.Result, error) {
	r, err := Load(dir)
	if !errors.Is(err, ErrUnfinished) {
		return r, err
	}
	run, err := readRun(filepath.Join(dir, RunFile))
	if err != nil {
		return nil, err
	}
	r = run.Result()
	series, err := takeSeries(dir)
	if err != nil {
		return nil, err
	}
	r.Series = series.seconds
	if r.Findings, err = loadFindings(filepath.Join(dir, FindingsFile)); err != nil {
		return nil, err
	}
	if r.Cleanup, err = readJournal(filepath.Join(dir, JournalFile)); err != nil {
		return nil, err
	}
	r.SealedByHand = true
	r.Buckets = account(run.Planned, r.Series)
	r.Steps = rows(series, r.Paths)
	for _, s := range r.Series {
		if s.Comparison != nil {
			r.Comparison = *s.Comparison
		}
	}
	last := lastSecond(r.Series)
	r.Ended = r.Started.Add(time.Duration(last) * time.Second)
	r.Generator = generator(r.Series)
	r.Phases = achieved(r.Phases, series, len(r.Paths))
	r.Stop = &result.Stop{Kind: result.StopKilled, Why: fmt.Sprintf("its record ends %d s after the start", last)}
	r.NotTested = append(r.NotTested, "everything after the kill; shifts were not computed, and differences count only as far as they were written")
	if judge != nil {
		judge(r)
	}
	result.Decide(r)
	return r, writeResult(dir, r)
}

func readRun(file string) (result.Run, error) {
	var run result.Run
	data, err := os.ReadFile(file)
	if err != nil {
		return run, fmt.Errorf("run folder: %w", err)
	}
	if err := json.Unmarshal(data, &run); err != nil {
		return run, fmt.Errorf("%s: %w", file, err)
	}
	return run, nil
}

// loadFindings reads the findings that reached the disk before the kill.
func loadFindings(file string) ([]result.Finding, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	var findings []result.Finding
	for number, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var f result.Finding
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number+1, err)
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// readJournal counts what the run created and what is left of it.
func readJournal(file string) (result.Cleanup, error) {
	var c result.Cleanup
	entries, err := journal.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	for _, e := range entries {
		switch e.State {
		case journal.Removed:
			c.Created++
			c.Removed++
		case journal.Created:
			c.Created++
			c.Left++
		case journal.Intended, journal.Unknown:
			c.Unknown++
		}
	}
	return c, nil
}

// account puts every planned leg into a bucket. Legs that ended are counted in
// the series; legs due later than one second after it was last written had not
// started, nor had those of a closed phase that its users cannot have begun by then;
// whatever remains is unknown: what was due within that second, and what was in
// flight.
func account(planned uint64, seconds []result.Second) result.Buckets {
	var b result.Buckets
	var due, ahead uint64
	for _, s := range seconds {
		b = b.Add(s.Buckets)
		due += s.Due + s.Begun
		planned += s.Unplanned
		ahead = s.Ahead
	}
	b.NotStarted, b.Unknown = 0, 0
	b.Planned = 0
	ended := b.Sum()
	b.Planned = max(planned, ended, due)
	switch {
	case len(seconds) == 0:
		b.NotStarted = b.Planned // the record is opened before the first leg
	case due >= ended && due+ahead > 0 && b.Planned > due+ahead:
		b.NotStarted = b.Planned - due - ahead
	}
	b.Unknown = b.Planned - b.Sum()
	return b
}

func lastSecond(seconds []result.Second) int {
	if len(seconds) == 0 {
		return 0
	}
	return seconds[len(seconds)-1].T + 1
}

func generator(seconds []result.Second) result.Generator {
	var g result.Generator
	for _, s := range seconds {
		g.CPU = max(g.CPU, s.CPU)
		g.RSSBytes = max(g.RSSBytes, s.RSSBytes)
		g.LagP99 = max(g.LagP99, s.LagP99)
	}
	return g
}

// achieved fills in at which rate each phase got its iterations going, over
// the seconds that were recorded.
func achieved(phases []result.Phase, t taken, paths int) []result.Phase {
	out := append([]result.Phase(nil), phases...)
	for i := range out {
		var due, length float64
		for n, s := range t.seconds {
			if s.Phase == out[i].Name {
				due += float64(s.Due + s.Begun)
				length += t.length(n)
			}
		}
		if length > 0 && paths > 0 {
			out[i].GotPS = due / float64(paths) / length
		}
	}
	return out
}
