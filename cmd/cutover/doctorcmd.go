package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/doctor"
	"cutover/profiles"
)

func (a *App) doctorCommand() *cobra.Command {
	t := &target{}
	var names, boxes []string
	var negative, asJSON bool
	var vantage string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Preflight of a deployment: each check with verdict, evidence, cause and remedy",
		Long: "Examines a deployment from outside, reading only and politely: names, certificates, clocks,\n" +
			"what stands in front, every server behind the name, discovery, modern sign-in, tokens, and\n" +
			"whether the mailbox answers. Says what each failure blocks, and which paths are ready.\n" +
			"Exit code 0: nothing fails; 3: a check fails. `cutover explain CHECK` tells more of one.",
		Example: "  cutover doctor --profile contoso.yaml\n  cutover doctor --set lab.misconfigure=node-2013",
		Args:    exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if vantage != "" && vantage != "internal" && vantage != "internet" {
				return usageError("internal or internet", "--vantage: unknown value %q", vantage)
			}
			o := doctor.Options{Paths: names, Negative: negative, Vantage: vantage}
			return a.doctor(cmd.Context(), t, boxes, o, asJSON)
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().StringArrayVar(&names, "path", nil, "examine this path (repeatable; default: the profile's left and right)")
	cmd.Flags().StringArrayVar(&boxes, "mailbox", nil, "find and read this mailbox (repeatable; default: the first)")
	cmd.Flags().BoolVar(&negative, "negative", false, "also send a forged token, which must be refused")
	cmd.Flags().StringVar(&vantage, "vantage", "", "where this machine stands, for the report: internal or internet")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// doctor examines the target and prints the report.
func (a *App) doctor(ctx context.Context, t *target, boxes []string, o doctor.Options, asJSON bool) (err error) {
	e, err := a.examiner(ctx, t, o.Paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	o.Paths, o.CloudEnd, o.OnPremEnd, o.Tenant = e.names, e.cloudEnd, e.onPremEnd, e.tenant
	for _, name := range boxes {
		box, err := chooseMailbox(e.deps.Profile, name)
		if err != nil {
			return err
		}
		o.Mailboxes = append(o.Mailboxes, box)
	}
	report := doctor.Examine(ctx, e.deps, o)
	if ctx.Err() != nil {
		return &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted; the examination is not complete")}
	}
	if err := a.tell(report, asJSON); err != nil {
		return err
	}
	if report.Failed() {
		return &exitError{code: exitNotReady}
	}
	return nil
}

// tell prints a report without any secret in it.
func (a *App) tell(report *doctor.Report, asJSON bool) error {
	w := a.secrets.Writer(a.Stdout)
	if err := write(w, report, asJSON); err != nil {
		return err
	}
	return w.Close()
}

func write(w io.Writer, report *doctor.Report, asJSON bool) error {
	if !asJSON {
		return report.Write(w)
	}
	return writeJSON(w, report)
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
