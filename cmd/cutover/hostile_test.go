package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
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
	"slices"
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
		for _, name := range []string{"X-FEServer", "request-id", "x-ms-ags-diagnostic", "Preference-Applied", "Server", "Via", "Content-Language"} {
			w.Header().Set(name, evil)
		}
		who := map[string]any{"emailAddress": map[string]any{"name": evil, "address": evil}}
		item := map[string]any{"n": h.pages.Add(1), evil: evil, "body": map[string]any{"contentType": evil, "content": evil}, "from": who, "sender": who, "toRecipients": []any{who},
			"categories": []any{evil}, "start": map[string]any{"dateTime": evil, "timeZone": evil}, "location": map[string]any{"displayName": evil}, "flag": map[string]any{"flagStatus": evil}}
		for _, name := range []string{"id", "subject", "bodyPreview", "webLink", "changeKey", "@odata.etag", "@odata.type", "internetMessageId", "importance", "receivedDateTime", "displayName"} {
			item[name] = evil + r.Host // the sides differ
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"@odata.context": evil, "@odata.nextLink": evil, "value": []any{item}}) // the client hung up
	case "error/messages":
		w.Header().Set("X-FEServer", evil)
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": evil + r.Host, "message": evil, "innerError": map[string]any{"request-id": evil, "code": evil}}}) // the client hung up
	default:
		io.WriteString(w, `{"id":"A"}`)
	}
}

// gzipBomb is a few MiB that unpack to a GiB.
func gzipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
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

// attacked is a deployment both of whose sides are hostile.
type attacked struct {
	*hostile
	dialled dialled
	reached atomic.Int64 // requests at the server that nobody may be led to
	sides   []string
	dir     string
	profile string
}

func startAttacked(t *testing.T) *attacked {
	t.Helper()
	x := &attacked{hostile: &hostile{}, dialled: dialled{all: map[string]bool{}}, dir: t.TempDir()}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { x.reached.Add(1) }))
	x.elsewhere = other.URL
	left, right := httptest.NewServer(x.hostile), httptest.NewServer(x.hostile)
	x.sides = []string{left.URL, right.URL}
	x.profile = x.write(t, "p.yaml", fmt.Sprintf("profile: bad\npaths:\n  onprem: {graph: {url: %q, as: user}}\n  cloud: {graph: {url: %q, as: user}}\n", left.URL+"/v1.0", right.URL+"/v1.0"))
	t.Cleanup(func() { left.Close(); right.Close(); other.Close() })
	return x
}

func (x *attacked) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(x.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// ask runs a suite that steps into one trap on both sides. It returns the run's folder
// and everything that was printed.
func (x *attacked) ask(t *testing.T, way string) (folder, said string) {
	t.Helper()
	suite := x.write(t, way+".yaml", fmt.Sprintf("suite: hostile\nscenarios: [{name: %[1]s, steps: [{name: get, get: /me/%[1]s/messages, timeout: 3s, capture: {link: \"$['@odata.nextLink']\"}}, {name: follow, get: '{{link}}', timeout: 3s}]}]\n"+
		"load: [{name: steady, constant: {rate: 4/s, for: 500ms}}]\ncompare: {sample: 100%%, pages: drain}\n", way))
	if way == "redirect" || way == "bomb" || way == "line" || way == "error" {
		suite = x.write(t, way+".yaml", fmt.Sprintf("suite: hostile\nscenarios: [{name: %[1]s, steps: [{name: get, get: /me/%[1]s/messages, timeout: 3s}]}]\n"+
			"load: [{name: steady, constant: {rate: 4/s, for: 500ms}}]\ncompare: {sample: 100%%, pages: drain}\n", way))
	}
	var out, errs bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test", Connecting: x.dialled.judge}
	folder = filepath.Join(x.dir, way)
	code := a.Main(t.Context(), []string{"run", suite, "--profile", x.profile, "--out", folder, "--no-progress"})
	if code != exitPass && code != exitFail && code != exitInconclusive && code != exitAborted {
		t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	return folder, out.String() + errs.String()
}

func TestAHostileServerIsRefusedBoundedAndInert(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	for _, row := range []struct {
		name, way string
		memory    int64 // MiB that the process may grow by
		shown     bool  // its words get into the report
	}{
		{"it does not follow a redirect to another host", "redirect", 100, false},
		{"it does not follow a link to a link-local address", "link-local", 100, false},
		{"it does not follow a link to another port", "port", 100, false},
		{"it does not follow pages without an end", "endless", 200, false},
		{"it does not unpack a gzip bomb", "bomb", 400, false},
		{"it does not read a line of 1 GiB", "line", 400, false},
		{"it shows script in every field as text", "script", 200, true},
		{"it shows script in an error as text", "error", 200, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			defer leaves(t)()
			t.Run("run", func(t *testing.T) {
				x := startAttacked(t)
				if row.way == "bomb" {
					x.bomb = gzipBomb(t)
				}
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				began := clock.System().Now()
				folder, said := x.ask(t, row.way)
				took := clock.System().Now().Sub(began)
				runtime.ReadMemStats(&after)
				if grown := int64(after.Sys) - int64(before.Sys); grown > row.memory<<20 {
					t.Errorf("the run took %d MiB", grown>>20)
				}
				if took > 30*time.Second {
					t.Errorf("the run took %v", took)
				}
				x.bounded(t)
				if strings.ContainsAny(said, "\x1b\x00") {
					t.Error("control characters reach the terminal")
				}
				if row.shown {
					inert(t, filepath.Join(folder, "report.html"))
				}
			})
		})
	}
}

// bounded wants that nobody was led elsewhere and nothing was taken without an end.
func (x *attacked) bounded(t *testing.T) {
	t.Helper()
	if n := x.reached.Load(); n > 0 {
		t.Errorf("%d requests were led to another server", n)
	}
	for address := range x.dialled.all {
		if !slices.Contains(x.sides, "http://"+address) {
			t.Errorf("a connection to %s was about to be made", address)
		}
	}
	if len(x.dialled.all) == 0 {
		t.Error("nobody was asked")
	}
	if got := x.sent.Load(); got > 4*4*64<<20 {
		t.Errorf("%d MiB of endless lines were read", got>>20)
	}
	if n := x.pages.Load(); n > 20_000 {
		t.Errorf("%d endless pages were followed", n)
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
