package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/wire"
)

func (a *App) labCommand() *cobra.Command {
	t := &target{}
	var asJSON, whileStdin bool
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Serve the simulated hybrid deployment in the foreground, on loopback",
		Long: "Serves the simulated hybrid deployment until it is interrupted: Graph, Exchange on-premises\n" +
			"with its REST API, Autodiscover and the token service, on loopback, with a certificate\n" +
			"authority of its own. It imitates documented behaviour; its speed is not Exchange's.",
		Example: "  cutover lab --json\n  cutover lab --set lab.preset=exchange-2016-cu3 --set lab.proxy=preview",
		Args:    exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if whileStdin {
				ctx, cancel := context.WithCancel(cmd.Context())
				defer cancel()
				go func() {
					_, _ = io.Copy(io.Discard, a.Stdin)
					cancel()
				}()
				cmd.SetContext(ctx)
			}
			return a.serveLab(cmd, t, asJSON)
		},
	}
	cmd.Flags().StringArrayVar(&t.set, "set", nil, "setting of the lab as lab.KEY=VALUE (repeatable)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON with addresses and credentials, then serve")
	cmd.Flags().BoolVar(&whileStdin, "while-stdin", false, "serve until the end of the input, for a program that must not leave a lab behind")
	cmd.AddCommand(a.labMoveCommand())
	return cmd
}

func (a *App) serveLab(cmd *cobra.Command, t *target, asJSON bool) error {
	settings, vars, err := t.settings()
	if err != nil {
		return err
	}
	if len(vars) > 0 {
		return usageError("a lab has settings of the form lab.KEY", "--set var.…: the lab asks nothing, so it has no variables")
	}
	o, err := lab.ParseSettings(settings)
	if err != nil {
		return usageError("docs/lab.md lists the lab's settings", "--set %w", err)
	}
	dir, err := labFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.Dir, o.Clock = dir, a.Clock
	l, err := lab.Start(cmd.Context(), o)
	if err != nil {
		return fmt.Errorf("starting the lab: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, controlFile), []byte(l.Info().Control+"\n"), 0o600); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := printLab(a.Stdout, l.Info(), asJSON); err != nil {
		return err
	}
	<-cmd.Context().Done()
	return l.Close()
}

// printLab tells where the lab listens. The passwords are the lab's own: they
// open nothing else.
func printLab(w io.Writer, info lab.Info, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(info)
	}
	fmt.Fprintf(w, "SIMULATED hybrid deployment (%s, proxy %s), serving until Ctrl-C\n\n", info.Preset, info.Proxy)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := [][2]string{
		{"Graph v1.0", info.Graph}, {"on-premises REST", info.Rest}, {"Autodiscover", info.Autodiscover},
		{"token service", info.Authority}, {"certificate authority", info.CA}, {"control", info.Control + "/stats"},
	}
	for _, era := range sorted(info.GraphEras) {
		rows = append(rows, [2]string{"Graph of " + era, info.GraphEras[era]})
	}
	for _, row := range rows {
		fmt.Fprintf(tab, "  %s\t%s\n", row[0], row[1])
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nsign-ins (they open nothing but this lab):")
	for _, c := range info.Clients {
		fmt.Fprintf(tab, "  %s\tclient %s\tsecret %s\n", c.Kind, c.ID, orNone(c.Secret))
	}
	for _, u := range info.Users[:min(4, len(info.Users))] {
		fmt.Fprintf(tab, "  %s\t%s\tpassword %s\n", u.Location, u.UPN, u.Password)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if more := len(info.Users) - 4; more > 0 {
		fmt.Fprintf(w, "  … and %d more users: cutover lab --json\n", more)
	}
	return nil
}

func (a *App) labMoveCommand() *cobra.Command {
	var to, control string
	cmd := &cobra.Command{
		Use:     "move MAILBOX",
		Short:   "Move a mailbox of a serving lab to the other side",
		Example: "  cutover lab move ann.larsen@contoso.test --to cloud\n  cutover lab move ann.larsen@contoso.test --to cloud --control http://127.0.0.1:40001",
		Args:    exactArgs(1, "one mailbox, by its address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.moveMailbox(cmd, control, args[0], to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "cloud, onprem, unlicensed or softdeleted")
	cmd.Flags().StringVar(&control, "control", "", "control address of the lab, as cutover lab prints it (default: the one lab that is serving)")
	return cmd
}

func (a *App) moveMailbox(cmd *cobra.Command, control, mailbox, to string) error {
	if to == "" {
		return usageError("for example --to cloud", "lab move needs --to")
	}
	if labs := servingLabs(os.TempDir()); control == "" && len(labs) == 1 {
		control = labs[0]
	} else if control == "" {
		return usageError("`cutover lab` prints its control address: give it as --control", "%d labs are serving on this machine, not one", len(labs))
	}
	control = strings.TrimSuffix(control, "/stats")
	host, err := guard.HostPort(control)
	if err != nil {
		return usageError("for example --control http://127.0.0.1:40001", "--control: %w", err)
	}
	door, err := guard.Open(guard.Rules{Simulated: true, Hosts: map[string][]string{"control": {host}}, Clock: a.Clock})
	if err != nil {
		return err
	}
	defer door.Close()
	doer, err := door.Path("control", guard.Options{Protocol: "http/1.1"})
	if err != nil {
		return err
	}
	call := &wire.Call{}
	doer.Do(cmd.Context(), &wire.Request{
		Kind: wire.Probe, Method: http.MethodPost, Effect: wire.Effect{Writes: true}, Template: "POST /move",
		URL: control + "/move?" + url.Values{"mailbox": {mailbox}, "to": {to}}.Encode(),
	}, call)
	switch {
	case call.Failure != nil:
		return notReady("start a lab with `cutover lab` and use the control address that it prints", call.Failure)
	case call.Response.Status >= http.StatusBadRequest:
		return moveRefused(call.Response.Body)
	}
	fmt.Fprintf(a.Stdout, "%s is now %s\n", mailbox, to)
	return nil
}

// moveRefused says why a lab did not move a mailbox, and what it would move.
func moveRefused(body []byte) error {
	var said struct{ Error string }
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return usageError("--control takes the control address that `cutover lab` prints", "the lab did not move it: what answers there is not a lab's control")
	}
	return usageError("name a user that `cutover lab --json` lists, and --to cloud, onprem, unlicensed or softdeleted", "the lab did not move it: %s", said.Error)
}

func orNone(s string) string {
	if s == "" {
		return "(none: a public client)"
	}
	return s
}
