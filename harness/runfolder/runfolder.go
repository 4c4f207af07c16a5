// Package runfolder keeps one run on disk: append-only while it runs, so that
// a process killed at any instant loses at most the last second, and read back
// for every report.
//
// Rules of the folder:
//   - run.json is written first; a folder that has it is a run folder.
//   - series.jsonl grows by one line a second, each on the disk before
//     AppendSecond returns. A torn last line is skipped by readers.
//   - second.json is what the second under way brought so far; it counts only
//     as long as series.jsonl has no line more than when it was written.
//   - Every other file appears whole or not at all (written aside, then renamed).
//   - journal.jsonl and audit.jsonl are private (mode 0600) from the first
//     moment, and never part of a shared bundle.
package runfolder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"cutover/harness/journal"
	"cutover/harness/result"
)

// The names of the files in a run folder.
const (
	RunFile      = "run.json"
	ResultFile   = "result.json"
	SeriesFile   = "series.jsonl"
	SecondFile   = "second.json" // the second under way; gone when the run has ended
	FindingsFile = "findings.jsonl"
	JournalFile  = "journal.jsonl"
	AuditFile    = "audit.jsonl"
)

// Private lists the files that only their owner may read and that no shared
// bundle may hold: real ids and addresses stand in them.
func Private() []string { return []string{JournalFile, AuditFile} }

// ErrForeign says that a folder holds something else than a run.
var ErrForeign = errors.New("not empty, and not a run folder")

// ErrBusy says that the run of a folder still goes on.
var ErrBusy = errors.New("another run writes into it")

// Busy tells whether the run of a folder still goes on.
func Busy(dir string) bool { return journal.Held(filepath.Join(dir, SeriesFile)) }

// ErrUncleaned says that a folder's run left items behind, or may have: its
// journal is what they can be removed by.
var ErrUncleaned = errors.New("holds the journal of a run whose items were not all removed")

// Folder is the folder of a run under way. Its methods belong to one
// goroutine.
type Folder struct {
	dir    string
	series *os.File
	lines  int // of series.jsonl
}

// Create makes dir, or takes it over when it is empty or holds an earlier
// run. That run's results are removed; its journal and audit trail are kept
// under another name, because items may still depend on them. Any other
// folder with something in it is refused with ErrForeign.
func Create(dir string) (*Folder, error) {
	if err := claim(dir); err != nil {
		return nil, fmt.Errorf("run folder %s: %w", dir, err)
	}
	for _, name := range Private() {
		if err := touchPrivate(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("run folder: %w", err)
		}
	}
	series, err := os.OpenFile(filepath.Join(dir, SeriesFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	if err := journal.Hold(series); err != nil {
		return nil, fmt.Errorf("run folder %s: %w", dir, errors.Join(ErrBusy, series.Close()))
	}
	if err := series.Truncate(0); err != nil {
		return nil, fmt.Errorf("run folder: %w", errors.Join(err, series.Close()))
	}
	return &Folder{dir: dir, series: series}, nil
}

// claim makes sure that dir exists and holds nothing that a run would mix
// with.
func claim(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	if Busy(dir) {
		return ErrBusy
	}
	if !IsRun(dir) {
		return ErrForeign
	}
	if c, err := readJournal(filepath.Join(dir, JournalFile)); err == nil && c.Left+c.Unknown > 0 {
		return ErrUncleaned
	}
	for _, name := range Private() {
		if err := keepOld(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && ours(entry.Name()) {
			if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// ours says whether a new run replaces the file of that name.
func ours(name string) bool {
	switch name {
	case RunFile, ResultFile, SeriesFile, SecondFile, FindingsFile:
		return true
	}
	return false
}

// keepOld moves a private file that is not empty out of the way.
func keepOld(file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() == 0 {
		return err
	}
	for n := 1; ; n++ {
		old := fmt.Sprintf("%s.%d", file, n)
		if _, err := os.Lstat(old); errors.Is(err, fs.ErrNotExist) {
			return os.Rename(file, old)
		}
	}
}

// touchPrivate creates an empty file that only its owner can read.
func touchPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// IsRun says whether dir is a run folder.
func IsRun(dir string) bool {
	for _, name := range []string{RunFile, ResultFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// Dir returns the folder's path as it was given.
func (f *Folder) Dir() string { return f.dir }

// Path returns where the file of that name lies or would lie.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// WriteRun replaces run.json. It is called once before the first request
// (with what is asked) and once after the last (with what was achieved);
// result.Run is the form that Seal reads.
func (f *Folder) WriteRun(run any) error {
	data, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return f.replace(RunFile, append(data, '\n'))
}

// AppendSecond adds one line to series.jsonl. When it returns nil the line is
// on the disk.
func (f *Folder) AppendSecond(s result.Second) error {
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	if _, err := f.series.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	f.lines++
	if err := f.series.Sync(); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// WriteFindings replaces findings.jsonl, a finding a line.
func (f *Folder) WriteFindings(findings []result.Finding) error {
	data, err := jsonLines(findings)
	if err != nil {
		return err
	}
	return f.replace(FindingsFile, data)
}

// WriteResult writes findings.jsonl and, last, result.json.
func (f *Folder) WriteResult(r *result.Result) error { return writeResult(f.dir, r) }

// Close ends the series. The folder stays.
func (f *Folder) Close() error { return f.series.Close() }

func (f *Folder) replace(name string, data []byte) error { return replace(f.dir, name, data) }

func writeResult(dir string, r *result.Result) error {
	lines, err := jsonLines(r.Findings)
	if err != nil {
		return err
	}
	if err := replace(dir, FindingsFile, lines); err != nil {
		return err
	}
	data, err := result.Encode(r)
	if err != nil {
		return err
	}
	if err := replace(dir, ResultFile, data); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, SecondFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

func jsonLines[T any](items []T) ([]byte, error) {
	var out []byte
	for _, item := range items {
		line, err := json.Marshal(item)
		if err != nil {
			return nil, fmt.Errorf("run folder: %w", err)
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

// replace writes a file aside, brings it to the disk and renames it, so that
// a reader, or a crash, sees the old content or the new one.
func replace(dir, name string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run folder: %w", err)
		}
	}()
	aside, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return err
	}
	_, err = aside.Write(data)
	err = errors.Join(err, aside.Chmod(0o644), aside.Sync(), aside.Close())
	if err == nil {
		err = os.Rename(aside.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(aside.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a rename survive a power cut. Windows has no such call on
// folders and does not need one.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
