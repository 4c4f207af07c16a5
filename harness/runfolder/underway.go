package runfolder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cutover/harness/result"
)

// underWay is what the second under way had brought when it was last written down.
// It stands beside series.jsonl and is replaced several times a second, so that a
// kill loses a part of a second and the series does not grow by it.
type underWay struct {
	Lines  int           `json:"lines"`  // whole lines of series.jsonl that come before it; with more, it is out of date
	RanMS  float64       `json:"ran_ms"` // how much of the second it covers
	Second result.Second `json:"second"`
}

// KeepSecond replaces what is known of the second under way, of which ran has gone
// by: s.Due and s.Buckets count what it brought so far, s.Ahead the legs that are
// due in the second that follows that moment. It survives a kill of the process; a
// power cut may take it, and then the lines of AppendSecond still stand.
func (f *Folder) KeepSecond(s result.Second, ran time.Duration) error {
	data, err := json.Marshal(underWay{Lines: f.lines, RanMS: float64(ran) / float64(time.Millisecond), Second: s})
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	aside := f.Path("." + SecondFile)
	if err := os.WriteFile(aside, data, 0o644); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	if err := os.Rename(aside, f.Path(SecondFile)); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// taken is the series of a killed run with what was known of its last second.
type taken struct {
	seconds []result.Second
	short   float64 // how much the last second lacks to a whole one, 0 to 1
}

// takeSeries reads the series of a killed run and makes the second under way its last
// line, once: a series that already has it has more lines than that second asks for.
func takeSeries(dir string) (taken, error) {
	file := filepath.Join(dir, SeriesFile)
	seconds, lines, err := readSeries(file)
	if err != nil {
		return taken{}, err
	}
	var last underWay
	data, err := os.ReadFile(filepath.Join(dir, SecondFile))
	if err != nil || json.Unmarshal(data, &last) != nil || last.Lines != lines {
		return taken{seconds: seconds}, nil // none, torn by a power cut, or out of date
	}
	if err := appendLine(file, last.Second); err != nil {
		return taken{}, err
	}
	seconds, _, err = readSeries(file)
	return taken{seconds: seconds, short: min(0.9, max(0, 1-last.RanMS/1000))}, err
}

// length is how much of second n was recorded.
func (t taken) length(n int) float64 {
	if n == len(t.seconds)-1 {
		return 1 - t.short
	}
	return 1
}

// appendLine adds a line to a series that nobody writes to, in place of a torn one.
func appendLine(file string, s result.Second) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	whole := append(data[:bytes.LastIndexByte(data, '\n')+1], append(line, '\n')...)
	return replace(filepath.Dir(file), filepath.Base(file), whole)
}
