package journal

import (
	"encoding/json"
	"strconv"
	"time"
)

// appendLine appends e as one line of the file, spelt as encoding/json spells it. It is
// written by hand because every write of a run waits for it.
func appendLine(dst []byte, e *Entry) []byte {
	dst = strconv.AppendUint(append(dst, `{"seq":`...), e.Seq, 10)
	if !e.At.IsZero() {
		dst = e.At.AppendFormat(append(dst, `,"at":"`...), time.RFC3339Nano)
		dst = append(dst, '"')
	}
	dst = appendField(dst, `,"path":`, e.Path)
	dst = appendField(dst, `,"mailbox":`, e.Mailbox)
	dst = appendField(dst, `,"sort":`, e.Sort)
	dst = appendField(dst, `,"id":`, e.ID)
	dst = appendField(dst, `,"tag":`, e.Tag)
	if e.Tagged {
		dst = append(dst, `,"tagged":true`...)
	}
	for i, to := range e.To {
		sep := ","
		if i == 0 {
			sep = `,"to":[`
		}
		dst = AppendText(append(dst, sep...), to)
	}
	if len(e.To) > 0 {
		dst = append(dst, ']')
	}
	if e.Found {
		dst = append(dst, `,"found":true`...)
	}
	dst = appendField(dst, `,"url":`, e.URL)
	dst = AppendText(append(dst, `,"state":`...), string(e.State))
	return append(dst, '}', '\n')
}

// appendField leaves an empty value out.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return AppendText(append(dst, name...), value)
}

// AppendText appends s as a JSON text, byte for byte as encoding/json writes it. Text of
// plain ASCII, which records consist of, takes no allocation.
func AppendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			if err != nil {
				text = []byte(`""`) // a string can always be written
			}
			return append(dst, text...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
