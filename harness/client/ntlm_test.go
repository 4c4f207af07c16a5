package client_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"cutover/harness/client"
	"cutover/harness/wire"
)

// ntlmServer signs in connections as IIS does: a refusal with a body, a
// challenge, and from then on the connection counts as the user's.
type ntlmServer struct {
	mu         sync.Mutex
	users      map[net.Conn]string
	handshakes int
	requests   int
}

func (s *ntlmServer) answer(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
	const refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM"
	const page = "\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\nnot signed in"
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	token, signing := strings.CutPrefix(r.Header.Get("Authorization"), "NTLM ")
	message, err := base64.StdEncoding.DecodeString(token)
	switch {
	case err != nil || signing && len(message) < 12:
		t.Errorf("the server got %q", r.Header.Get("Authorization"))
		return false
	case signing && message[8] == 1:
		return says(refusal+" "+base64.StdEncoding.EncodeToString(challenge())+page)(t, n, nc, r)
	case signing && message[8] == 3:
		s.handshakes++
		s.users[nc] = ntlmText(message, 28) + `\` + ntlmText(message, 36)
	}
	if s.users[nc] == "" {
		return says(refusal+page)(t, n, nc, r)
	}
	return says(ok+"X-User: "+s.users[nc]+"\r\nContent-Length: 2\r\n\r\nok")(t, n, nc, r)
}

// challenge is a CHALLENGE_MESSAGE of MS-NLMP, section 2.2.1.2, whose target
// information is the terminator alone.
func challenge() []byte {
	b := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 56, 0, 0, 0)                 // target name: empty
	b = binary.LittleEndian.AppendUint32(b, 0xa0_88_02_01) // unicode, NTLM, extended security, target info, 56 and 128 bit
	b = append(b, 1, 2, 3, 4, 5, 6, 7, 8)                  // the challenge
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)                  // reserved
	b = append(b, 4, 0, 4, 0, 56, 0, 0, 0)                 // target information
	b = append(b, 10, 0, 0, 0, 0, 0, 0, 15)                // version
	return append(b, 0, 0, 0, 0)
}

// ntlmText reads the UTF-16 text whose length and offset stand at the place.
func ntlmText(message []byte, place int) string {
	length := int(binary.LittleEndian.Uint16(message[place:]))
	offset := int(binary.LittleEndian.Uint32(message[place+4:]))
	var units []uint16
	for i := offset; i < offset+length; i += 2 {
		units = append(units, binary.LittleEndian.Uint16(message[i:]))
	}
	return string(utf16.Decode(units))
}

func TestNTLMSignsInEachConnectionOnce(t *testing.T) {
	ntlm := &ntlmServer{users: map[net.Conn]string{}}
	s := serve(t, nil, ntlm.answer)
	c := open(t, client.Options{Login: func(mailbox string) (string, string, bool) {
		return `CONTOSO\` + mailbox, "secret", mailbox != "nobody"
	}})
	users := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	const each = 20
	for _, mailbox := range []string{"ann", "bob"} {
		for range each {
			wg.Go(func() {
				call := do(c, &wire.Request{Method: "POST", URL: s.url, Mailbox: mailbox, Body: []byte("x")})
				mu.Lock()
				defer mu.Unlock()
				if call.Failure != nil || call.Response.Status != 200 {
					t.Errorf("%s: status %d, %v", mailbox, call.Response.Status, call.Failure)
				}
				users[call.Response.Header.Value("X-User")] = true
			})
		}
	}
	wg.Wait()
	if len(users) != 2 || !users[`CONTOSO\ann`] || !users[`CONTOSO\bob`] {
		t.Errorf("the server knew %v, want CONTOSO\\ann and CONTOSO\\bob", users)
	}
	got := c.Stats()
	if got.Opened > 4 || ntlm.handshakes != int(got.Opened) {
		t.Errorf("%d handshakes on %d connections, want one on each of at most 4", ntlm.handshakes, got.Opened)
	}
	if want := 2*each + int(got.Extra); ntlm.requests != want || got.Extra != 2*got.Opened {
		t.Errorf("the server saw %d requests, want %d with %d extra", ntlm.requests, want, got.Extra)
	}
	if call := do(c, &wire.Request{Method: "GET", URL: s.url, Mailbox: "nobody"}); call.Response.Status != 401 {
		t.Errorf("without a login: status %d, want 401", call.Response.Status)
	}
}

func TestEachConnectionIsAdmittedBeforeItSignsIn(t *testing.T) {
	ntlm := &ntlmServer{users: map[net.Conn]string{}}
	s := serve(t, nil, ntlm.answer)
	var admitted atomic.Int32
	no := errors.New("not now")
	c := open(t, client.Options{MaxConns: 1, Login: func(mailbox string) (string, string, bool) { return mailbox, "secret", true },
		Admit: func(context.Context) error {
			if admitted.Add(1) > 2 {
				return no
			}
			return nil
		}})
	var got []int
	for _, mailbox := range []string{"ann", "ann", "bob", "bob", "cid"} {
		got = append(got, do(c, &wire.Request{Method: "GET", URL: s.url, Mailbox: mailbox}).Response.Status)
	}
	if fmt.Sprint(got) != "[200 200 200 200 0]" || admitted.Load() != 3 || ntlm.handshakes != 2 {
		t.Errorf("statuses %v, %d asked to be admitted, %d handshakes; want two connections and a third that was not let in", got, admitted.Load(), ntlm.handshakes)
	}
}

func TestASignInThatBreaksIsNoRefusal(t *testing.T) {
	s := serve(t, nil, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" {
			return false // the connection ends in the middle of the handshake
		}
		return says("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n")(t, n, nc, r)
	})
	c := open(t, client.Options{Login: func(mailbox string) (string, string, bool) { return mailbox, "secret", true }})
	if call := do(c, &wire.Request{Method: "GET", URL: s.url, Mailbox: "ann"}); call.Failure == nil {
		t.Errorf("status %d, want a failure: 401 would count as a wrong password", call.Response.Status)
	}
}

func TestWaitingForASignedInConnectionEnds(t *testing.T) {
	arrived := make(chan bool, 1)
	s := serve(t, nil, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
		arrived <- true
		return saysAndHangs("")(t, n, nc, r)
	})
	c := open(t, client.Options{MaxConns: 1, Login: func(string) (string, string, bool) { return "ann", "secret", true }})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { c.Do(ctx, get(s.url), new(wire.Call)) })
	<-arrived
	req := get(s.url)
	req.Timeout = 20 * time.Millisecond
	if call := do(c, req); kind(call) != wire.Timeout {
		t.Errorf("got %v, want a timeout", call.Failure)
	}
	cancel()
	wg.Wait()
}
