// Package audit keeps the chained record of what a run did: who ran what
// against which consent, every write, every refusal and every thousandth read.
//
// Each line carries a MAC over itself and the line before, keyed by the
// campaign's secret, so that a line that is changed, removed, added or moved
// breaks the chain at its place. The last MAC, the head, is printed at the
// end of a run: it alone shows that lines were cut off the end.
// Without a secret the chain is a plain hash: it finds accidents, not forgers.
package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"cutover/harness/journal"
)

// ReadsPerLine is how many reads one line stands for.
const ReadsPerLine = 1000

// Start is the first line: what the run was asked to do, and by whom.
type Start struct {
	At       time.Time `json:"at,omitzero"`
	RunID    string    `json:"run_id"`
	Who      string    `json:"who,omitempty"`     // user of the operating system
	Host     string    `json:"host,omitempty"`    // machine that ran it
	Version  string    `json:"version,omitempty"` // of the program
	Consent  string    `json:"consent,omitempty"` // SHA-256 of the consent file, "" when there was none
	Approver string    `json:"approver,omitempty"`
	Suite    string    `json:"suite,omitempty"` // SHA-256 of the suite
	Profile  string    `json:"profile,omitempty"`
	Plan     string    `json:"plan,omitempty"` // hash of the plan
}

// Event is one request. It holds no URL, id of an item or address: Template
// names the request, RequestID finds it in the server's log.
type Event struct {
	At        time.Time `json:"at"`
	Path      string    `json:"path"`
	Kind      string    `json:"kind"`              // what it was counted as
	Mailbox   string    `json:"mailbox,omitempty"` // name of the pair
	Method    string    `json:"method"`
	Template  string    `json:"template,omitempty"`
	Writes    bool      `json:"writes,omitempty"`
	Status    int       `json:"status,omitempty"`
	Outcome   string    `json:"outcome,omitempty"` // kind of failure, "" when an answer came
	Rule      string    `json:"rule,omitempty"`    // rule that refused it
	RequestID string    `json:"request_id,omitempty"`
	Reads     uint64    `json:"reads,omitempty"` // reads so far on this trail, on lines of reads
}

// line is how a record stands in the file: the record, then its MAC.
type line struct {
	Start *Start `json:"start,omitempty"`
	Event *Event `json:"event,omitempty"`
	Keyed bool   `json:"keyed,omitempty"`
	MAC   string `json:"mac"`
}

// Trail appends to one audit file. Its methods may be called from any
// goroutine.
type Trail struct {
	mu    sync.Mutex // guards everything below
	file  io.WriteCloser
	mac   hash.Hash
	head  []byte
	text  []byte // room for a line
	reads uint64
	err   error // first write error; later calls return it
}

// Create starts the audit file of a run, private to its owner. It fails when the file
// has something in it. An empty key makes the chain a plain hash.
func Create(file string, key []byte, s Start) (*Trail, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		return nil, errors.Join(fmt.Errorf("audit: %s: %w", file, fs.ErrExist), err, f.Close())
	}
	if err := journal.Private(f); err != nil {
		return nil, errors.Join(fmt.Errorf("audit: %w", err), f.Close())
	}
	t := &Trail{file: f, mac: newMAC(key)}
	first, err := beginning(line{Start: &s, Keyed: len(key) > 0})
	if err == nil {
		err = t.add(first)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

func newMAC(key []byte) hash.Hash {
	if len(key) == 0 {
		return sha256.New()
	}
	return hmac.New(sha256.New, key)
}

// Record appends a write or a refusal, and every thousandth read. A line is
// handed to the operating system before Record returns, so that it outlives
// the process.
func (t *Trail) Record(e Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !e.Writes && e.Rule == "" {
		t.reads++
		if t.reads%ReadsPerLine != 1 {
			return t.err
		}
		e.Reads = t.reads
	}
	t.text = appendEvent(t.text[:0], &e)
	return t.add(t.text)
}

// Unlisted counts a read and tells whether that was all: of reads that were let
// through, every thousandth has a line, which Record writes. It spares a sender
// describing the others.
func (t *Trail) Unlisted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil || (t.reads+1)%ReadsPerLine == 1 {
		return false
	}
	t.reads++
	return true
}

// add appends the line that text begins. The caller holds mu or is alone.
func (t *Trail) add(text []byte) error {
	if t.err != nil {
		return t.err
	}
	t.text, t.head = sealed(t.mac, t.head, text)
	if _, err := t.file.Write(t.text); err != nil {
		t.err = fmt.Errorf("audit: %w", err)
	}
	return t.err
}

// beginning is a line up to its closing.
func beginning(l line) ([]byte, error) {
	l.MAC = ""
	text, err := json.Marshal(l)
	return bytes.TrimSuffix(text, []byte(closing)), err
}

// Head is the MAC of the last line in hex.
func (t *Trail) Head() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return hex.EncodeToString(t.head)
}

// Close closes the file and reports the first error of the trail.
func (t *Trail) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.err, t.file.Close())
}

// TamperedError says where the chain of a file breaks.
type TamperedError struct {
	File string
	Line int // first line that does not fit
	Why  string
}

// Error names the place.
func (e *TamperedError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Why) }

// Summary is what a verified file says.
type Summary struct {
	Start Start
	Lines int
	Keyed bool
	Head  string
	// Torn is true when the run was killed within its last line, which is
	// left out.
	Torn bool
}

// maxLine bounds one line of the file.
const maxLine = 1 << 20

// Verify follows the chain of a file and compares its end with head, when
// that is known ("": not). The error is a *TamperedError at the first line
// that does not fit.
func Verify(file string, key []byte, head string) (Summary, error) {
	f, err := os.Open(file)
	if err != nil {
		return Summary{}, fmt.Errorf("audit: %w", err)
	}
	defer f.Close()
	v := verifier{file: file, mac: newMAC(key), keyed: len(key) > 0}
	in := bufio.NewReaderSize(f, maxLine)
	for {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			v.sum.Torn = len(text) > 0
			break
		}
		if err != nil {
			return v.sum, &TamperedError{file, v.sum.Lines + 1, "a line too long to be the program's"}
		}
		if err := v.follow(text); err != nil {
			return v.sum, err
		}
	}
	switch {
	case v.sum.Lines == 0:
		return v.sum, &TamperedError{file, 1, "the trail has no beginning"}
	case head != "" && head != v.sum.Head:
		return v.sum, &TamperedError{file, v.sum.Lines + 1, "the trail ends here, but its printed head is another: lines were cut off, or the head belongs to another run"}
	}
	return v.sum, nil
}

type verifier struct {
	file  string
	mac   hash.Hash
	keyed bool
	head  []byte
	sum   Summary
}

// follow checks the next line.
func (v *verifier) follow(text []byte) error {
	bad := func(why string) error { return &TamperedError{v.file, v.sum.Lines + 1, why} }
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return bad("not a line of an audit trail")
	}
	if first := v.sum.Lines == 0; first != (l.Start != nil) {
		return bad("the run's beginning is not where it belongs")
	} else if first {
		if l.Keyed != v.keyed {
			return bad("the trail was written with a secret and is read without one, or the reverse")
		}
		v.sum.Start, v.sum.Keyed = *l.Start, l.Keyed
	}
	want, err := beginning(l)
	if err == nil {
		want, v.head = sealed(v.mac, v.head, want)
	}
	if err != nil || !hmac.Equal(want, text) {
		return bad("changed, added or moved: its seal does not fit what stands before it")
	}
	v.sum.Lines++
	v.sum.Head = hex.EncodeToString(v.head)
	return nil
}
