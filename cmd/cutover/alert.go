package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"cutover/harness/guard"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/reports"
)

// alertLimit bounds the delivery of an alert: a webhook that hangs must not keep a
// nightly job from its end.
const alertLimit = 20 * time.Second

// alert tells a webhook when the verdict of a series changes. Its address is a
// secret: whoever has it can post.
type alert struct {
	url    string
	format string // card or json
	door   *guard.Door
	sender *guard.HTTP
}

// alertBody is the generic form, for receivers that are no chat.
type alertBody struct {
	Schema   string         `json:"schema"`
	Was      result.Verdict `json:"was"` // "" for the first run of its series
	Is       result.Verdict `json:"is"`
	ExitCode int            `json:"exit_code"`
	Suite    string         `json:"suite"`
	Profile  string         `json:"profile"`
	Target   string         `json:"target"`
	RunID    string         `json:"run_id"`
	Started  time.Time      `json:"started"`
	Reasons  []string       `json:"reasons"`
	Report   string         `json:"report,omitempty"`
}

// openAlert reads the webhook's address and opens a door of its own to it: a host
// that is not on this machine needs the consent that names it. Nil: no alert.
func (a *App) openAlert(o *runOptions, options guard.Options) (*alert, error) {
	if o.alert == "" {
		return nil, nil
	}
	if o.history == "" {
		return nil, usageError("the history knows what the state was", "--alert needs --history")
	}
	if o.alertFormat != "card" && o.alertFormat != "json" {
		return nil, usageError("known: card, json", "--alert-format: unknown format %q", o.alertFormat)
	}
	address, err := a.reference("alert", o.alert)
	if err != nil {
		return nil, err
	}
	a.secrets.Add(address)
	u, err := url.Parse(address)
	host, err2 := guard.HostPort(address)
	if err != nil || err2 != nil || u.Scheme != "https" {
		return nil, usageError("", "--alert: %s holds no https address", o.alert)
	}
	resolve, err := o.target.resolved()
	if err != nil {
		return nil, err
	}
	rules := guard.Rules{SignIn: map[string][]string{"alert": {host}}, Resolve: resolve, Clock: a.Clock}
	if o.target.consent != "" {
		if rules.Consent, err = guard.LoadConsent(o.target.consent); err != nil {
			return nil, err
		}
	}
	door, err := guard.Open(rules)
	if err != nil {
		return nil, err
	}
	options.Resolve, options.Proxy, options.Timeout = resolve, true, alertLimit
	sender, err := door.HTTP("alert", wire.Token, options)
	if err != nil {
		door.Close()
		return nil, err
	}
	return &alert{url: address, format: o.alertFormat, door: door, sender: sender}, nil
}

// reference reads a secret from where env:NAME or file:PATH says.
func (a *App) reference(flag, text string) (string, error) {
	kind, name, _ := strings.Cut(text, ":")
	var secret string
	switch kind {
	case "env":
		secret = a.Env(name)
	case "file":
		data, err := os.ReadFile(name)
		if err != nil {
			return "", usageError("", "--%s: %w", flag, err)
		}
		secret = string(data)
	default:
		return "", usageError("the address is a secret: write env:NAME or file:PATH", "--%s: expected env:NAME or file:PATH", flag)
	}
	if secret = strings.TrimSpace(secret); secret == "" {
		return "", usageError("", "--%s: %s is empty", flag, text)
	}
	return secret, nil
}

// tell posts the alert when the state changed. A series begins in the state pass:
// its first run is told of only when it is something else.
func (l *alert) tell(ctx context.Context, was result.Verdict, r *result.Result, report string) (told bool, err error) {
	if was == r.Verdict || was == "" && r.Verdict == result.Pass {
		return false, nil
	}
	body, err := l.body(was, r, report)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, alertLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("its address cannot be called")
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := l.sender.Do(request)
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err // without the address
	}
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return false, err
	}
	if response.StatusCode/100 != 2 {
		return false, fmt.Errorf("the webhook answered %d", response.StatusCode)
	}
	return true, nil
}

func (l *alert) body(was result.Verdict, r *result.Result, report string) ([]byte, error) {
	if l.format == "json" {
		return json.Marshal(alertBody{Schema: "cutover.alert/v1", Was: was, Is: r.Verdict, ExitCode: r.ExitCode, Suite: r.Suite, Profile: r.Profile,
			Target: r.Target, RunID: r.RunID, Started: r.Started, Reasons: r.Reasons, Report: report})
	}
	format, err := reports.Lookup("card")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = format.Write(&out, r, reports.Options{ReportPath: report})
	return out.Bytes(), err
}

func (l *alert) close() {
	if l != nil {
		l.door.Close()
	}
}

// alertAbout tells the webhook what the run came to. That it could not be told is a
// warning: the verdict is about the deployment, not about the messenger.
func (s *session) alertAbout(was result.Verdict, r *result.Result) {
	if s.alert == nil {
		return
	}
	told, err := s.alert.tell(context.Background(), was, r, s.folder.Path("report.html"))
	switch {
	case err != nil:
		fmt.Fprintln(s.app.Stderr, s.app.secrets.Redact(fmt.Sprintf("cutover: warning: the alert was not delivered: %v", err)))
	case told && !s.options.quiet:
		fmt.Fprintf(s.app.Stderr, "cutover: alert sent: %s after %s\n", r.Verdict, stateWord(was))
	}
}

func stateWord(v result.Verdict) string {
	if v == "" {
		return "no run before"
	}
	return string(v)
}
