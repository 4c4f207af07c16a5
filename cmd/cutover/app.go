package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cutover/harness/clock"
	"cutover/harness/redact"
)

// App is the program with everything it may touch handed to it, so that tests
// run it in-process.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) string
	Clock          clock.Clock
	Version        string
	// Connecting hears of every connection that the rules let through, before it is made,
	// and may refuse it; nil: nobody does.
	Connecting func(network, address string) error
	// OpenBrowser opens a page for a person to sign in; nil: the address is only printed.
	OpenBrowser func(address string)

	// secrets are those that were read from their references. They are taken
	// out of whatever is written.
	secrets redact.Set
}

// Main runs one command line and returns its exit code. It never exits and
// never panics: a defect becomes exit code 70 with a report.
func (a *App) Main(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprint(a.Stderr, a.secrets.Redact(fmt.Sprintf("cutover: internal error: %v\n%s", p, debug.Stack())))
			code = exitInternal
		}
	}()
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if log, ok := a.Stderr.(*jsonLog); ok && err != nil {
		log.fails()
	}
	w := a.secrets.Writer(a.Stderr)
	defer w.Close()
	return report(w, err)
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cutover",
		Short: "Load and conformance tests for hybrid Exchange deployments",
		Long: "cutover asks the same mail, calendar and contacts questions down an on-premises and a\n" +
			"cloud path at a set rate, and says how they differ: in latency, in answers, in verdict.\n\n" +
			"With nothing given, `cutover run` tests a simulated deployment (the lab) on loopback.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("`cutover help` lists the commands", "unknown command %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath()), "%w", err)
	})
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.flagsFromEnv(cmd.Flags()) }
	for _, command := range a.commands() {
		root.AddCommand(command)
	}
	return root
}

// commands is the table of verbs, in the order in which help lists them.
func (a *App) commands() []*cobra.Command {
	return []*cobra.Command{
		a.runCommand(),
		a.callCommand(),
		a.checkCommand(),
		a.planCommand(),
		a.labCommand(),
		a.doctorCommand(),
		a.whereCommand(),
		a.tokenCommand(),
		a.calibrateCommand(),
		a.reportCommand(),
		a.compareCommand(),
		a.historyCommand(),
		a.waiveCommand(),
		a.explainCommand(),
		a.listCommand(),
		a.cleanCommand(),
		a.consentCommand(),
		a.verifyCommand(),
		a.schemaCommand(),
		a.versionCommand(),
	}
}

// flagsFromEnv lets CUTOVER_RATE=50/s stand for --rate 50/s where the flag was
// not given: environment beats suite and profile, a flag beats both.
func (a *App) flagsFromEnv(flags *pflag.FlagSet) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" {
			return
		}
		name := "CUTOVER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := a.Env(name)
		if value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, usageError("", "%s: %w", name, err))
		}
	})
	return errors.Join(errs...)
}

func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError(fmt.Sprintf("`%s --help` shows an example", cmd.CommandPath()), "expected %s", what)
		}
		return nil
	}
}
