// Package record keeps what one side answered, so that the other side can be held against it after the
// mailboxes have moved.
//
// A record holds veiled answers only (conform.Veil): structure, statuses, names and keyed pseudonyms, and no
// content of a mailbox. It is a text file of one JSON value a line:
//
//	{"header": {…}}                     first: what was asked, of which side, under which key
//	{"body": "3f9a…", "json": {…}}      a veiled body, once however often it was answered
//	{"iteration": {…}}                  the answers of one iteration, which name their bodies
//	{"end": {…}}                        last: whether the run ended as planned, and a keyed digest of the file
//
// A file without its end is what a killed run left: it is read as far as it goes, and says so.
package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"time"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/request"
	"cutover/harness/wire"
)

// Schema is the version of the format. A reader refuses any other.
const Schema = "cutover.record/v1"

// Header says what a record is about. Two runs can be held against each other when Suite, Questions, Seed
// and Key agree.
type Header struct {
	Schema    string        `json:"schema"`
	Suite     string        `json:"suite"`
	Questions string        `json:"questions"` // digest of everything that decides what is asked, of whom
	Seed      uint64        `json:"seed"`
	Side      string        `json:"side"` // left or right
	Path      string        `json:"path"`
	Dialect   canon.Dialect `json:"dialect"` // how the answers are spelt
	Key       string        `json:"key"`     // names the key without telling it
	RunID     string        `json:"run_id"`
	Made      time.Time     `json:"made"`
	Mailboxes int           `json:"mailboxes"`
	Planned   uint64        `json:"planned"` // iterations; 0 when only time bounds them
	Simulated bool          `json:"simulated"`
}

// Iteration is what one iteration was answered, step by step.
type Iteration struct {
	Number   uint64   `json:"n"` // of the plan's arrival: the occurrence of its scenario and mailbox
	Scenario string   `json:"scenario"`
	Mailbox  string   `json:"mailbox"`
	Answers  []Answer `json:"answers"`
}

// Answer is a veiled answer to one step.
type Answer struct {
	Step  string         `json:"step"`
	Said  Said           `json:"said"`
	OK    bool           `json:"ok,omitempty"`    // it was what the suite expects
	Wrote bool           `json:"wrote,omitempty"` // a write that succeeded
	Own   bool           `json:"own,omitempty"`   // asked in the path's own words: not comparable
	Notes []request.Note `json:"notes,omitempty"` // what the dialect could not say as asked
	Refs  []Ref          `json:"refs,omitempty"`  // captures that the request was made with
	Again *Said          `json:"again,omitempty"` // a second answer to the same question
	List  *Said          `json:"list,omitempty"`  // all pages of the list as one
	Cut   string         `json:"cut,omitempty"`   // why the pages end early
}

// Ref is a capture by the pseudonym of its value.
type Ref struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Said is one veiled answer. Its body stands in a line of its own.
type Said struct {
	Status    int         `json:"status"`
	Header    wire.Header `json:"header,omitempty"`
	Failure   uint8       `json:"failure,omitempty"` // a wire.FailureKind
	Throttled bool        `json:"throttled,omitempty"`
	Truncated bool        `json:"truncated,omitempty"`
	Size      int         `json:"size,omitempty"` // bytes of the original body
	Body      string      `json:"body,omitempty"` // name of its line

	body []byte
}

// Of takes in an answer that has been veiled.
func Of(a conform.Answer) Said {
	s := Said{Status: a.Status, Header: a.Header, Throttled: a.Throttled, Truncated: a.Truncated, Size: a.Size, body: a.Body}
	if a.Failure != nil {
		s.Failure = uint8(a.Failure.Kind)
	}
	return s
}

// Answer is the veiled answer again.
func (s Said) Answer() conform.Answer {
	a := conform.Answer{Status: s.Status, Header: s.Header, Throttled: s.Throttled, Truncated: s.Truncated, Size: s.Size, Body: s.body}
	if s.Failure != 0 {
		a.Failure = &wire.Failure{Kind: wire.FailureKind(s.Failure)}
	}
	return a
}

// End closes a record.
type End struct {
	Complete   bool   `json:"complete"`      // the run ended as it was planned
	Why        string `json:"why,omitempty"` // it did not
	Iterations uint64 `json:"iterations"`
	Digest     string `json:"digest"` // keyed, of all lines before this one
}

// line is one line of the file: exactly one of its parts.
type line struct {
	Header    *Header    `json:"header,omitempty"`
	Body      string     `json:"body,omitempty"`
	JSON      rawJSON    `json:"json,omitempty"`
	Base64    []byte     `json:"base64,omitempty"`
	Iteration *Iteration `json:"iteration,omitempty"`
	End       *End       `json:"end,omitempty"`
}

// rawJSON is written as it is.
type rawJSON []byte

// MarshalJSON is the value itself.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// UnmarshalJSON keeps the value as it was written.
func (r *rawJSON) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

func digest(key []byte) hash.Hash {
	return hmac.New(sha256.New, append([]byte("cutover record 1\n"), key...))
}

func nameOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}
