package audit

import (
	"encoding/hex"
	"hash"
	"strconv"
	"time"

	"cutover/harness/journal"
)

// closing ends a line whose MAC is not yet known; the MAC is over it as well.
const closing = `"mac":""}`

// appendEvent appends a request's line up to its closing, spelt as encoding/json spells
// it: Verify spells it that way again. It is written by hand because every write of a
// run waits for it.
func appendEvent(dst []byte, e *Event) []byte {
	dst = e.At.AppendFormat(append(dst, `{"event":{"at":"`...), time.RFC3339Nano)
	dst = journal.AppendText(append(dst, `","path":`...), e.Path)
	dst = journal.AppendText(append(dst, `,"kind":`...), e.Kind)
	dst = appendField(dst, `,"mailbox":`, e.Mailbox)
	dst = journal.AppendText(append(dst, `,"method":`...), e.Method)
	dst = appendField(dst, `,"template":`, e.Template)
	if e.Writes {
		dst = append(dst, `,"writes":true`...)
	}
	if e.Status != 0 {
		dst = strconv.AppendInt(append(dst, `,"status":`...), int64(e.Status), 10)
	}
	dst = appendField(dst, `,"outcome":`, e.Outcome)
	dst = appendField(dst, `,"rule":`, e.Rule)
	dst = appendField(dst, `,"request_id":`, e.RequestID)
	if e.Reads != 0 {
		dst = strconv.AppendUint(append(dst, `,"reads":`...), e.Reads, 10)
	}
	return append(dst, `},`...)
}

// appendField leaves an empty value out.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return journal.AppendText(append(dst, name...), value)
}

// sealed closes the line that text begins, with its MAC over head, the line before, and
// itself. next is the new head, in the memory of head when that suffices.
func sealed(mac hash.Hash, head, text []byte) (line, next []byte) {
	mac.Reset()
	mac.Write(head)
	text = append(text, closing...)
	mac.Write(text)
	next = mac.Sum(head[:0])
	text = hex.AppendEncode(text[:len(text)-len(`"}`)], next)
	return append(text, '"', '}', '\n'), next
}
