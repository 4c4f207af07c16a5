package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

// bench is a lab in a process of its own, and the way to its ruler.
type bench struct {
	app        *App
	profile    *profiles.Profile
	deployment *deployment
	child      *exec.Cmd
	line       io.Closer // the child's stdin: it ends when this closes, also when this process dies
}

// ruled is what the lab's ruler does to the requests of one measurement.
type ruled struct {
	delay, at, stall time.Duration
	every            int
}

// stopLimit is how long a lab may take to end before it is killed.
const stopLimit = 5 * time.Second

// openBench starts this program once more, as `cutover lab`, and opens the door to it.
func (a *App) openBench(ctx context.Context) (*bench, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	b := &bench{app: a, child: exec.Command(program, "lab", "--json", "--while-stdin", "--set", "lab.mailboxes=1")}
	b.child.Args[0] = "cutover"
	b.child.Env = []string{"PATH=" + a.Env("PATH"), "TMPDIR=" + a.Env("TMPDIR"), "TEMP=" + a.Env("TEMP"), "SystemRoot=" + a.Env("SystemRoot")}
	b.child.Stderr = a.Stderr
	stdin, err := b.child.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	b.line = stdin
	out, err := b.child.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	if err := b.child.Start(); err != nil {
		return nil, fmt.Errorf("calibrate: starting the lab: %w", err)
	}
	var info lab.Info
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&info); err != nil {
		b.close()
		return nil, fmt.Errorf("calibrate: the lab did not start: %w", err)
	}
	if err := b.connect(info.Control); err != nil {
		b.close()
		return nil, err
	}
	return b, ctx.Err()
}

// connect opens the door to the ruler: loopback alone, as for any lab.
func (b *bench) connect(control string) error {
	text := "profile: calibration\npaths:\n  ruler: {plain: {url: \"" + control + "/ruler\"}, protocol: http/1.1}\nleft: ruler\n"
	var err error
	if b.profile, err = profiles.Parse("calibration", []byte(text)); err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	host, err := guard.HostPort(control)
	if err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	rules := guard.Rules{Simulated: true, Hosts: map[string][]string{"ruler": {host}}, Clock: b.app.Clock}
	b.deployment, err = b.app.open(b.profile, nil, []string{"ruler"}, rules)
	return err
}

// close ends the lab and waits for it.
func (b *bench) close() {
	if b.deployment != nil {
		b.deployment.close()
	}
	b.line.Close()
	late := make(chan struct{})
	timer := b.app.Clock.NewTimer(stopLimit)
	go func() {
		defer close(late)
		_ = b.child.Wait()
	}()
	select {
	case <-late:
	case <-timer.C():
		_ = b.child.Process.Kill()
		<-late
	}
	timer.Stop()
}

// constantLoad is the load of a suite that asks the ruler evenly.
func constantLoad(rate float64, length time.Duration) string {
	return fmt.Sprintf("load: [{name: load, constant: {rate: %.0f/s, for: %v}}]\n", rate, length)
}

// capacityGates hold as long as a cheap target is asked no faster than it can answer.
const capacityGates = "gates: [p99 of each path < 50ms, failed on each path = 0]\n"

// ask sets the ruler, runs a load against it and returns what was measured, and what the
// ruler saw. Nil without an error: the run was interrupted.
func (b *bench) ask(ctx context.Context, what string, set ruled, load string) (*result.Result, *lab.RulerLedger, error) {
	fmt.Fprintf(b.app.Stderr, "cutover: %s\n", what)
	query := url.Values{"delay": {set.delay.String()}, "at": {set.at.String()}, "stall": {set.stall.String()}, "every": {fmt.Sprint(set.every)}}
	if err := b.control(ctx, http.MethodPost, "/set?"+query.Encode(), nil); err != nil {
		return nil, nil, err
	}
	suite, err := suites.Parse("calibration", []byte("suite: calibration\nscenarios:\n  - name: ruler\n    steps: [{name: item, get: /item, expect: {status: 200}}]\n"+load))
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Compile(suite, b.profile, plan.Options{})
	if err != nil {
		return nil, nil, err
	}
	got, err := run.Run(ctx, p, run.Deps{RunID: "calibration", Clock: b.app.Clock, Pacer: clock.Precise(), Doers: b.deployment.doers,
		Auth: map[string]run.Authoriser{}, Grace: time.Second})
	if err != nil || ctx.Err() != nil {
		return nil, nil, err
	}
	if len(got.Steps) == 0 {
		return nil, nil, fmt.Errorf("calibrate: %s: nothing was measured: %s", what, strings.Join(got.Reasons, "; "))
	}
	seen := &lab.RulerLedger{}
	return got, seen, b.control(ctx, http.MethodGet, "/ledger", seen)
}

// control asks the ruler itself.
func (b *bench) control(ctx context.Context, method, path string, into any) error {
	root, _ := b.profile.Paths.Get("ruler")
	call := &wire.Call{}
	b.deployment.doers["ruler"].Do(ctx, &wire.Request{Kind: wire.Fixture, Method: method, URL: root.URL + path, Template: method + " /ruler",
		Effect: wire.Effect{Writes: method == http.MethodPost}, Timeout: probeTimeout}, call)
	switch {
	case ctx.Err() != nil:
		return nil
	case call.Failure != nil:
		return fmt.Errorf("calibrate: the lab: %w", call.Failure)
	case call.Response.Status != http.StatusOK:
		return fmt.Errorf("calibrate: the lab answered %d to %s", call.Response.Status, path)
	case call.Response.Truncated:
		return errors.New("calibrate: the ledger of the lab is too long")
	case into == nil:
		return nil
	}
	return json.Unmarshal(call.Response.Body, into)
}
