package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/doctor"
	"cutover/profiles"
)

// doctorFlags are the doctor's own flags.
type doctorFlags struct {
	boxes           []string
	suite           string
	asJSON, merge   bool
	htmlTo, junitTo string
}

func (a *App) doctorCommand() *cobra.Command {
	t := &target{}
	f := &doctorFlags{}
	o := doctor.Options{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Preflight of a deployment: each check with verdict, evidence, cause and remedy",
		Long: "Examines a deployment from outside, reading only and politely: names, certificates, clocks,\n" +
			"what stands in front, every server behind the name, discovery, modern sign-in, tokens, and\n" +
			"whether the mailbox answers. Says what each failure blocks, and which paths are ready.\n" +
			"Run it inside and on the Internet, each with --vantage and --json, and join the two reports\n" +
			"with --merge. Exit code 0: nothing fails; 3: a check fails. `cutover explain CHECK` tells more\n" +
			"of one.",
		Example: "  cutover doctor --profile contoso.yaml --vantage internal --json > inside.json\n" +
			"  cutover doctor --merge inside.json outside.json --html doctor.html\n" +
			"  cutover doctor --set lab.misconfigure=node-2013",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.merge {
				return exactArgs(2, "the two reports to join")(cmd, args)
			}
			return exactArgs(0, "no argument")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(writable("--html", f.htmlTo), writable("--junit", f.junitTo)); err != nil {
				return err
			}
			switch {
			case o.Vantage != "" && o.Vantage != doctor.Internal && o.Vantage != doctor.Internet:
				return usageError("internal or internet", "--vantage: unknown value %q", o.Vantage)
			case f.merge:
				return a.mergeReports(f, args[0], args[1])
			}
			return a.doctor(cmd, t, f, o)
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().StringArrayVar(&o.Paths, "path", nil, "examine this path (repeatable; default: the profile's left and right)")
	cmd.Flags().StringArrayVar(&f.boxes, "mailbox", nil, "find and read this mailbox (repeatable; default: the first)")
	cmd.Flags().StringVar(&f.suite, "suite", "", "hold this suite's URLs and load against the published limits")
	cmd.Flags().BoolVar(&o.Negative, "negative", false, "also send tokens that must be refused: forged, tampered with, expired, for another audience")
	cmd.Flags().StringVar(&o.Vantage, "vantage", "", "where this machine stands, for the report: internal or internet")
	cmd.Flags().BoolVar(&f.merge, "merge", false, "join an inside and an outside report (--json) instead of examining")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	cmd.Flags().StringVar(&f.htmlTo, "html", "", "also write the report as one offline page to this file")
	cmd.Flags().StringVar(&f.junitTo, "junit", "", "also write the report as JUnit test cases to this file")
	return cmd
}

// doctor examines the target and tells the report.
func (a *App) doctor(cmd *cobra.Command, t *target, f *doctorFlags, o doctor.Options) (err error) {
	ctx := cmd.Context()
	e, err := a.examiner(ctx, t, o.Paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	o.Paths, o.CloudEnd, o.OnPremEnd, o.Tenant = e.names, e.cloudEnd, e.onPremEnd, e.tenant
	for _, name := range f.boxes {
		box, err := chooseMailbox(e.deps.Profile, name)
		if err != nil {
			return err
		}
		o.Mailboxes = append(o.Mailboxes, box)
	}
	if f.suite != "" {
		if o.Suite, err = a.suiteLimits(cmd, t, f.suite); err != nil {
			return err
		}
	}
	report := doctor.Examine(ctx, e.deps, o)
	if ctx.Err() != nil {
		return &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted; the examination is not complete")}
	}
	return a.tell(report, f)
}

// mergeReports joins two reports; nothing is sent.
func (a *App) mergeReports(f *doctorFlags, one, other string) error {
	var reports [2]*doctor.Report
	for i, name := range []string{one, other} {
		file, err := os.Open(name)
		if err != nil {
			return usageError("", "%w", err)
		}
		reports[i], err = doctor.Read(file)
		file.Close()
		if err != nil {
			return usageError("write one with `cutover doctor --vantage internal --json`", "%s: %w", name, err)
		}
	}
	merged, err := doctor.Merge(reports[0], reports[1])
	if err != nil {
		return usageError("", "%w", err)
	}
	return a.tell(merged, f)
}

// tell prints a report without any secret in it, writes the files that were
// asked for, and turns a failing check into the exit code.
func (a *App) tell(report *doctor.Report, f *doctorFlags) error {
	print := report.Write
	if f.asJSON {
		print = func(w io.Writer) error { return writeJSON(w, report) }
	}
	w := a.secrets.Writer(a.Stdout)
	if err := errors.Join(print(w), w.Close()); err != nil {
		return err
	}
	for _, out := range []struct {
		name  string
		write func(io.Writer) error
	}{{f.htmlTo, report.WriteHTML}, {f.junitTo, report.WriteJUnit}} {
		if out.name == "" {
			continue
		}
		if err := a.writeFile(out.name, out.write); err != nil {
			return err
		}
	}
	if report.Failed() {
		return &exitError{code: exitNotReady}
	}
	return nil
}

// writeFile writes a report without any secret in it.
func (a *App) writeFile(name string, write func(io.Writer) error) error {
	return wholeFile(name, func(file io.Writer) error {
		w := a.secrets.Writer(file)
		return errors.Join(write(w), w.Close())
	})
}

// writable refuses files that cannot be written before anything is sent: an
// examination whose report is lost would have to be made again.
func writable(flag, name string) error {
	if name == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return usageError("", "%s %s: there is no folder %s", flag, name, filepath.Dir(name))
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return usageError("", "%s %s: this is a folder", flag, name)
	}
	return nil
}

// writeJSON prints a value as indented JSON.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// entraTenant is the tenant's id as a path's sign-in names it, "" when it is
// named by its domain.
func entraTenant(p *profiles.Profile) string {
	for _, e := range p.Paths {
		if e.Value.Auth.Kind != "entra" {
			continue
		}
		var in profiles.Entra
		if len(e.Value.Auth.Decode(&in)) == 0 && len(in.Tenant) == 36 && strings.Count(in.Tenant, "-") == 4 {
			return in.Tenant
		}
	}
	return ""
}
