package record

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"sync"
	"unicode/utf8"

	"cutover/harness/conform"
)

// partial is what follows the name of a record that is being written.
const partial = ".partial"

// Writer writes one record: into NAME.partial while the run goes on, and under its name once it has ended.
// It is safe for concurrent use.
type Writer struct {
	name string

	mu         sync.Mutex // guards everything below
	file       *os.File
	out        *bufio.Writer
	digest     hash.Hash
	bodies     map[string]bool
	iterations uint64
	err        error // the first one
}

// ErrExists says that there is a record of this name, or what a killed run left of one. Nothing overwrites
// either: the mailboxes may have moved since.
var ErrExists = errors.New("there is such a record already")

// Create begins a record under a key. Only its owner may read the file (mode 0600).
func Create(name string, h Header, key []byte) (*Writer, error) {
	if _, err := os.Lstat(name); err == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrExists)
	}
	file, err := os.OpenFile(name+partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("%s: %w", name+partial, ErrExists)
	case err != nil:
		return nil, err
	}
	w := &Writer{name: name, file: file, out: bufio.NewWriter(file), digest: digest(key), bodies: map[string]bool{}}
	h.Schema, h.Key = Schema, conform.VeilCheck(key)
	w.line(line{Header: &h})
	w.flush()
	if w.err != nil {
		return nil, errors.Join(w.err, w.Discard())
	}
	return w, nil
}

// Keep writes the answers of one iteration. When it returns they are with the operating system, so that
// the end of this process does not lose them.
func (w *Writer) Keep(it Iteration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range it.Answers {
		a := &it.Answers[i]
		w.body(&a.Said)
		w.body(a.Again)
		w.body(a.List)
	}
	w.line(line{Iteration: &it})
	w.iterations++
	w.flush()
	return w.err
}

// body writes a body that is not there yet. Who holds w.mu calls it.
func (w *Writer) body(s *Said) {
	if s == nil || len(s.body) == 0 {
		return
	}
	s.Body = nameOf(s.body)
	if w.bodies[s.Body] {
		return
	}
	w.bodies[s.Body] = true
	if utf8.Valid(s.body) && json.Valid(s.body) && !bytes.ContainsAny(s.body, "\r\n") {
		w.line(line{Body: s.Body, JSON: s.body})
	} else {
		w.line(line{Body: s.Body, Base64: s.body})
	}
}

func (w *Writer) line(l line) {
	if w.err != nil {
		return
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if w.err = encoder.Encode(l); w.err != nil {
		return
	}
	w.digest.Write(b.Bytes())
	_, w.err = w.out.Write(b.Bytes())
}

func (w *Writer) flush() {
	if w.err == nil {
		w.err = w.out.Flush()
	}
}

// Close ends the record and gives the file its name. why is "" when the run ended as planned.
func (w *Writer) Close(why string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := &End{Complete: why == "", Why: why, Iterations: w.iterations, Digest: hex.EncodeToString(w.digest.Sum(nil))}
	w.line(line{End: end})
	w.flush()
	if w.err == nil {
		w.err = w.file.Sync()
	}
	if err := errors.Join(w.err, w.file.Close()); err != nil {
		return fmt.Errorf("record %s: %w", w.name, err)
	}
	return os.Rename(w.name+partial, w.name)
}

// Discard throws the record away: nothing was asked.
func (w *Writer) Discard() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.file.Close(), os.Remove(w.name+partial))
}
