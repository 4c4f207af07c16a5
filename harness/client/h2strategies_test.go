package client_test

import (
	"testing"

	"cutover/harness/client"
)

func TestStrategiesOverHTTP2(t *testing.T) {
	for _, v := range h2variants {
		if !v.ours {
			continue // net/http closes connections in a way of its own
		}
		for _, row := range []struct {
			connections string
			want        client.Stats
		}{
			{client.Shared, client.Stats{Opened: 1, Reused: 3}},
			{client.PerMailbox, client.Stats{Opened: 2, Reused: 2}},
			{client.PerRequest, client.Stats{Opened: 4}},
		} {
			t.Run(v.name+"/"+row.connections, func(t *testing.T) {
				url := serveH2(t, v.secure, nil, spells(""))
				o := client.Options{Connections: row.connections}
				v.adjust(&o)
				c := open(t, o)
				for _, mailbox := range []string{"ann", "bob", "ann", "bob"} {
					req := get(url)
					req.Mailbox = mailbox
					if call := do(c, req); call.Failure != nil {
						t.Fatal(call.Failure)
					}
				}
				got := c.Stats()
				got.ClosedByPeer = 0
				if got != row.want {
					t.Errorf("stats %+v, want %+v", got, row.want)
				}
			})
		}
	}
}

func TestTimingsOverHTTP2(t *testing.T) {
	for _, v := range h2variants {
		t.Run(v.name, func(t *testing.T) {
			url := serveH2(t, v.secure, nil, spells("hello"))
			var o client.Options
			v.adjust(&o)
			c := open(t, o)
			first, second := do(c, get(url)).Timing, do(c, get(url)).Timing
			if first.Connect <= 0 || (first.TLS > 0) != v.secure || first.Reused {
				t.Errorf("first: connect %v, TLS %v, reused %v", first.Connect, first.TLS, first.Reused)
			}
			if first.Wait < first.Connect+first.TLS {
				t.Errorf("waited %v for a connection that took %v and %v to open", first.Wait, first.Connect, first.TLS)
			}
			if second.Connect != 0 || second.TLS != 0 || !second.Reused || second.Wait < 0 || second.Wait >= first.Wait+first.Connect {
				t.Errorf("second: connect %v, TLS %v, reused %v, waited %v", second.Connect, second.TLS, second.Reused, second.Wait)
			}
			for i, at := range []struct{ sent, first, done int64 }{
				{first.Sent.UnixNano(), first.FirstByte.UnixNano(), first.Done.UnixNano()},
				{second.Sent.UnixNano(), second.FirstByte.UnixNano(), second.Done.UnixNano()},
			} {
				if at.sent <= 0 || at.first < at.sent || at.done < at.first {
					t.Errorf("request %d: sent %d, first byte %d, done %d: out of order", i+1, at.sent, at.first, at.done)
				}
			}
			if first.BytesIn <= 0 || first.BytesOut <= 0 || second.BytesOut <= 0 {
				t.Errorf("bytes out %d and %d, in %d", first.BytesOut, second.BytesOut, first.BytesIn)
			}
		})
	}
}
