package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"cutover/harness/result"
	"cutover/harness/runfolder"
)

// deepest is how far below a root run folders are looked for.
const deepest = 4

// Rebuilt says what Rebuild did.
type Rebuilt struct {
	Runs     int      // recorded
	Skipped  []string // folders with a run that cannot be read, each with the reason
	OldFile  string   // where the old file lies now; "" when there was none
	Searched []string
}

// Rebuild makes the history in file anew from the run folders below the roots. An old
// file is kept beside it, under another name: what it knew of runs whose folders are gone
// is not in the new one.
func Rebuild(file string, roots []string) (Rebuilt, error) {
	done := Rebuilt{Searched: roots}
	old, err := putAside(file)
	if err != nil {
		return done, fmt.Errorf("history: %w", err)
	}
	done.OldFile = old
	h, err := Open(file)
	if err != nil {
		return done, err
	}
	for _, root := range roots {
		if err := h.readAll(root, &done); err != nil {
			return done, errors.Join(err, h.Close())
		}
	}
	return done, h.Close()
}

// readAll records every finished run below root.
func (h *History) readAll(root string, done *Rebuilt) error {
	dirs, err := Folders(root)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		r, err := runfolder.Load(dir)
		if err != nil {
			done.Skipped = append(done.Skipped, err.Error())
			continue
		}
		if err := h.Record(r, dir); err != nil {
			return err
		}
		done.Runs++
	}
	return nil
}

// Folders lists the run folders at or below root, by name.
func Folders(root string) ([]string, error) {
	var out []string
	base := filepath.Clean(root)
	err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		if runfolder.IsRun(path) {
			out = append(out, path)
			return fs.SkipDir
		}
		if rel, err := filepath.Rel(base, path); err == nil && depth(rel) >= deepest {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return out, nil
}

func depth(rel string) int {
	if rel == "." {
		return 0
	}
	n := 1
	for _, c := range filepath.ToSlash(rel) {
		if c == '/' {
			n++
		}
	}
	return n
}

// putAside renames a history with its write-ahead log, and returns its new name.
func putAside(file string) (string, error) {
	if _, err := os.Stat(file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return "", err
	}
	for n := 1; ; n++ {
		old := fmt.Sprintf("%s.%d", file, n)
		if _, err := os.Lstat(old); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			if err := os.Rename(file+suffix, old+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		return old, os.Rename(file, old)
	}
}

// holds says whether a folder still holds the run of that id.
func holds(dir, id string) bool {
	data, err := os.ReadFile(filepath.Join(dir, runfolder.RunFile))
	if err != nil {
		return false
	}
	var run result.Run
	return json.Unmarshal(data, &run) == nil && run.RunID == id
}

// Exported is one line of an export: a run with its numbers and findings.
type Exported struct {
	Run
	Metrics  []Metric `json:"metrics"`
	Findings []Seen   `json:"findings"`
}

// Export writes the runs that fit as JSON lines, the oldest first.
func (h *History) Export(w io.Writer, f Filter) error {
	runs, err := h.List(f)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range runs {
		line := Exported{Run: r}
		if line.Metrics, err = h.Metrics(r); err != nil {
			return err
		}
		if line.Findings, err = h.Findings(r); err != nil {
			return err
		}
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return nil
}
