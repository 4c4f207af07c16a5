package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/paths"
	"cutover/harness/plan"
	"cutover/harness/request"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

type callOptions struct {
	target            target
	left, right, only string
	mailbox, as, body string
	prefer            []string
	raw, showValues   bool
	allowWrite        bool
	save              string
}

func (a *App) callCommand() *cobra.Command {
	o := &callOptions{}
	cmd := &cobra.Command{
		Use:   "call METHOD URL",
		Short: "One call down both paths, side by side, with the differences (the explorer)",
		Long: "Asks one question down both paths and shows the answers side by side, as the comparison sees\n" +
			"them, with the differences that its rules name. The URL is Microsoft Graph's, relative to /me.",
		Example: "  cutover call GET '/me/messages?$top=1&$select=subject,from'\n" +
			"  cutover call GET /me/calendarView --mailbox ben.becker --raw\n" +
			"  cutover call POST /me/messages --body '{\"subject\": \"hello\"}' --save suite.yaml",
		Args: exactArgs(2, "a method and a URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			op, err := operation(args[0], args[1], o)
			if err != nil {
				return err
			}
			return a.call(cmd.Context(), o, op)
		},
	}
	flags := cmd.Flags()
	o.target.register(flags)
	flags.StringVar(&o.left, "left", "", "path of the profile on the left")
	flags.StringVar(&o.right, "right", "", "path of the profile on the right")
	flags.StringVar(&o.only, "only", "", "ask one side alone: left or right")
	flags.StringVar(&o.mailbox, "mailbox", "", "mailbox, by its name or address (default: the first)")
	flags.StringVar(&o.as, "as", "", "sign in as the user of this mailbox instead, for shared and delegated access")
	flags.StringVar(&o.body, "body", "", "JSON body, or @FILE")
	flags.StringArrayVar(&o.prefer, "prefer", nil, "preference to send in the Prefer header (repeatable)")
	flags.BoolVar(&o.raw, "raw", false, "show the answers as they came, headers included")
	flags.BoolVar(&o.showValues, "show-values", false, "show mailbox content of a real deployment (the lab's is always shown)")
	flags.BoolVar(&o.allowWrite, "allow-write", false, "allow a call that changes a mailbox (the lab needs no permission)")
	flags.StringVar(&o.save, "save", "", "write the call into this suite, as a further step when the file exists")
	return cmd
}

// operation reads the question from the command line.
func operation(method, rawURL string, o *callOptions) (suites.Operation, error) {
	op := suites.Operation{Method: strings.ToUpper(method), Prefer: o.prefer}
	switch op.Method {
	case "GET", "POST", "PATCH", "PUT", "DELETE":
	default:
		return op, usageError("for example: cutover call GET /me/messages", "unknown method %q", method)
	}
	path, query, _ := strings.Cut(rawURL, "?")
	if !strings.HasPrefix(path, "/") {
		return op, usageError("for example: cutover call GET /me/messages", "the URL %q does not begin with /", rawURL)
	}
	op.URL = path
	for _, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		text, err := url.QueryUnescape(value)
		if err != nil {
			return op, usageError("write % as %25", "the query option %s is not well escaped", name)
		}
		op.Query = append(op.Query, strictyaml.Entry[suites.QueryValue]{Key: name, Value: suites.QueryValue{Items: []string{text}}})
	}
	if o.body == "" {
		return op, nil
	}
	data := []byte(o.body)
	if file, ok := strings.CutPrefix(o.body, "@"); ok {
		var err error
		if data, err = os.ReadFile(file); err != nil {
			return op, usageError("", "--body: %w", err)
		}
	}
	if !json.Valid(data) {
		return op, usageError("for example --body '{\"subject\": \"hello\"}'", "--body is not JSON")
	}
	op.Body = strictyaml.ValueOf(data)
	return op, nil
}

// side is one path's half of a call.
type side struct {
	path     profiles.Path
	adapter  paths.Adapter
	template *request.Template
	reason   string // why it was not asked
	call     wire.Call
}

// call asks both sides, shows the answers and their differences. Exit code 1
// means that a difference would break an application.
func (a *App) call(ctx context.Context, o *callOptions, op suites.Operation) (err error) {
	profile, l, err := a.profileOf(ctx, &o.target, plan.DefaultSeed)
	if err != nil {
		return err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	names, err := sidesOf(profile, o)
	if err != nil {
		return err
	}
	box, err := chooseMailbox(profile, o.mailbox)
	if err != nil {
		return err
	}
	as, err := signsInAs(profile, o, &op, box)
	if err != nil {
		return err
	}
	rules, err := a.rules(profile, names, &o.target, o.allowWrite)
	if err != nil {
		return err
	}
	d, err := a.open(profile, l, names, rules)
	if err != nil {
		return err
	}
	defer d.close()
	var asked []*side
	for _, name := range names {
		s, err := d.ask(ctx, name, op, box, as)
		if err != nil {
			return err
		}
		asked = append(asked, s)
	}
	show := o.showValues || profile.Simulated
	a.showCall(asked, o.raw && show, show)
	if o.save != "" {
		if err := a.saveStep(o.save, op, asked); err != nil {
			return err
		}
	}
	if len(asked) < 2 || asked[0].reason != "" || asked[1].reason != "" {
		return nil
	}
	return a.showDifferences(asked, profile, box, op, show)
}

// sidesOf are the paths to ask: one where the profile has one, or the command line wants one.
func sidesOf(p *profiles.Profile, o *callOptions) ([]string, error) {
	left, right := p.Left, p.Right
	if o.left != "" {
		left = o.left
	}
	if o.right != "" {
		right = o.right
	}
	switch {
	case o.only != "" && o.only != plan.Left && o.only != plan.Right:
		return nil, usageError("left or right", "--only: there is no side %q", o.only)
	case o.only == plan.Right && right == "":
		return nil, usageError("leave --only out, or name a path with --right", "--only right: profile %s has one path, %s", p.Name, left)
	case o.only == plan.Left, right == "":
		return []string{left}, nil
	case o.only == plan.Right:
		return []string{right}, nil
	}
	return []string{left, right}, nil
}

// ask says the question in a path's dialect and sends it.
func (d *deployment) ask(ctx context.Context, name string, op suites.Operation, box, as profiles.Mailbox) (*side, error) {
	p, _ := d.profile.Paths.Get(name)
	s := &side{path: p}
	var err error
	if s.adapter, err = paths.New(p); err != nil {
		return nil, usageError("", "%w", err)
	}
	s.template, err = s.adapter.Prepare(op)
	if errors.Is(err, errors.ErrUnsupported) {
		s.reason = err.Error()
		return s, nil
	}
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	req := &wire.Request{}
	if err := s.template.Build(mailboxScope{box, name, "call"}, req); err != nil {
		return nil, usageError("", "%w", err)
	}
	if req.Authorization, err = d.auth[name].Authorization(ctx, as); err != nil {
		return nil, notReady("check the auth block of the path, and that the account may sign in this way", fmt.Errorf("%s: %w", name, err))
	}
	req.Kind, req.Mailbox = wire.Step, box.Name
	d.doers[name].Do(ctx, req, &s.call)
	if f := s.call.Failure; f != nil {
		if f.Kind == wire.Refused {
			return nil, f.Err
		}
		return nil, notReady(remedy(f.Kind, hostOf(p.URL)), fmt.Errorf("%s: %w", name, f))
	}
	return s, nil
}

// showDifferences compares the two answers as a run would.
func (a *App) showDifferences(asked []*side, p *profiles.Profile, box profiles.Mailbox, op suites.Operation, show bool) error {
	left, right := asked[0], asked[1]
	l, r := box.Address[left.path.Name], box.Address[right.path.Name]
	c := conform.New(conform.Options{
		Left: left.adapter.Dialect(), Right: right.adapter.Dialect(), Stores: p.Stores, ShowValues: show,
		Identities: [][2]string{{l.SMTP, r.SMTP}, {l.UPN, r.UPN}},
	})
	c.Compare(conform.Pair{
		Scenario: "call", Step: op.Method, Endpoint: left.template.Endpoint, Mailbox: box.Name, Select: left.template.Select, Search: left.template.Searches,
		Left: left.answer(), Right: right.answer(), LeftNotes: left.template.Notes, RightNotes: right.template.Notes,
	})
	return a.printFindings(c.Report().Findings)
}

func (s *side) answer() conform.Answer {
	throttled, _ := s.adapter.Pushback(&s.call.Response)
	r := s.call.Response
	return conform.Answer{Status: r.Status, Header: r.Header, Body: r.Body, Throttled: throttled, Truncated: r.Truncated}
}

// canonical is the answer's body as the comparison sees it.
func (s *side) canonical() (canon.Node, bool) {
	doc, _ := canon.Parse(s.call.Response.Body, s.adapter.Dialect(), nil)
	if doc == nil || !doc.Root().Exists() {
		return canon.Node{}, false
	}
	return doc.Root(), true
}
