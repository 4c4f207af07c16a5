package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/clock"
	"cutover/harness/redact"
	"cutover/suites/strictyaml"
)

// App is the program with everything it may touch handed to it, so that tests
// run it in-process.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) string
	// Environ lists the environment as NAME=VALUE, to find variables that stand for nothing; nil: nobody looks.
	Environ func() []string
	Clock   clock.Clock
	Version string
	// Connecting hears of every connection that the rules let through, before it is made,
	// and may refuse it; nil: nobody does.
	Connecting func(network, address string) error
	// OpenBrowser opens a page for a person to sign in; nil: the address is only printed.
	OpenBrowser func(address string)
	// Patience is what [run.Deps] calls so. No flag sets it: only tests that run side by side do.
	Patience time.Duration

	// secrets are those that were read from their references. They are taken
	// out of whatever is written.
	secrets redact.Set
	set     []string // flags that the environment set
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
	if _, ok := a.Stderr.(*jsonLog); !ok && err != nil && asksForJSON(args, a.Env) {
		a.Stderr = newJSONLog(a.Stderr, a.Clock) // the command line was wrong before its flags were read
	}
	if log, ok := a.Stderr.(*jsonLog); ok && err != nil {
		log.fails()
	}
	w := a.secrets.Writer(a.Stderr)
	defer w.Close()
	return report(w, err, a.asSet)
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
		Version:       a.Version,
		Args: func(root *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var known []string
			for _, command := range root.Commands() {
				known = append(known, command.Name())
			}
			return usageError("`cutover help` lists the commands", "unknown command %q%s", args[0], strictyaml.Suggest(args[0], known))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("cutover {{.Version}}\n")
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.flagsFromEnv(cmd.Flags()); err != nil {
			return err
		}
		a.strangers(cmd)
		return nil
	}
	for _, command := range a.commands() {
		root.AddCommand(command)
	}
	needsShell(root)
	return root
}

// needsShell lets completion refuse a shell that it does not know: by itself it would
// print its help with exit code 0, and whatever reads the script would go on.
func needsShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			command.Args = cobra.ArbitraryArgs
			command.RunE = func(*cobra.Command, []string) error {
				return usageError("for example `cutover completion bash`", "expected a shell: bash, zsh, fish or powershell")
			}
		}
	}
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

func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError(fmt.Sprintf("`%s --help` shows an example", cmd.CommandPath()), "expected %s", what)
		}
		return nil
	}
}
