// Command cutover asks the same mail, calendar and contacts questions down an
// on-premises and a cloud path at a set rate, and says how they differ: in
// latency, in answers, in verdict. README.md has the first two commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/clock"
)

// version is set by the linker (see the Makefile); a plain `go build` falls
// back on what the build information knows.
var version string

func main() {
	os.Exit(realMain(0))
}

// realMain runs the process's own command line; patience is the App's.
func realMain(patience time.Duration) int {
	cobra.EnableCommandSorting = false // help lists the commands as the table does
	ctx, stop := interruptible(func() { os.Exit(exitInterrupted) })
	defer stop()
	app := &App{
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Env:     os.Getenv,
		Environ: os.Environ,
		Clock:   clock.System(),
		Version: buildVersion(),

		OpenBrowser: openBrowser,
		Patience:    patience,
	}
	return app.Main(ctx, os.Args[1:])
}

// interruptible returns a context that the first interrupt cancels. The second
// one leaves at once: someone who presses Ctrl-C twice means it.
func interruptible(leave func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-signals:
				if n > 0 {
					leave()
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
