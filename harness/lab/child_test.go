package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab"
)

// childRole names the environment variable by which the test binary starts
// itself again as another process: a lab, or a bare server, that serves until its
// standard input ends, or a client that holds idle connections.
const childRole = "CUTOVER_LAB_TEST_ROLE"

// childMain does the role; ok is false in an ordinary run of the tests.
func childMain() (code int, ok bool) {
	var err error
	switch os.Getenv(childRole) {
	case "":
		return 0, false
	case "serve":
		err = serveChild(os.Stdin, os.Stdout)
	case "bare":
		err = bareChild(os.Stdin, os.Stdout)
	case "idle":
		err = idleChild(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("unknown role")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// childLab is what a serving child tells: where it listens and whom to trust.
type childLab struct {
	Info lab.Info
	CA   string
}

func serveChild(in io.Reader, out io.Writer) error {
	var o lab.Options
	line, _ := bufio.NewReader(in).ReadBytes('\n')
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	l, err := lab.Start(context.Background(), o)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(childLab{l.Info(), string(l.CAPEM())}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	return l.Close()
}

// bareChild serves a constant of the size of a page over TLS: what remains of an
// answer's time when the lab is taken away.
func bareChild(in io.Reader, out io.Writer) error {
	body := bytes.Repeat([]byte("x"), 9000)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		_, _ = w.Write(body)
	}))
	defer s.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := json.NewEncoder(out).Encode(childLab{lab.Info{Graph: s.URL}, string(ca)}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	return nil
}

// child is a process of the test binary in another role.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// spawn starts the test binary in a role and writes it its first line. It ends
// with the test.
func spawn(t testing.TB, role string, first any) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if err := json.NewEncoder(in).Encode(first); err != nil {
		t.Fatal(err)
	}
	return c
}

// answer reads the child's next line.
func (c *child) answer(t testing.TB, into any) {
	t.Helper()
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("the child process said nothing: %v", err)
	}
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatal(err)
	}
}

// cpu is what the child has used so far; ok is false where the system does not
// tell (anything but Linux).
func (c *child) cpu() (used time.Duration, ok bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, false
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond, true // ticks of the kernel's fixed 100 a second
}

// memory is the child's resident memory in bytes; ok as for cpu.
func (c *child) memory() (bytes int64, ok bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(raw), "VmRSS:")
	if f := strings.Fields(rest); found && len(f) > 0 {
		kb, err := strconv.ParseInt(f[0], 10, 64)
		return kb << 10, err == nil
	}
	return 0, false
}
