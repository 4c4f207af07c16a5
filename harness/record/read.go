package record

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"cutover/harness/conform"
)

// Record is a file that was read. It is safe for concurrent use.
type Record struct {
	Header   Header
	Complete bool   // false: the run that wrote it ended early, or was killed
	Why      string // why it is not complete

	mu         sync.Mutex
	iterations map[uint64]Iteration
	total      int
}

// Why a record cannot be used.
var (
	ErrForeign = errors.New("this is no record of answers")
	ErrVersion = errors.New("the record has another version of the format")
	ErrKey     = errors.New("the record was made with another key")
	ErrChanged = errors.New("the record is not what was written")
)

// maxLine bounds one line of a record: 64 MiB, eight times the largest body that is compared.
const maxLine = 64 << 20

// Open reads a record that was made under this key. The error wraps ErrForeign, ErrVersion, ErrKey or
// ErrChanged when the file is not such a one.
func Open(name string, key []byte) (*Record, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := Read(file, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// Read reads a record as Open does, from a reader.
func Read(from io.Reader, key []byte) (*Record, error) {
	r := &Record{Why: "the run that wrote it was killed", iterations: map[uint64]Iteration{}}
	bodies := map[string][]byte{}
	sum := digest(key)
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for first, ended := true, false; lines.Scan(); first = false {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			if first {
				return nil, ErrForeign
			}
			if lines.Scan() {
				return nil, ErrChanged
			}
			break // the last line of a killed run is torn
		}
		if first {
			if err := r.begin(l.Header, key); err != nil {
				return nil, err
			}
		}
		if ended {
			return nil, ErrChanged
		}
		if l.End != nil {
			if l.End.Digest != hex.EncodeToString(sum.Sum(nil)) {
				return nil, ErrChanged
			}
			r.Complete, r.Why, ended = l.End.Complete, l.End.Why, true
			continue
		}
		sum.Write(lines.Bytes())
		sum.Write([]byte("\n"))
		r.take(l, bodies)
	}
	if r.Header.Schema == "" {
		return nil, ErrForeign
	}
	r.total = len(r.iterations)
	return r, lines.Err()
}

// begin judges the first line.
func (r *Record) begin(h *Header, key []byte) error {
	switch {
	case h == nil || h.Schema == "":
		return ErrForeign
	case h.Schema != Schema:
		return fmt.Errorf("%w: %q, not %q", ErrVersion, h.Schema, Schema)
	case h.Key != conform.VeilCheck(key):
		return ErrKey
	}
	r.Header = *h
	return nil
}

func (r *Record) take(l line, bodies map[string][]byte) {
	if l.Body != "" {
		if bodies[l.Body] = l.Base64; len(l.JSON) > 0 {
			bodies[l.Body] = bytes.Clone(l.JSON)
		}
	}
	if l.Iteration == nil {
		return
	}
	for i := range l.Iteration.Answers {
		a := &l.Iteration.Answers[i]
		for _, s := range []*Said{&a.Said, a.Again, a.List} {
			if s != nil {
				s.body = bodies[s.Body]
			}
		}
	}
	r.iterations[l.Iteration.Number] = *l.Iteration
}

// Take hands out an iteration once. ok is false when the record has none of this number, or not any more.
func (r *Record) Take(number uint64) (it Iteration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it, ok = r.iterations[number]
	delete(r.iterations, number)
	return it, ok
}

// Len is how many iterations the record has, handed out or not.
func (r *Record) Len() int { return r.total }

// Rest lists the iterations that nobody took.
func (r *Record) Rest() []Iteration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Iteration
	for _, it := range r.iterations {
		list = append(list, it)
	}
	return list
}
