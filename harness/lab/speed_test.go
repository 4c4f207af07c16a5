package lab_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

// The question of the speed benchmarks: a page of 25 messages with five
// properties.
const listQuestion = "/mailFolders/inbox/messages?$top=25&$select=subject,from,receivedDateTime,isRead,importance"

// remoteLab starts a lab in a process of its own, so that its CPU can be told
// from that of the client, and gives a world to ask it.
func remoteLab(t testing.TB, o lab.Options) (*child, lab.Info, *http.Client) {
	t.Helper()
	o.LatencyOnPrem, o.LatencyCloud, o.Dir = "none", "none", t.TempDir()
	c := spawn(t, "serve", o)
	var told childLab
	c.answer(t, &told)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(told.CA))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return c, told.Info, &http.Client{Transport: transport}
}

// line is a kept-alive connection of the leanest client there is: what it costs
// must not hide what the lab costs.
type line struct {
	conn *tls.Conn
	in   *bufio.Reader
}

func dialLine(t testing.TB, client *http.Client, service string) *line {
	t.Helper()
	u, _ := url.Parse(service)
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: client.Transport.(*http.Transport).TLSClientConfig.RootCAs, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &line{conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}
}

// ask sends a whole request and drops the answer's body, whose length it returns.
func (l *line) ask(request []byte) (int, error) {
	if _, err := l.conn.Write(request); err != nil {
		return 0, err
	}
	status, err := l.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200 ") {
		return 0, errors.New(string(status))
	}
	length := 0
	for {
		h, err := l.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(h) <= 2 {
			break
		}
		const name = "Content-Length: "
		if len(h) > len(name) && string(h[:len(name)]) == name {
			if length, err = strconv.Atoi(textproto.TrimString(string(h[len(name):]))); err != nil {
				return 0, err
			}
		}
	}
	_, err = l.in.Discard(length)
	return length, err
}

// questions are the ready requests for each of the first n mailboxes of a side.
func questions(t testing.TB, info lab.Info, client *http.Client, kind string, n int) (service string, out [][]byte) {
	t.Helper()
	grant := func(form url.Values) string {
		raw, _ := askTokens(t, client, info, form)["access_token"].(string)
		if raw == "" {
			t.Fatal("no token")
		}
		return raw
	}
	app := ""
	for i := range n {
		p := info.Pairs[i]
		var token, path string
		switch kind {
		case "app-only":
			if service = info.Graph; app == "" {
				app = grant(url.Values{"client_id": {info.Clients[0].ID}, "client_secret": {info.Clients[0].Secret}, "grant_type": {"client_credentials"}, "scope": {graphScope}})
			}
			token, path = app, "/users/"+p.CloudUPN+listQuestion
		case "delegated":
			service = info.Graph
			token = grant(url.Values{"client_id": {info.Clients[1].ID}, "grant_type": {"password"}, "username": {p.CloudUPN}, "password": {p.CloudPassword}, "scope": {graphScope}})
			path = "/me" + listQuestion
		case "on-prem delegated":
			service = info.Rest
			token = grant(url.Values{"client_id": {info.Clients[1].ID}, "grant_type": {"password"}, "username": {p.OnPremUPN}, "password": {p.OnPremPassword}, "scope": {origin(info.Rest) + "/.default"}})
			path = "/me" + listQuestion
		}
		u, err := url.Parse(service + path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n\r\n", u.RequestURI(), u.Host, token))
	}
	return service, out
}

func askTokens(t testing.TB, client *http.Client, info lab.Info, form url.Values) map[string]any {
	t.Helper()
	resp, err := client.PostForm(info.Authority+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// BenchmarkListsPerSecondOfTheLabsOwnCPU asks a lab in another process over TLS
// and HTTP/1.1, kept alive, with a token that is checked on every request. The
// figure that counts is lists/cpu-s: at least 15,000.
func BenchmarkListsPerSecondOfTheLabsOwnCPU(b *testing.B) {
	for _, kind := range []string{"app-only", "delegated", "on-prem delegated"} {
		b.Run(kind, func(b *testing.B) {
			const connections, mailboxes = 8, 96 // a mailbox takes 10,000 requests of an app in ten minutes
			c, info, client := remoteLab(b, lab.Options{Mailboxes: mailboxes})
			service, ask := questions(b, info, client, kind, mailboxes)
			lines := make([]*line, connections)
			for i := range lines {
				lines[i] = dialLine(b, client, service)
			}
			drive(b, lines, ask, 4*mailboxes) // touches every mailbox, warms every path
			before, ok := c.cpu()
			if !ok {
				b.Skip("this system does not tell the CPU time of another process")
			}
			b.ResetTimer()
			drive(b, lines, ask, b.N)
			b.StopTimer()
			after, _ := c.cpu()
			b.ReportMetric(float64(b.N)/(after-before).Seconds(), "lists/cpu-s")
		})
	}
}

// drive asks n questions as fast as the connections take them.
func drive(b *testing.B, lines []*line, ask [][]byte, n int) {
	var all sync.WaitGroup
	for k, l := range lines {
		all.Go(func() {
			for i := k; i < n; i += len(lines) {
				if length, err := l.ask(ask[i%len(ask)]); err != nil || length < 5000 {
					b.Errorf("%d bytes, %v", length, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkAddedAtTwoThousandPerSecond sends 2,000 lists a second, evenly, to a
// lab in another process without a latency model, and at the same time 500
// requests a second to a bare server in a third process, which answers as many
// bytes from a constant. What the lab's answers take longer is what the lab adds;
// the rest is the machine, TLS and HTTP. added-p99-ms should be under 1.
func BenchmarkAddedAtTwoThousandPerSecond(b *testing.B) {
	const connections, mailboxes = 8, 96
	_, info, client := remoteLab(b, lab.Options{Mailboxes: mailboxes})
	service, ask := questions(b, info, client, "app-only", mailboxes)
	lines := make([]*line, connections)
	for i := range lines {
		lines[i] = dialLine(b, client, service)
	}
	drive(b, lines, ask, 4*mailboxes)
	bare := spawn(b, "bare", nil)
	var told childLab
	bare.answer(b, &told)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(told.CA))
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	floor := []*line{dialLine(b, trusting, told.Info.Graph), dialLine(b, trusting, told.Info.Graph)}
	b.ResetTimer()
	var both sync.WaitGroup
	var ofLab, ofBare []time.Duration
	both.Go(func() { ofLab = pace(b, lines, ask, b.N, 2000) })
	both.Go(func() { ofBare = pace(b, floor, ask, max(b.N/4, 1), 500) })
	both.Wait()
	b.StopTimer()
	for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99} {
		b.ReportMetric(quantile(slices.Sorted(slices.Values(ofLab)), share), name)
		b.ReportMetric(added(ofLab, ofBare, share), "added-"+name)
	}
}

// added is by how much a quantile of the lab's answers is above the bare server's
// of the same second: the median of all seconds, since one in which the machine
// did something else says nothing about either.
func added(ofLab, ofBare []time.Duration, share float64) float64 {
	var each []float64
	for lab, bare := range zip(slices.Chunk(ofLab, 2000), slices.Chunk(ofBare, 500)) {
		slices.Sort(lab)
		slices.Sort(bare)
		each = append(each, quantile(lab, share)-quantile(bare, share))
	}
	slices.Sort(each)
	return each[len(each)/2]
}

// zip goes through two sequences side by side.
func zip[T any](left, right iter.Seq[T]) iter.Seq2[T, T] {
	return func(yield func(T, T) bool) {
		next, stop := iter.Pull(right)
		defer stop()
		for l := range left {
			r, ok := next()
			if !ok || !yield(l, r) {
				return
			}
		}
	}
}

// pace asks n questions at a rate, evenly spread over time and over connections,
// and says how long each answer took from its sending, in order of time.
func pace(b *testing.B, lines []*line, ask [][]byte, n, rate int) []time.Duration {
	c := clock.Precise()
	took := make([]time.Duration, n)
	start := c.Now().Add(10 * time.Millisecond)
	var all sync.WaitGroup
	for k, l := range lines {
		all.Go(func() {
			for i := k; i < n; i += len(lines) {
				_ = c.SleepUntil(b.Context(), start.Add(time.Duration(i)*time.Second/time.Duration(rate)))
				sent := c.Now()
				if _, err := l.ask(ask[i%len(ask)]); err != nil {
					b.Error(err)
					return
				}
				took[i] = c.Now().Sub(sent)
			}
		})
	}
	all.Wait()
	return took
}

// quantile is a share of sorted times in milliseconds.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))].Seconds() * 1e3
}
