// Package journal is the write-ahead record of every item that a run creates,
// so that cleaning up never depends on the run having ended well.
//
// Rules of the file:
//   - An entry is on the disk (fsync) before the request that creates the item is sent.
//   - Concurrent callers share one fsync (group commit).
//   - A line is never changed: later lines of the same seq overlay earlier ones.
//   - The last line may be torn by a crash, and zeros may stand where lines were about to be
//     written (see tail): what they touch was never acknowledged, so readers skip it.
//   - It holds real ids and addresses: mode 0600, never part of a shared bundle.
package journal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"cutover/harness/clock"
)

// State says how far the creation of an item came.
type State string

// The states of an entry, in the order in which an item passes them.
const (
	Intended State = "intended" // written ahead: the item may or may not exist
	Created  State = "created"  // the server answered with the item's id
	Void     State = "void"     // the server refused: nothing was created
	Unknown  State = "unknown"  // no usable answer came: the item may exist
	Removed  State = "removed"  // deleted, and a listing showed that it is gone
)

// Entry is one item that a run created or was about to create.
type Entry struct {
	Seq     uint64    `json:"seq"`               // from 1, unique in the file
	At      time.Time `json:"at,omitzero"`       // when the creation was intended; zero is filled in
	Path    string    `json:"path,omitempty"`    // path of the profile that the request went down
	Mailbox string    `json:"mailbox,omitempty"` // name of the mailbox pair
	Sort    string    `json:"sort,omitempty"`    // what it is, in wire.Effect's words: "message", "event", "contact", "folder"
	ID      string    `json:"id,omitempty"`      // the server's id, "" until known
	Tag     string    `json:"tag,omitempty"`     // the run's tag, by which an item without an id is found
	Tagged  bool      `json:"tagged,omitempty"`  // the request itself carried the tag, so that a listing by tag proves absence
	To      []string  `json:"to,omitempty"`      // whom the request may mail; nil when it is not known
	Found   bool      `json:"found,omitempty"`   // not created under this entry, but found by the tag while cleaning
	URL     string    `json:"url,omitempty"`     // where the creation was sent
	State   State     `json:"state"`
}

// ErrClosed is returned by every method of a closed journal.
var ErrClosed = errors.New("journal is closed")

// Journal appends entries to one file. Its methods may be called from any
// goroutine; none of them returns before what it promises holds.
type Journal struct {
	tail  tail // the writer's
	clock clock.Clock
	wake  chan struct{}  // one slot: lines wait. Closed by Close
	done  sync.WaitGroup // the writer

	mu     sync.Mutex        // guards everything below
	seq    uint64            // last number given out
	next   *batch            // lines that wait for the next write, nil when none
	spare  []byte            // room for the lines of a later batch
	paths  map[uint64]string // path of each item whose id is not yet known
	mine   map[item]bool     // created items
	closed bool
	failed error // first write error; nothing is accepted after it
}

// item is a created item: ids are unique on one path only.
type item struct{ path, id string }

// batch is a group of lines that one write puts on the disk together.
type batch struct {
	lines []byte
	sync  bool          // somebody waits for the disk
	done  chan struct{} // closed by the writer
	err   error         // set before done is closed
}

// Open creates file (mode 0600) or continues it: numbers go on after the last
// entry, and a torn last line is cut off. A file that others may read is made
// private first. One process at a time may hold a journal open.
func Open(file string) (*Journal, error) {
	entries, size, err := load(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := prepare(f, size); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", file, err), f.Close())
	}
	j := &Journal{tail: tail{file: f, at: size}, clock: clock.System(), wake: make(chan struct{}, 1)}
	j.paths, j.mine = map[uint64]string{}, map[item]bool{}
	for _, e := range entries {
		j.seq = max(j.seq, e.Seq)
		j.paths[e.Seq] = e.Path
		if e.ID != "" {
			j.mine[item{e.Path, e.ID}] = e.Open()
		}
	}
	j.done.Go(j.writeAll)
	return j, nil
}

// prepare makes the file private, holds it against a second writer and cuts
// off what follows the last whole line.
func prepare(f *os.File, size int64) error {
	if err := lock(f); err != nil {
		return err
	}
	if err := restrict(f); err != nil {
		return err
	}
	return f.Truncate(size)
}

// Intend records that an item is about to be created and returns its number.
// When it returns without an error the record is on the disk; only then may
// the request be sent. Seq, State and a zero At are filled in.
func (j *Journal) Intend(e Entry) (seq uint64, err error) {
	e.State = Intended
	if e.At.IsZero() {
		e.At = j.clock.Now().UTC()
	}
	return j.append(e, true)
}

// Done records the id that the server gave to the item of seq. Like Void and
// Lost it does not wait for the file: an id lost to a kill is found again by
// the run's tag. Sync waits.
func (j *Journal) Done(seq uint64, id string) error {
	_, err := j.append(Entry{Seq: seq, ID: id, State: Created}, false)
	return err
}

// Void records that the server refused and nothing was created.
func (j *Journal) Void(seq uint64) error {
	_, err := j.append(Entry{Seq: seq, State: Void}, false)
	return err
}

// Lost records that no usable answer came, so that the item may exist.
func (j *Journal) Lost(seq uint64) error {
	_, err := j.append(Entry{Seq: seq, State: Unknown}, false)
	return err
}

// Removed records that the item of seq is gone, proved by a listing. It does not wait
// either: of an item whose removal is forgotten, cleaning up finds out again.
func (j *Journal) Removed(seq uint64) error {
	_, err := j.append(Entry{Seq: seq, State: Removed}, false)
	return err
}

// append adds one line to the next batch. Durable waits until it is on the
// disk; otherwise a write error shows at the next call. A new entry (Seq 0)
// gets its number here, so that numbers rise in the file.
func (j *Journal) append(e Entry, durable bool) (uint64, error) {
	b, seq, err := j.enqueue(e, durable)
	if err != nil || !durable {
		return seq, err
	}
	<-b.done
	return seq, b.err
}

// Sync waits until everything recorded so far is on the disk, so that Read
// sees it.
func (j *Journal) Sync() error {
	j.mu.Lock()
	switch {
	case j.closed, j.failed != nil:
		defer j.mu.Unlock()
		return j.failed
	case j.next == nil:
		j.next = &batch{done: make(chan struct{})}
	}
	b := j.next
	b.sync = true
	j.call()
	j.mu.Unlock()
	<-b.done
	return b.err
}

// call wakes the writer. The caller holds mu.
func (j *Journal) call() {
	select {
	case j.wake <- struct{}{}:
	default: // it is already called
	}
}

func (j *Journal) enqueue(e Entry, durable bool) (*batch, uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, 0, ErrClosed
	}
	if j.failed != nil {
		return nil, 0, j.failed
	}
	if e.Seq == 0 {
		j.seq++
		e.Seq = j.seq
	}
	j.remember(e)
	if j.next == nil {
		j.next = &batch{done: make(chan struct{}), lines: j.spare[:0]}
		j.spare = nil
	}
	j.next.lines = appendLine(j.next.lines, &e)
	j.next.sync = j.next.sync || durable
	j.call()
	return j.next, e.Seq, nil
}

// remember keeps which ids are the run's. The caller holds mu.
func (j *Journal) remember(e Entry) {
	switch e.State {
	case Intended:
		j.paths[e.Seq] = e.Path
	case Created:
		j.mine[item{j.paths[e.Seq], e.ID}] = true
	}
}

// Mine tells whether the item id on path was created under this journal and
// was not removed. Only such items may be changed or deleted.
func (j *Journal) Mine(path, id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return id != "" && j.mine[item{path, id}]
}

// writeAll writes batch after batch until Close. While it waits for the disk
// the next batch gathers: that is the group commit.
func (j *Journal) writeAll() {
	for range j.wake {
		j.mu.Lock()
		b := j.next
		j.next = nil
		j.mu.Unlock()
		if b == nil {
			continue
		}
		if err := j.tail.write(b.lines, b.sync); err != nil {
			b.err = fmt.Errorf("journal: %w", err)
		}
		j.mu.Lock()
		j.spare = b.lines
		if b.err != nil {
			j.failed = b.err
		}
		j.mu.Unlock()
		close(b.done)
	}
}

// Close writes what waits, syncs and closes the file. A second Close does
// nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.wake)
	j.mu.Unlock()
	j.done.Wait()
	return errors.Join(j.failed, j.tail.close())
}
