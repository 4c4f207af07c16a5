package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"cutover/harness/guard"
	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/suites/strictyaml"
)

// The exit codes are a contract with scripts; docs/exit-codes.md lists them
// with examples.
const (
	exitPass         = 0
	exitFail         = 1   // a gate or the conformance failed
	exitUsage        = 2   // usage, or an invalid suite or profile; nothing was sent
	exitNotReady     = 3   // target unreachable, no token, or a check is red
	exitRefused      = 4   // a safety rule said no; nothing was sent
	exitAborted      = 5   // a brake stopped the run
	exitInconclusive = 6   // the ruler bent, or there is no data
	exitInternal     = 70  // a defect of cutover itself
	exitInterrupted  = 130 // Ctrl-C; a partial result was written
)

// exitError carries an exit code with what to tell the user. A nil Err says
// that everything was said already (a verdict was printed).
type exitError struct {
	code int
	err  error
	hint string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(hint, format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

func notReady(hint string, err error) error {
	return &exitError{code: exitNotReady, err: err, hint: hint}
}

// report prints what went wrong, once, and returns the exit code for it. spell
// rewrites a message for who reads it.
func report(w io.Writer, err error, spell func(string) string) int {
	if err == nil {
		return exitPass
	}
	code, hint := classify(err)
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		return code
	}
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(w, spell(problems.Error()))
		fmt.Fprintf(w, "cutover: %s; nothing was sent\n", countProblems(len(problems)))
		var fast *plan.TooFast
		if errors.As(err, &fast) && fast.Fits != "" {
			fmt.Fprintf(w, "cutover: hint: --rate %s keeps to every limit of the profile, in place of the suite's load\n", fast.Fits)
		}
		return code
	}
	last := ""
	for line := range strings.Lines(spell(err.Error())) {
		if line = strings.TrimRight(line, "\n"); line != last { // what writes a file and what closes it may say the same
			fmt.Fprintf(w, "cutover: %s\n", line)
		}
		last = line
	}
	if hint != "" {
		fmt.Fprintf(w, "cutover: hint: %s\n", hint)
	}
	return code
}

func classify(err error) (code int, hint string) {
	var exit *exitError
	var problems strictyaml.Problems
	var refusal *guard.Refusal
	var forbidden *plan.Refused
	var unready *run.NotReady
	switch {
	case errors.As(err, &exit):
		return exit.code, exit.hint
	case errors.As(err, &problems):
		return exitUsage, ""
	case errors.As(err, &refusal):
		return exitRefused, refusal.Remedy
	case errors.As(err, &forbidden):
		return exitRefused, "docs/consent.md says what is allowed where; writes need --allow-write and, outside this machine, a consent"
	case errors.As(err, &unready):
		return exitNotReady, "check the auth block of the path, and that the account may sign in this way"
	case errors.Is(err, context.Canceled):
		return exitInterrupted, ""
	case diskFull(err):
		return exitInternal, "make room on that disk; `cutover report RUN --format html,junit` writes the reports of a run from its result.json, with --partial from what a run without one left"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitUsage, ""
	default:
		return exitInternal, "this is a defect of cutover: please report it with the command line and the output"
	}
}

func countProblems(n int) string {
	if n == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", n)
}
