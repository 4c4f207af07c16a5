package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// reset ends a stream as the server wants it.
func (c *h2Conn) reset(f frame2) error {
	if len(f.payload) != 4 {
		return malformed("a reset of %d bytes", len(f.payload))
	}
	code := binary.BigEndian.Uint32(f.payload)
	c.mu.Lock()
	defer c.hand()
	if !c.began(f.stream) {
		return malformed("a reset of stream %d, which nobody opened", f.stream)
	}
	if s := c.find(f.stream); s != nil {
		s.fate.unseen = code == codeRefused && !s.fate.got
		c.finish(s, &resetError{code}, false, 0)
	}
	return nil
}

// resetError says that the server gave one request up. It counts as a broken
// connection.
type resetError struct{ code uint32 }

func (r *resetError) Error() string {
	return fmt.Sprintf("the server reset the stream with code %d", r.code)
}

// Unwrap makes it a broken connection.
func (r *resetError) Unwrap() error { return io.ErrUnexpectedEOF }

// settings takes what the server says of itself, and acknowledges it.
func (c *h2Conn) settings(f frame2) error {
	if f.has(flagAck) {
		return nil
	}
	if len(f.payload)%6 != 0 || f.stream != 0 {
		return malformed("settings of %d bytes", len(f.payload))
	}
	streams := noLimit
	if c.settled {
		streams = -1
	}
	c.mu.Lock()
	for p := f.payload; len(p) > 0; p = p[6:] {
		id, value := binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])
		if id == settingStreams {
			streams = int(min(value, noLimit))
		}
		if err := c.setting(id, value); err != nil {
			c.mu.Unlock()
			return err
		}
	}
	c.out = appendFrame(c.out, frameSettings, flagAck, 0, 0)
	c.moved.Broadcast()
	err := c.patient()
	c.hand()
	if c.settled = true; streams >= 0 {
		c.pool.allow(c, streams)
	}
	return err
}

// setting takes one. c.mu is held.
func (c *h2Conn) setting(id uint16, value uint32) error {
	switch id {
	case settingTableSize:
		c.shrunk = c.shrunk || value < 4096
	case settingInitialWindow:
		if value > h2LastStream {
			return malformed("a window of %d", value)
		}
		for _, s := range c.open {
			s.window += int64(value) - c.initial
		}
		c.initial = int64(value)
	case settingFrameSize:
		if value < h2FrameSize || value > 1<<24-1 {
			return malformed("frames of %d bytes", value)
		}
		c.maxFrame = int(min(value, 64<<10))
	}
	return nil
}

// patient fails when the server makes us answer more than it reads. c.mu is held.
func (c *h2Conn) patient() error {
	if len(c.out) > 2*h2Backlog {
		return errors.Join(errTooLarge, malformed("a server that asks and does not read"))
	}
	return nil
}

// ping answers one.
func (c *h2Conn) ping(f frame2) error {
	if len(f.payload) != 8 || f.stream != 0 {
		return malformed("a ping of %d bytes", len(f.payload))
	}
	if f.has(flagAck) {
		return nil
	}
	c.mu.Lock()
	c.out = append(appendFrame(c.out, framePing, flagAck, 0, 8), f.payload...)
	err := c.patient()
	c.hand()
	return err
}

// farewell takes a GOAWAY: no further requests, and those beyond the last one named
// were not looked at.
func (c *h2Conn) farewell(f frame2) error {
	if len(f.payload) < 8 || f.stream != 0 {
		return malformed("a goodbye of %d bytes", len(f.payload))
	}
	last := binary.BigEndian.Uint32(f.payload) & h2LastStream
	c.raw.endedByPeer()
	c.mu.Lock()
	c.goodbye = true
	c.mu.Unlock()
	c.pool.retire(c)
	c.mu.Lock()
	for _, s := range slices.Clone(c.open) {
		if s.id > last {
			s.fate.unseen = true
			c.finish(s, errGoodbye, false, 0)
		}
	}
	c.hand()
	return nil
}

// widen takes a WINDOW_UPDATE.
func (c *h2Conn) widen(f frame2) error {
	if len(f.payload) != 4 {
		return malformed("a window update of %d bytes", len(f.payload))
	}
	n := int64(binary.BigEndian.Uint32(f.payload) & h2LastStream)
	c.mu.Lock()
	defer c.hand()
	if f.stream == 0 {
		if c.window += n; n == 0 || c.window > h2LastStream {
			return malformed("a window update of %d", n)
		}
	} else if s := c.find(f.stream); s != nil {
		if s.window += n; n == 0 || s.window > h2LastStream {
			c.finish(s, malformed("a window update of %d", n), true, codeProtocol)
		}
	}
	c.moved.Broadcast()
	return nil
}
