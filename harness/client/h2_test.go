package client_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"cutover/harness/client"

	"github.com/google/go-cmp/cmp"
)

// h2cases is the table that both HTTP/2 clients pass.
var h2cases = []struct {
	name   string
	method string // default GET
	answer h2script
	opts   client.Options
	ours   bool // net/http does something else that is allowed as well
	want   outcome
}{
	{name: "a body, it is read and the connection kept",
		answer: spells("hello"), want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a body of the announced length, it is read",
		answer: spells("hello", "content-length", "5"), want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a head alone, it is an empty answer",
		answer: spells(""), want: outcome{Status: 200, Again: "reused"}},
	{name: "an answer to HEAD, its length announces nothing", method: "HEAD",
		answer: spells("", "content-length", "5"), want: outcome{Status: 200, Again: "reused"}},
	{name: "a body in frames with padding, it joins them",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			p.fr.WriteDataPadded(id, false, []byte("hello"), make([]byte, 200))
			p.fr.WriteData(id, false, nil)
			p.fr.WriteDataPadded(id, true, []byte(" world"), nil)
			return true
		}, want: outcome{Status: 200, Body: "hello world", Again: "reused"}},
	{name: "a padded head with a priority, it is read",
		answer: func(p *peer, id uint32, _ int) bool {
			p.block.Reset()
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndStream: true, EndHeaders: true, PadLength: 20,
				Priority: http2.PriorityParam{StreamDep: 0, Weight: 10}})
			return true
		}, want: outcome{Status: 200, Again: "reused"}},
	{name: "a trailer, it is dropped",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			p.data(id, false, "hello")
			p.head(id, true, "x-sum", "1")
			return true
		}, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "interim answers, it waits for the final one",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "103", "link", "</x>")
			p.head(id, false, ":status", "103")
			return spells("hello")(p, id, 1)
		}, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "interim answers without end, it gives up",
		answer: func(p *peer, id uint32, _ int) bool {
			for range 40 {
				p.head(id, false, ":status", "103")
			}
			return true
		}, ours: true, want: outcome{Failure: "protocol"}},
	{name: "a large head in continuations, it is read",
		answer: spells("ok", "x-filler", longValue), want: outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "a head beyond the limit, it gives up",
		answer: spells("ok", "x-a", longValue, "x-b", longValue, "x-c", longValue), ours: true, want: outcome{Failure: "too large"}},
	{name: "continuations without end, it gives up",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}})
			for range 100_000 {
				if p.fr.WriteContinuation(id, false, nil) != nil {
					return false
				}
			}
			return true
		}, ours: true, want: outcome{Failure: "too large"}},
	{name: "a compressed body, it is inflated",
		answer: spells(gzipped("hello"), "content-encoding", "gzip"), want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "broken compression, it is a protocol failure",
		answer: spells("hello", "content-encoding", "gzip"), want: outcome{Status: 200, Truncated: true, Failure: "protocol"}},
	{name: "a small compressed body that inflates beyond the limit, it is cut",
		answer: spells(gzipped(strings.Repeat("a", 1<<20)), "content-encoding", "gzip"), opts: client.Options{MaxBody: 3},
		want: outcome{Status: 200, Body: "aaa", Truncated: true, Failure: "too large"}},
	{name: "a body beyond the limit, it is cut",
		answer: spells("hello"), opts: client.Options{MaxBody: 3}, want: outcome{Status: 200, Body: "hel", Truncated: true, Failure: "too large"}},
	{name: "a body of exactly the limit, it is whole",
		answer: spells("hello"), opts: client.Options{MaxBody: 5}, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a body shorter than announced, it is a reset and keeps what came",
		answer: spells("hello", "content-length", "50"), want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "reset"}},
	{name: "a body longer than announced, it is a protocol failure",
		answer: spells("hello", "content-length", "2"), ours: true, want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "protocol"}},
	{name: "a stream that is reset before its answer, it is a reset",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WriteRSTStream(id, http2.ErrCodeInternal)
			return true
		}, ours: true, want: outcome{Failure: "reset"}},
	{name: "a stream that is reset within its answer, it is a reset and keeps what came",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			p.data(id, false, "hello")
			p.fr.WriteRSTStream(id, http2.ErrCodeInternal)
			return true
		}, ours: true, want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "reset"}},
	{name: "a connection closed without an answer, it is a reset",
		answer: func(*peer, uint32, int) bool { return false }, want: outcome{Failure: "reset"}},
	{name: "a connection closed within the body, it is a reset and keeps what came",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			p.data(id, false, "hello")
			return false
		}, want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "reset"}},
	{name: "a head without a status, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool { p.head(id, true, "x-a", "1"); return true }, want: outcome{Failure: "protocol"}},
	{name: "a status that is no number, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool { p.head(id, true, ":status", "abc"); return true }, want: outcome{Failure: "protocol"}},
	{name: "a field name in capitals, it is a protocol failure",
		answer: spells("", "X-Bad", "1"), want: outcome{Failure: "protocol"}},
	{name: "a control byte in a field, it is a protocol failure",
		answer: spells("", "x-bad", "a\x00b"), want: outcome{Failure: "protocol"}},
	{name: "a field of the connection, it is a protocol failure",
		answer: spells("", "transfer-encoding", "chunked"), ours: true, want: outcome{Failure: "protocol"}},
	{name: "two lengths, it is a protocol failure",
		answer: spells("hello", "content-length", "5", "content-length", "6"), ours: true, want: outcome{Failure: "protocol"}},
	{name: "data before the head, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool { p.data(id, true, "hello"); return true }, want: outcome{Failure: "protocol"}},
	{name: "a header block that cannot be decoded, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, EndHeaders: true, EndStream: true})
			return true
		}, want: outcome{Failure: "protocol"}},
	{name: "a push, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: []byte{0x82}, EndHeaders: true})
			return true
		}, want: outcome{Failure: "protocol"}},
	{name: "data on a stream that nobody opened, it is a protocol failure",
		answer: func(p *peer, id uint32, _ int) bool { p.data(id+100, true, "x"); return true }, want: outcome{Failure: "protocol"}},
	{name: "another protocol, it is a protocol failure",
		answer: func(p *peer, _ uint32, _ int) bool {
			fmt.Fprint(p.nc, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return true
		}, ours: true, want: outcome{Failure: "protocol"}},
	{name: "a ping before the answer, it is answered first",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WritePing(false, [8]byte{1, 2, 3})
			if !p.until(func(f http2.Frame) bool {
				a, ok := f.(*http2.PingFrame)
				return ok && a.IsAck() && a.Data == [8]byte{1, 2, 3}
			}) {
				return false
			}
			return spells("hello")(p, id, 1)
		}, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a frame of an unknown kind, it is passed over",
		answer: func(p *peer, id uint32, _ int) bool {
			p.fr.WriteRawFrame(0xbe, 0xff, id, []byte("anything"))
			return spells("hello")(p, id, 1)
		}, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a goodbye before the request was looked at, it is asked again elsewhere",
		answer: func(p *peer, id uint32, n int) bool {
			if p.conn == 1 {
				p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
				return false
			}
			return spells(strconv.Itoa(p.conn))(p, id, n)
		}, want: outcome{Status: 200, Body: "2", Again: "reused"}},
	{name: "a goodbye with the answer, the next request goes elsewhere",
		answer: func(p *peer, id uint32, n int) bool {
			p.fr.WriteGoAway(id, http2.ErrCodeNo, nil)
			return spells("hello")(p, id, n)
		}, want: outcome{Status: 200, Body: "hello", Again: "new connection"}},
	{name: "a refused stream, it is asked again",
		answer: func(p *peer, id uint32, n int) bool {
			if n == 1 {
				p.fr.WriteRSTStream(id, http2.ErrCodeRefusedStream)
				return true
			}
			return spells("hello")(p, id, n)
		}, ours: true, want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "silence, it times out",
		answer: func(*peer, uint32, int) bool { return true }, opts: client.Options{Timeout: stall}, want: outcome{Failure: "timeout"}},
	{name: "silence beyond the wait for the first byte, it times out",
		answer: func(*peer, uint32, int) bool { return true }, opts: client.Options{FirstByteTimeout: stall}, want: outcome{Failure: "timeout"}},
	{name: "a body that stalls, it times out and keeps what came",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			p.data(id, false, "hello")
			return true
		}, opts: client.Options{Timeout: stall}, want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "timeout"}},
	{name: "a slow body within the whole time, it is read though the first byte has a limit",
		answer: func(p *peer, id uint32, _ int) bool {
			p.head(id, false, ":status", "200")
			pause(stall + stall/4)
			p.data(id, true, "ok")
			return true
		}, opts: client.Options{FirstByteTimeout: stall}, want: outcome{Status: 200, Body: "ok", Again: "reused"}},
}

func TestBothHTTP2ClientsTreatEveryAnswerAlike(t *testing.T) {
	for _, v := range h2variants {
		for _, row := range h2cases {
			if row.ours && !v.ours {
				continue
			}
			t.Run(v.name+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				address := serveH2(t, v.secure, nil, row.answer)
				o := row.opts
				v.adjust(&o)
				c := open(t, o)
				req := get(address + "/path?q=1")
				if row.method != "" {
					req.Method = row.method
				}
				call := do(c, req)
				got := outcome{Status: call.Response.Status, Body: string(call.Response.Body), Truncated: call.Response.Truncated}
				if call.Failure != nil {
					got.Failure = call.Failure.Kind.String()
				} else if second := do(c, req); second.Failure == nil && second.Timing.Reused {
					got.Again = "reused"
				} else if second.Failure == nil {
					got.Again = "new connection"
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s\nfailure: %v", diff, call.Failure)
				}
				if call.Failure == nil && call.Timing.FirstByte.Before(call.Timing.Sent) || call.Timing.Done.IsZero() || row.want.Status == 200 && call.Timing.BytesIn == 0 {
					t.Errorf("timing %+v", call.Timing)
				}
			})
		}
	}
}
