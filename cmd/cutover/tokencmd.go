package main

import (
	"errors"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"cutover/harness/token"
	"cutover/profiles"
)

func (a *App) tokenCommand() *cobra.Command {
	t := &target{}
	var path, mailbox string
	var stdin bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Acquire (--path) or read (--stdin) a token and explain its claims; never prints it whole",
		Long: "Explains a token: its kind, audience, tenant, roles or scopes, lifetime; and which virtual\n" +
			"directory would accept it. --stdin also reads decoded claims, the headers of a refusal, and\n" +
			"lines of an IIS trace, and says which token was refused and what to do.",
		Example: "  cutover token --path cloud\n  cutover token --stdin < headers.txt",
		Args:    exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case stdin == (path != ""):
				return usageError("--stdin reads one, --path acquires one as the profile says", "token needs either --stdin or --path")
			case stdin:
				return a.explainToken(io.LimitReader(a.Stdin, token.MaxInput+1), token.Options{Now: a.Clock.Now()})
			default:
				return a.acquireToken(cmd, t, path, mailbox)
			}
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().BoolVar(&stdin, "stdin", false, "read a token, claims, headers or trace lines from standard input")
	cmd.Flags().StringVar(&path, "path", "", "acquire the token of this path of the profile")
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "as this mailbox (default: the first)")
	return cmd
}

func (a *App) explainToken(r io.Reader, o token.Options) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return usageError("", "standard input: %w", err)
	}
	report, err := token.Explain(string(text), o)
	if err != nil {
		return usageError("", "%w", err)
	}
	return report.Write(a.Stdout)
}

// acquireToken signs in on a path as a run would and explains what came back.
func (a *App) acquireToken(cmd *cobra.Command, t *target, path, mailbox string) (err error) {
	profile, l, err := a.profileOf(cmd.Context(), t, 1)
	if err != nil {
		return err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	box, err := chooseMailbox(profile, mailbox)
	if err != nil {
		return err
	}
	rules, err := a.rules(profile, []string{path}, t, false)
	if err != nil {
		return err
	}
	d, err := a.open(profile, l, []string{path}, rules)
	if err != nil {
		return err
	}
	defer d.close()
	header, err := d.auth[path].Authorization(cmd.Context(), box)
	if err != nil {
		return notReady("check the auth block of the path, and that the account may sign in this way", err)
	}
	if header == "" {
		return usageError("NTLM and paths without auth have none", "path %s sends no token", path)
	}
	p, _ := profile.Paths.Get(path)
	o := token.Options{Now: a.Clock.Now()}
	if u, err := url.Parse(p.URL); err == nil {
		o.Hosts = []string{u.Hostname()}
	}
	report, err := token.Explain(header, o)
	if err != nil {
		return usageError("", "%w", err)
	}
	return report.Write(a.Stdout)
}

// chooseMailbox finds a mailbox of a profile by name; "" is the first.
func chooseMailbox(p *profiles.Profile, name string) (profiles.Mailbox, error) {
	if len(p.Mailboxes.List) == 0 {
		return profiles.Mailbox{}, nil
	}
	if name == "" {
		return p.Mailboxes.List[0], nil
	}
	for _, m := range p.Mailboxes.List {
		if m.Name == name {
			return m, nil
		}
		for _, address := range m.Address {
			if address.User() == name || address.SMTP == name {
				return m, nil
			}
		}
	}
	return profiles.Mailbox{}, usageError("name it as the profile does, or by one of its addresses", "profile %s has no mailbox %q", p.Name, name)
}
