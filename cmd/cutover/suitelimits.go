package main

import (
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/doctor"
	"cutover/harness/plan"
	"cutover/harness/wire"
)

// suiteLimits is what the doctor holds against published limits: the longest
// URLs and the load of a suite, as planned for this target.
func (a *App) suiteLimits(cmd *cobra.Command, t *target, name string) (*doctor.Suite, error) {
	_, vars, err := t.settings()
	if err != nil {
		return nil, err
	}
	p, err := a.compile(cmd, t, &loadFlags{}, vars, name)
	if err != nil {
		return nil, err
	}
	s := &doctor.Suite{Name: p.Suite.Name, Longest: map[string]doctor.LongestURL{}, Throttled: map[string][]string{}}
	for i, side := range p.Sides {
		if l, asked := longestURL(p, i); asked {
			s.Longest[side.Path] = l
		}
	}
	for _, w := range p.Forecast() {
		if w.Exceeded {
			s.Throttled[w.Path] = append(s.Throttled[w.Path], w.Expected+", where the limit is "+w.Limit)
		}
	}
	return s, nil
}

// longestURL builds every request of one side as the mailbox with the longest
// address would send it.
func longestURL(p *plan.Plan, side int) (longest doctor.LongestURL, asked bool) {
	scope := longNames{vars: p.Vars}
	for _, m := range p.Mailboxes {
		path := p.Sides[side].Path
		if len(m.Address[path].User()) >= len(scope.mailbox.Address[path].User()) {
			scope.mailboxScope = mailboxScope{mailbox: m, path: path}
		}
	}
	for _, sc := range p.Scenarios {
		for _, step := range sc.Steps {
			template := step.Asks[side].Template
			request := &wire.Request{}
			if template == nil || template.Build(scope, request) != nil {
				continue
			}
			u, err := url.Parse(request.URL)
			if err != nil {
				continue
			}
			asked = true
			at := sc.Name + "/" + step.Name
			if n := len(u.EscapedPath()); n > longest.Path {
				longest.Path, longest.PathStep = n, at
			}
			if n := len(u.RawQuery); n > longest.Query {
				longest.Query, longest.QueryStep = n, at
			}
		}
	}
	return longest, asked
}

// restID is how long an id of Outlook's REST interfaces is.
const restID = 152

// longNames answers the names of a template with what is as long as it can
// reasonably become: captures are ids.
type longNames struct {
	mailboxScope
	vars map[string]string
}

// Lookup implements vars.Scope.
func (s longNames) Lookup(name string) (string, bool) {
	if value, ok := s.mailboxScope.Lookup(name); ok {
		return value, true
	}
	if value, ok := s.vars[name]; ok {
		return value, true
	}
	return strings.Repeat("x", restID), true
}
