package main

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nights is a suite whose verdict hangs on a setting of the lab alone.
const nights = `
suite: nights
about: The same questions every night.
scenarios:
  - {name: read, steps: [{name: list, get: /me/messages, query: {$top: 1}}]}
load:
  - {name: steady, constant: {rate: 40/s, for: 1s}}
gates:
  - p50 of right < 80ms
`

// TestTheProgramTellsAWebhookOfChangesAlone runs five nights of the whole program
// against a webhook on this machine.
func TestTheProgramTellsAWebhookOfChangesAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	if os.PathSeparator != '/' {
		t.Skip("SKIPPED: SSL_CERT_FILE, which makes the program trust the webhook, is no setting of this system")
	}
	type told struct{ Was, Is, Suite string }
	var got []told
	hook := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body told
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/geheimer-pfad" {
			t.Errorf("%s: %v", r.URL, err)
		}
		got = append(got, body)
	}))
	t.Cleanup(hook.Close)
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	for file, content := range map[string][]byte{
		roots:                             pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}),
		filepath.Join(dir, "nights.yaml"): []byte(nights),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	night := func(name, latency string, code int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "cutover", "run", "nights.yaml", "--quiet", "--history", "nights.db", "--out", name,
			"--set", "lab.latency.cloud="+latency, "--alert", "env:HOOK", "--alert-format", "json")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+roots, "HOOK="+hook.URL+"/geheimer-pfad")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Errorf("%s: %v, want exit code %d\n%s", name, err, code, out)
		}
		if strings.Contains(string(out), "geheimer-pfad") {
			t.Errorf("the address is printed:\n%s", out)
		}
	}
	night("mon", "none", 0)
	night("tue", "none", 0)
	night("wed", "fixed:200ms", 1)
	night("thu", "fixed:200ms", 1)
	night("fri", "none", 0)
	if diff := cmp.Diff([]told{{"pass", "fail", "nights"}, {"fail", "pass", "nights"}}, got); diff != "" {
		t.Errorf("the webhook was told (-want +got):\n%s", diff)
	}
}

// TestTheProgramIsScrapedWhileItRuns reads the metrics of a run under way.
func TestTheProgramIsScrapedWhileItRuns(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "cutover", "run", "smoke", "--duration", "4s", "--no-progress", "--metrics", "127.0.0.1:0", "--out", t.TempDir()+"/run")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	address := ""
	for address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the address is not told: %v", err)
		}
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(line)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answered := regexp.MustCompile(`(?m)^cutover_live_requests_total\{.*path="cloud".*\} [1-9]`)
	last := ""
	for !answered.MatchString(last) { // ends with the run at the latest: then nobody answers
		response, err := client.Get(address)
		if err != nil {
			t.Fatalf("the run ended and no scrape had seen an answer: %v\n%s", err, last)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", response.Status, err)
		}
		response.Body.Close()
		last = string(body)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() > exitInconclusive {
		t.Error(err)
	}
	if _, err := client.Get(address); err == nil {
		t.Error("metrics are served after the run has ended")
	}
}
