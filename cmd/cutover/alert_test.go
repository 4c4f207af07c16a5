package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/result"
	"cutover/harness/runfolder"
)

// webhook takes in what is posted to /secret-path.
type webhook struct {
	*httptest.Server
	status int
	posted []string
}

func newWebhook(t *testing.T) *webhook {
	t.Helper()
	leaks(t)
	w := &webhook{status: http.StatusAccepted}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/secret-path" || r.Method != http.MethodPost {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		w.posted = append(w.posted, string(body))
		out.WriteHeader(w.status)
	}))
	t.Cleanup(w.Close)
	return w
}

// alerting is a session whose alerts go to a webhook.
func alerting(t *testing.T, w *webhook, format string) (*session, *bytes.Buffer) {
	t.Helper()
	var stderr bytes.Buffer
	a := &App{Stderr: &stderr, Clock: clock.System(), Env: func(name string) string {
		return map[string]string{"HOOK": w.URL + "/secret-path"}[name]
	}}
	roots := x509.NewCertPool()
	roots.AddCert(w.Certificate())
	o := &runOptions{alert: "env:HOOK", alertFormat: format, history: "h.db"}
	l, err := a.openAlert(o, guard.Options{CA: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	folder, err := runfolder.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return &session{app: a, options: o, alert: l, folder: folder}, &stderr
}

func TestAnAlertIsSentWhenTheStateChanges(t *testing.T) {
	for _, c := range []struct {
		name    string
		was, is result.Verdict
		sent    bool
	}{
		{"it is silent while nights pass", result.Pass, result.Pass, false},
		{"it is silent while they fail", result.Fail, result.Fail, false},
		{"it is silent about a first night that passes", "", result.Pass, false},
		{"it tells of a first night that fails", "", result.Fail, true},
		{"it tells of the night that turned bad", result.Pass, result.Fail, true},
		{"it tells of the night that is good again", result.Fail, result.Pass, true},
		{"it tells of a night that cannot tell", result.Pass, result.Inconclusive, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebhook(t)
			s, stderr := alerting(t, w, "json")
			s.alertAbout(c.was, &result.Result{Suite: "nightly", Profile: "lab", Target: result.Simulated, RunID: "r1", Verdict: c.is, Reasons: []string{"because"}})
			if (len(w.posted) == 1) != c.sent || strings.Contains(stderr.String(), "warning") {
				t.Errorf("%d alerts were sent: %s", len(w.posted), stderr.String())
			}
			want := `{"schema":"cutover.alert/v1","was":"` + string(c.was) + `","is":"` + string(c.is) + `","exit_code":0,"suite":"nightly","profile":"lab","target":"simulated","run_id":"r1"`
			if c.sent && !strings.HasPrefix(w.posted[0], want) {
				t.Errorf("got  %s\nwant %s…", w.posted[0], want)
			}
		})
	}
}

func TestAnAlertIsAnAdaptiveCard(t *testing.T) {
	w := newWebhook(t)
	s, _ := alerting(t, w, "card")
	s.alertAbout(result.Pass, &result.Result{Suite: "nightly", Profile: "lab", Verdict: result.Fail})
	if len(w.posted) != 1 || !strings.Contains(w.posted[0], "application/vnd.microsoft.card.adaptive") || !strings.Contains(w.posted[0], "fail: nightly on lab") {
		t.Errorf("posted: %q", w.posted)
	}
}

func TestAnAlertThatFailsIsAWarningWithoutTheAddress(t *testing.T) {
	w := newWebhook(t)
	w.status = http.StatusForbidden
	s, stderr := alerting(t, w, "json")
	r := &result.Result{Verdict: result.Fail, ExitCode: 1}
	s.alertAbout(result.Pass, r)
	w.Close()
	s.alertAbout(result.Pass, r)
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if len(lines) != 2 || lines[0] != "cutover: warning: the alert was not delivered: the webhook answered 403" || !strings.HasPrefix(lines[1], "cutover: warning: the alert was not delivered: ") {
		t.Errorf("stderr is\n%s", stderr.String())
	}
	if strings.Contains(stderr.String(), "secret-path") {
		t.Errorf("the address is told: %s", stderr.String())
	}
	if r.Verdict != result.Fail || r.ExitCode != 1 {
		t.Errorf("the verdict became %s, %d", r.Verdict, r.ExitCode)
	}
}

func TestAlertsThatAreRefused(t *testing.T) {
	env := map[string]string{"ELSEWHERE": "https://hooks.contoso.com/secret-path", "PLAIN": "http://127.0.0.1:1/secret-path", "NONE": ""}
	for _, c := range []struct {
		name, alert, history string
		code                 int
	}{
		{"a host elsewhere needs consent", "env:ELSEWHERE", "h.db", exitRefused},
		{"an address in clear is none", "env:PLAIN", "h.db", exitUsage},
		{"an empty reference is none", "env:NONE", "h.db", exitUsage},
		{"an address on the command line is no reference", "https://hooks.contoso.com/secret-path", "h.db", exitUsage},
		{"without a history there is no state", "env:ELSEWHERE", "", exitUsage},
	} {
		a := &App{Env: func(name string) string { return env[name] }, Clock: clock.System()}
		_, err := a.openAlert(&runOptions{alert: c.alert, alertFormat: "card", history: c.history}, guard.Options{})
		if code, hint := classify(err); code != c.code || strings.Contains(errors.Join(err, errors.New(hint)).Error(), "secret-path") {
			t.Errorf("%s: exit code %d, want %d: %v", c.name, code, c.code, err)
		}
	}
}
