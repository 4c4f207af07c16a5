package client

import (
	"bytes"
	"time"

	"cutover/harness/wire"
)

// keepHead bounds the head of an answer that a connection remembers: 4 KiB, more than
// Exchange sends.
const keepHead = 4 << 10

// lastHead is the head of a connection's last answer. Servers without request ids
// repeat theirs byte by byte, but for the second of the Date line, and what reads the
// same means the same: it need not be taken apart again.
type lastHead struct {
	raw     []byte // as it came, with the blank line at its end; empty: none
	head    head
	status  int
	proto   string
	fields  wire.Header
	keepFor time.Duration
}

// matches reports whether what was received begins with the same head.
func (l *lastHead) matches(received []byte) bool {
	return len(l.raw) > 0 && bytes.HasPrefix(received, l.raw)
}

// keep remembers a head that was read whole.
func (l *lastHead) keep(raw []byte, h head, resp *wire.Response, keepFor time.Duration) {
	if len(raw) > keepHead || resp.Status < 200 {
		l.raw = l.raw[:0]
		return
	}
	l.raw = append(l.raw[:0], raw...)
	l.fields = append(l.fields[:0], resp.Header...)
	l.head, l.status, l.proto, l.keepFor = h, resp.Status, resp.Proto, keepFor
}

// sameHead takes the same head as before off the buffer.
func (c *leanConn) sameHead(resp *wire.Response, budget *int) head {
	l := &c.again
	c.r += len(l.raw)
	*budget -= len(l.raw)
	resp.Status, resp.Proto, c.keepFor = l.status, l.proto, l.keepFor
	resp.Header = append(resp.Header[:0], l.fields...)
	return l.head
}
