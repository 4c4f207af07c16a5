package history

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The marks that the nightly rule knows. Any other word is a name for a baseline.
const (
	Good = "good" // counts as a good night, whatever its verdict
	Bad  = "bad"  // never counts as a good night
)

// markFile is the mark as it lies in the run folder.
const markFile = "mark.json"

// mark is a person's word on one run. It names the run, because a folder can be written
// anew.
type mark struct {
	RunID string `json:"run_id"`
	Mark  string `json:"mark"`
	Note  string `json:"note,omitempty"`
}

// readMark returns the mark in a run folder, if it speaks of that run.
func readMark(dir, id string) (mark, error) {
	data, err := os.ReadFile(filepath.Join(dir, markFile))
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, err
	}
	var m mark
	if err := json.Unmarshal(data, &m); err != nil {
		return mark{}, fmt.Errorf("%s: %w", filepath.Join(dir, markFile), err)
	}
	if m.RunID != id {
		return mark{}, nil
	}
	return m, nil
}

// Mark gives a run a mark and a note; an empty mark takes it away. It is written into the
// run's folder when that still holds the run, so that a rebuilt history knows it.
func (h *History) Mark(r Run, word, note string) error {
	if holds(r.Dir, r.RunID) {
		data, err := json.Marshal(mark{RunID: r.RunID, Mark: word, Note: note})
		if err != nil {
			return h.named(err)
		}
		aside := filepath.Join(r.Dir, "."+markFile+".new")
		if err := os.WriteFile(aside, append(data, '\n'), 0o644); err != nil {
			return h.named(err)
		}
		if err := os.Rename(aside, filepath.Join(r.Dir, markFile)); err != nil {
			return h.named(errors.Join(err, os.Remove(aside)))
		}
	}
	return h.named(h.write(func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE runs SET mark = ?, note = ? WHERE n = ?", word, note, r.n)
		return err
	}))
}
