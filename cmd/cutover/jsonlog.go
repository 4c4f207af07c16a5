package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"cutover/harness/clock"
	"cutover/harness/result"
	"cutover/harness/run"
)

// jsonLog turns the conversation on stderr into JSON, an object a line, for
// --log-format json. Whatever is written as a line of text becomes its msg.
type jsonLog struct {
	clock   clock.Clock
	handler slog.Handler

	mu    sync.Mutex // guards rest and level
	rest  []byte     // a line that has not ended
	level slog.Level
}

func newJSONLog(w io.Writer, c clock.Clock) *jsonLog {
	return &jsonLog{clock: c, handler: slog.NewJSONHandler(w, nil)}
}

// Write takes in text and logs every line that it ends.
func (l *jsonLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		text := strings.TrimPrefix(strings.TrimSpace(string(line)), "cutover: ")
		l.rest = rest
		if text == "" {
			continue
		}
		if err := l.record(l.level, text); err != nil {
			return len(p), err
		}
	}
}

// fails says that what is written from here on tells of a failure.
func (l *jsonLog) fails() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = slog.LevelError
}

// event logs a line with fields of its own.
func (l *jsonLog) event(msg string, fields ...slog.Attr) {
	_ = l.record(slog.LevelInfo, msg, fields...) // a progress line that cannot be written is not worth the run
}

func (l *jsonLog) record(level slog.Level, msg string, fields ...slog.Attr) error {
	r := slog.NewRecord(l.clock.Now().UTC(), level, msg, 0)
	r.AddAttrs(fields...)
	return l.handler.Handle(context.Background(), r)
}

// jsonProgress logs the phases, the state each ten seconds and the end.
type jsonProgress struct {
	log  *jsonLog
	last time.Duration
}

func (p *jsonProgress) Phase(info run.PhaseInfo) {
	p.log.event("phase", slog.String("phase", info.Name), slog.String("load", info.Describe), slog.Bool("measured", info.Measured), slog.Uint64("planned", info.Planned))
}

func (p *jsonProgress) Second(now run.Progress) {
	if now.Elapsed-p.last < plainEvery {
		return
	}
	p.last = now.Elapsed
	sides := float64(max(1, len(now.Paths)))
	fields := []slog.Attr{
		slog.Float64("elapsed_s", now.Elapsed.Round(time.Second).Seconds()), slog.String("phase", now.Phase.Name),
		slog.Float64("asked_per_s", float64(now.Due)/sides), slog.Float64("got_per_s", float64(now.Begun)/sides),
		slog.Uint64("findings", now.Findings), slog.Float64("lag_p99_ms", millis(now.LagP99)), slog.Float64("cpu", now.CPU), slog.Int64("rss_bytes", now.RSS),
	}
	for _, path := range now.Paths {
		fields = append(fields, slog.Group(path.Path, slog.Float64("p50_ms", millis(path.P50)), slog.Float64("p99_ms", millis(path.P99)),
			slog.Uint64("failed", path.Failed), slog.Uint64("throttled", path.Throttled)))
	}
	p.log.event("progress", fields...)
}

func (p *jsonProgress) Done(*result.Result) {}

// readOutputFlags checks --metrics and --log-format before anything else is done,
// and puts the log into the form asked for.
func (a *App) readOutputFlags(o *runOptions) (err error) {
	if o.logFormat != "text" && o.logFormat != "json" {
		return usageError("known: text, json", "--log-format: unknown format %q", o.logFormat)
	}
	if o.logFormat == "json" {
		a.Stderr = newJSONLog(a.Stderr, a.Clock)
	}
	if o.metrics != "" {
		o.metrics, err = metricsAddress(o.metrics)
	}
	return err
}

// asksForJSON says whether a command line that could not be read asks for its log as
// JSON.
func asksForJSON(args []string, env func(string) string) bool {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, found := strings.CutPrefix(arg, "--log-format="); found {
			return value == "json"
		}
		if arg == "--log-format" {
			return i+1 < len(args) && args[i+1] == "json"
		}
	}
	return env != nil && env("CUTOVER_LOG_FORMAT") == "json"
}
