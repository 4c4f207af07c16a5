package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cutover/harness/clock"
)

// evil is what a page must not execute or show as markup.
const evil = `</script><script>document.title='pwned'</script><img src=x onerror=document.title='pwned'><svg onload=document.title='pwned'>`

// hostile is a server that does what no server should.
type hostile struct {
	elsewhere string // another server of this machine, which nobody may be led to
	bomb      []byte
	pages     atomic.Int64
	sent      atomic.Int64 // bytes of endless bodies
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	here := "http://" + r.Host + r.URL.Path
	w.Header().Set("Content-Type", "application/json")
	page := func(next string) {
		fmt.Fprintf(w, `{"value":[{"id":"A","subject":"x"}],"@odata.nextLink":%q}`, next)
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/v1.0/me/"); path {
	case "link-local/messages":
		page("http://169.254.169.254/latest/meta-data")
	case "port/messages":
		page(h.elsewhere + "/page2")
	case "redirect/messages":
		http.Redirect(w, r, h.elsewhere+"/redirected", http.StatusTemporaryRedirect)
	case "endless/messages":
		page(fmt.Sprintf("%s?page=%d", here, h.pages.Add(1)))
	case "bomb/messages":
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(h.bomb)
	case "line/messages":
		chunk := bytes.Repeat([]byte("a"), 1<<20)
		for range 1 << 10 { // a line of 1 GiB
			n, err := w.Write(chunk)
			h.sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	case "script/messages":
		w.Header().Set("X-FEServer", evil)
		fmt.Fprintf(w, `{"value":[{"id":%q,"subject":%q,%q:%q,"n":%d}]}`, evil, evil, evil, evil, h.pages.Add(1))
	default:
		io.WriteString(w, `{"id":"A"}`)
	}
}

// gzipBomb is a MiB that unpacks to a GiB.
func gzipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		z.Write(zeros)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dialled remembers where connections would have gone, and refuses what is not loopback.
type dialled struct {
	mu  sync.Mutex
	all map[string]bool
}

func (d *dialled) judge(_, address string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[address] = true
	if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().Unmap().IsLoopback() {
		return errors.New("no test leaves this machine")
	}
	return nil
}

func TestAHostileServerIsRefusedBoundedAndInert(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	defer leaves(t)()
	var reached atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	h := &hostile{elsewhere: other.URL, bomb: gzipBomb(t)}
	left, right := httptest.NewServer(h), httptest.NewServer(h)
	defer left.Close()
	defer right.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	profile := write("p.yaml", fmt.Sprintf("profile: bad\npaths:\n  onprem: {graph: {url: %q, as: user}}\n  cloud: {graph: {url: %q, as: user}}\n", left.URL+"/v1.0", right.URL+"/v1.0"))
	var suite strings.Builder
	suite.WriteString("suite: hostile\nscenarios:\n")
	for _, way := range []string{"link-local", "port", "redirect", "endless", "bomb", "line", "script"} {
		fmt.Fprintf(&suite, "  - {name: %s, steps: [{name: get, get: /me/%s/messages, timeout: 3s}]}\n", way, way)
	}
	suite.WriteString("load: [{name: steady, constant: {rate: 7/s, for: 2s}}]\ncompare: {sample: 100%, pages: drain}\n")

	d := &dialled{all: map[string]bool{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var out, errs bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test", Connecting: d.judge}
	folder := filepath.Join(dir, "run")
	code := a.Main(t.Context(), []string{"run", write("s.yaml", suite.String()), "--profile", profile, "--out", folder, "--no-progress"})
	runtime.ReadMemStats(&after)

	if code != exitAborted { // so much brokenness stops a run, after everything was asked once
		t.Errorf("exit %d, want 5\n%s%s", code, out.String(), errs.String())
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests were led to another server", n)
	}
	for address := range d.all {
		if host := "http://" + address; host != left.URL && host != right.URL {
			t.Errorf("a connection to %s was about to be made", address)
		}
	}
	if grown := int64(after.Sys) - int64(before.Sys); grown > 600<<20 {
		t.Errorf("the run took %d MiB", grown>>20)
	}
	if got := h.sent.Load(); got > 14*4*64<<20 {
		t.Errorf("%d MiB of endless lines were read", got>>20)
	}
	if n := h.pages.Load(); n > 40_000 {
		t.Errorf("%d endless pages were followed", n)
	}
	inert(t, filepath.Join(folder, "report.html"))
	for _, text := range []string{out.String(), errs.String()} {
		if strings.ContainsAny(text, "\x1b\x00") {
			t.Error("control characters reach the terminal")
		}
	}
}

// inert loads a page in Chromium and wants nothing of it to have run.
func inert(t *testing.T, file string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>document.title", "<img src=x", "<svg onload"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("%s got into the page as markup", bad)
		}
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CUTOVER_REQUIRE_TOOLS") == "1" {
			t.Fatal(err)
		}
		t.Log("SKIPPED: no chromium to load the report in")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+file)
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	if bytes.Contains(dom, []byte("<title>pwned")) || !bytes.Contains(dom, []byte("<title>")) {
		t.Error("the page of a hostile server ran its script")
	}
}
