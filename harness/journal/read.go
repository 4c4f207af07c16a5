package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Read returns the entries of a journal in the order of their numbers, each
// with its last state. It works while a run still writes and after a crash:
// a torn last line is skipped, and so is one with zeros in it, which was being written
// when the machine stopped. Any other damaged line is an error naming it.
func Read(file string) ([]Entry, error) {
	entries, _, err := load(file)
	return entries, err
}

// load reads the whole lines of file and tells where the last of them ends.
func load(file string) (entries []Entry, size int64, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, 0, fmt.Errorf("journal: %w", err)
	}
	at := map[uint64]int{}
	for number := 1; ; number++ {
		line, rest, whole := bytes.Cut(data[size:], []byte("\n"))
		if !whole {
			return entries, size, nil
		}
		hole := bytes.LastIndexByte(line, 0)
		var e Entry
		err := json.Unmarshal(line[hole+1:], &e)
		if hole < 0 && (err != nil || e.Seq == 0) {
			return nil, 0, fmt.Errorf("%s:%d: not a journal entry", file, number)
		}
		size = int64(len(data) - len(rest))
		if err != nil || e.Seq == 0 {
			continue // its beginning never reached the disk
		}
		i, known := at[e.Seq]
		if !known {
			at[e.Seq] = len(entries)
			entries = append(entries, e)
			continue
		}
		entries[i].overlay(e)
	}
}

// overlay takes what a later line of the same item says. Removed stays: a late
// answer does not bring an item back.
func (e *Entry) overlay(later Entry) {
	if later.ID != "" {
		e.ID = later.ID
	}
	if e.State != Removed {
		e.State = later.State
	}
}

// Open tells whether the item may still exist on the server.
func (e Entry) Open() bool { return e.State != Removed && e.State != Void }
