package lab_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

// soak skips a test that needs the lab's real time limits.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes the lab's whole time limits: CUTOVER_SOAK=1")
	}
}

// slow is a client that takes its time: it sends text a byte a second, from the
// brace on if there is one, and must be dropped within most.
type slow struct {
	name, text string
	tls        bool
	most       time.Duration
}

// A client that sends its request byte by byte, and one that opens a connection
// and says nothing, are dropped when their time is over; others are served all along.
func TestSoakSlowClientsAreDroppedAndOthersAreServed(t *testing.T) {
	soak(t)
	w := start(t, lab.Options{Mailboxes: 2})
	app, c := w.app(0), clock.System()
	list := w.info.Graph + "/users/" + w.info.Pairs[0].CloudUPN + "/messages?$top=1"
	var all sync.WaitGroup
	for _, s := range []slow{
		{"a header that never ends", "GET /v1.0/me HTTP/1.1\r\nHost: x\r\nX-Slow: " + strings.Repeat("y", 300), true, 14 * time.Second},
		{"a TLS handshake in silence", "", false, 14 * time.Second},
		{"a body that never ends", "POST /v1.0/$batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", true, 130 * time.Second},
		{"garbage instead of TLS", strings.Repeat("\x16", 400), false, 14 * time.Second},
	} {
		all.Go(func() { w.dropped(s) })
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	for {
		before := c.Now()
		if got := w.get(app, list); got.status != 200 {
			t.Errorf("another client: %d %s", got.status, got.body)
		}
		if took := c.Now().Sub(before); took > 2*time.Second {
			t.Errorf("another client waited %v", took)
		}
		select {
		case <-finished:
			return
		default:
			_ = c.SleepUntil(t.Context(), c.Now().Add(500*time.Millisecond))
		}
	}
}

// dropped is a slow client that wants the lab to end it in time.
func (w *world) dropped(s slow) {
	var conn net.Conn
	var err error
	if s.tls {
		conn, err = w.dialTLS()
	} else {
		conn, err = net.Dial("tcp", strings.TrimPrefix(origin(w.info.Graph), "https://"))
	}
	if err != nil {
		w.t.Error(err)
		return
	}
	defer conn.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn) // until the lab closes
	}()
	c := clock.System()
	began := c.Now()
	sent := strings.Index(s.text, "{") + 1
	_, _ = io.WriteString(conn, s.text[:sent])
	for {
		next := " " // past the end: more of the body
		if sent < len(s.text) {
			next = s.text[sent : sent+1]
		}
		sent++
		if s.text != "" {
			_, _ = io.WriteString(conn, next)
		}
		took := c.Now().Sub(began)
		select {
		case <-gone:
			if took > s.most {
				w.t.Errorf("%s: dropped after %v, want at most %v", s.name, took, s.most)
			}
			return
		default:
		}
		if took > s.most+10*time.Second {
			w.t.Errorf("%s: still there after %v", s.name, took)
			conn.Close()
			<-gone
			return
		}
		_ = c.SleepUntil(w.t.Context(), c.Now().Add(time.Second))
	}
}

// idleLimit is what the lab may hold in memory with 5,000 idle TLS connections.
const idleLimit = 384 << 20

// Idle connections of another process cost memory that has a bound, and nobody else's time.
func TestIdleConnectionsOfAnotherProcessHarmNobody(t *testing.T) { idle(t, 400) }

func TestSoakFiveThousandIdleConnectionsOfAnotherProcessHarmNobody(t *testing.T) {
	soak(t)
	idle(t, 5000)
}

func idle(t *testing.T, connections int) {
	t.Helper()
	c, info, client := remoteLab(t, lab.Options{Mailboxes: 3})
	w := &world{t: t, info: info, client: client}
	app := w.app(0)
	list := info.Graph + "/users/" + info.Pairs[0].CloudUPN + "/messages?$top=1"
	u, err := url.Parse(info.Graph)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(info.CA)
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []idleOrder{{Address: u.Host, Connections: connections, CA: string(ca)}, {Address: u.Host, Connections: connections / 10}} {
		holder := spawn(t, "idle", order)
		var open int
		holder.answer(t, &open)
		if open != order.Connections {
			t.Errorf("%d connections of %d stand", open, order.Connections)
		}
	}
	for range 50 {
		if got := w.get(app, list); got.status != 200 {
			t.Fatalf("another client: %d %s", got.status, got.body)
		}
	}
	if held, ok := c.memory(); ok {
		t.Logf("%d idle TLS connections and %d that are silent: the lab holds %d MiB", connections, connections/10, held>>20)
		if held > idleLimit {
			t.Errorf("the lab holds %d MiB, want at most %d", held>>20, idleLimit>>20)
		}
	}
}

// Ten thousand mailboxes of 200 messages start in under two seconds, and a lab
// that listed every one of them stays under a gibibyte.
func TestSoakTenThousandMailboxesThatWereAllListedFitInAGibibyte(t *testing.T) {
	soak(t)
	c := clock.System()
	began := c.Now()
	lab10k, info, client := remoteLab(t, lab.Options{Mailboxes: 5000})
	started := c.Now().Sub(began)
	w := &world{t: t, info: info, client: client}
	app, service := w.app(0), "Basic "+basic(info.ServiceAccount.Login, info.ServiceAccount.Password)
	for _, p := range info.Pairs {
		on := w.get("", info.Rest+"/users/"+p.OnPremUPN+"/mailfolders/inbox/messages?$top=25&$select=Subject,From,ReceivedDateTime,IsRead,Importance", "Authorization", service)
		cloud := w.get(app, info.Graph+"/users/"+p.CloudUPN+listQuestion)
		if on.status != 200 || cloud.status != 200 {
			t.Fatalf("%s: %d %d", p.Name, on.status, cloud.status)
		}
	}
	held, ok := lab10k.memory()
	t.Logf("started in %v; all listed: the process holds %d MiB", started, held>>20)
	if started > 2*time.Second {
		t.Errorf("started in %v, want under 2s", started)
	}
	if ok && held > 1<<30 {
		t.Errorf("the process holds %d MiB, want under 1 GiB", held>>20)
	}
}
