package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// sideBySide is what the stories have in their environment that run beside each other and
// judge no time.
const sideBySide = "SIDE_BY_SIDE"

// patience is for runs beside each other: what they answer is judged, not how fast.
const patience = 20 * time.Second

// TestMain makes this test binary the program itself, so that the scripts run
// the real thing.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cutover": func() {
			if os.Getenv(sideBySide) != "" {
				os.Exit(realMain(patience))
			}
			os.Exit(realMain(0))
		},
	})
}

// oneByOne runs the stories one after the other: they measure time, and side
// by side they would bend each other's ruler.
type oneByOne struct{ *testing.T }

func (oneByOne) Parallel() {}

func (t oneByOne) Run(name string, story func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { story(oneByOne{t}) })
}

func (oneByOne) Verbose() bool { return testing.Verbose() }

// together runs the stories side by side, as many as -parallel says: a run waits most of
// its time.
type together struct{ *testing.T }

func (t together) Run(name string, story func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { story(together{t}) })
}

func (together) Verbose() bool { return testing.Verbose() }

func stories(dir string, env ...string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("CUTOVER_UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode":  exitCode,
			"interrupt": interruptAfter,
			"sums":      sums,
			"same":      same,
			"servelab":  serveLab,
		},
	}
}

func TestUserStories(t *testing.T) {
	t.Run("side by side", func(t *testing.T) {
		testscript.RunT(together{t}, stories("testdata/script", sideBySide+"=1"))
	})
	t.Run("alone", func(t *testing.T) { testscript.RunT(oneByOne{t}, stories("testdata/alone")) })
}

// exitCode CODE COMMAND… runs a command and wants that exit code, or one of
// several as 0|6. Its output is for the following stdout and stderr lines.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND [ARG…]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !asExit(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(got)) {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func asExit(err error, into **exec.ExitError) bool {
	exit, ok := err.(*exec.ExitError)
	*into = exit
	return ok
}

// interruptAfter FILE OUT ERR COMMAND… starts a command, waits until FILE has a line,
// sends it SIGINT and wants exit code 130. Its output goes to the files OUT and ERR.
func interruptAfter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupt FILE OUT ERR COMMAND [ARG…]")
	}
	path, err := exec.LookPath(args[3])
	ts.Check(err)
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	defer errs.Close()
	cmd := exec.Command(path, args[4:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), out, errs
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.NewTimer(60 * time.Second)
	poll := time.NewTicker(50 * time.Millisecond)
	defer deadline.Stop()
	defer poll.Stop()
	for seen := false; !seen; {
		select {
		case <-ended:
			ts.Fatalf("the command ended before it could be interrupted:\n%s", ts.ReadFile(args[2]))
		case <-deadline.C:
			cmd.Process.Kill()
			ts.Fatalf("nothing was written to %s within a minute", args[0])
		case <-poll.C:
			data, err := os.ReadFile(ts.MkAbs(args[0]))
			seen = err == nil && strings.Count(string(data), "\n") >= 1
		}
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !asExit(err, &exit) || exit.ExitCode() != exitInterrupted {
			ts.Fatalf("after an interrupt: %v, want exit code %d\n%s", err, exitInterrupted, ts.ReadFile(args[2]))
		}
	case <-deadline.C:
		cmd.Process.Kill()
		ts.Fatalf("the command did not end after an interrupt")
	}
}

var number = regexp.MustCompile(`"(planned|completed|failed|throttled|dropped|interrupted|not_started|unknown)": (\d+)`)

// sums RESULT checks that planned is the sum of the other buckets and is not zero.
func sums(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	from := strings.Index(text, `"buckets"`)
	if from < 0 {
		ts.Fatalf("%s has no buckets", args[0])
	}
	text = text[from : from+strings.Index(text[from:], "}")]
	planned, sum := 0, 0
	for _, match := range number.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(match[2])
		ts.Check(err)
		if match[1] == "planned" {
			planned = n
		} else {
			sum += n
		}
	}
	if planned == 0 || planned != sum {
		ts.Fatalf("planned %d, sum of the buckets %d", planned, sum)
	}
}
