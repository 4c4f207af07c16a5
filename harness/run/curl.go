package run

import (
	"strings"

	"cutover/harness/plan"
	"cutover/harness/request"
	"cutover/harness/wire"
)

// lines writes a finding's question as curl says it, for both sides.
func (r *runner) lines(p *proof, f *follower, with []*request.Template) {
	p.finding.Evidence.Left, p.finding.Evidence.Right = r.curl(p, f, 0, with), r.curl(p, f, 1, with)
}

// curl writes one side's request with a variable for whatever is secret, an address or an id. It is ""
// when the request cannot be written without one of them.
func (r *runner) curl(p *proof, f *follower, side int, with []*request.Template) string {
	w := f.workers[side]
	w.scope.begin(r.plan, &leg{side: side, number: p.one.number, arrival: p.one.arrival})
	vars := &variables{scope: &w.scope, side: strings.ToUpper(r.plan.Sides[side].Side), names: map[string]bool{}}
	for _, ref := range p.taken(side) {
		vars.names[ref.name] = true
	}
	t := p.steps[p.step].Asks[side].Template
	if with != nil {
		t = with[side]
	}
	var req wire.Request
	if t.Build(vars, &req) != nil {
		return ""
	}
	words := []string{"curl -sS"}
	if req.Method != "GET" {
		words = append(words, "-X "+req.Method)
	}
	words = append(words, vars.signIn(r.plan.Sides[side])...)
	for _, h := range append(req.Header, r.headers[side]...) {
		if h.Name == "Accept" && h.Value == "application/json" {
			continue // JSON is what is answered anyway
		}
		value := vars.quoted(h.Value)
		if private(h.Name) {
			value = "$" + shellName(h.Name) + "_" + vars.side
		}
		words = append(words, `-H "`+h.Name+": "+value+`"`)
	}
	if len(req.Body) > 0 {
		words = append(words, `--data "$BODY"`)
	}
	url := vars.quoted(req.URL)
	if r.plan.Profile.Simulated { // a lab takes whichever port is free
		if rest, ok := strings.CutPrefix(url, vars.quoted(r.plan.Sides[side].Adapter.Describe().Root)); ok {
			url = "$ROOT_" + vars.side + rest
		}
	}
	return strings.Join(append(words, `"`+url+`"`), " ")
}

// variables answers the names in a request with marks that no escaping touches, and turns the marks into
// the shell's variables.
type variables struct {
	scope *scope
	side  string // LEFT or RIGHT
	names map[string]bool
}

const markOpen, markEnd = "zZvQ", "QvZz"

// Lookup marks what belongs to a mailbox or an item, and answers everything else; it implements vars.Scope.
func (v *variables) Lookup(name string) (string, bool) {
	switch {
	case v.names[name]:
		return markOpen + shellName(name) + markEnd, true
	case name == "mailbox.user" || name == "mailbox.smtp" || name == "mailbox.upn":
		return markOpen + "MAILBOX" + markEnd, true
	}
	return v.scope.Lookup(name)
}

// quoted is a text between double quotes of a shell, its marks turned into variables.
func (v *variables) quoted(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
	for {
		before, rest, found := strings.Cut(s, markOpen)
		if !found {
			return s
		}
		name, after, found := strings.Cut(rest, markEnd)
		if !found {
			return s
		}
		s = before + "${" + name + "_" + v.side + "}" + after
	}
}

// signIn is how a path signs in, in curl's words.
func (v *variables) signIn(side plan.Side) []string {
	switch side.Profile.Auth.Kind {
	case "basic":
		return []string{`-u "$USER_` + v.side + `:$PASSWORD_` + v.side + `"`}
	case "ntlm":
		return []string{`--ntlm -u "$USER_` + v.side + `:$PASSWORD_` + v.side + `"`}
	case "", "none":
		return nil
	}
	return []string{`-H "Authorization: Bearer $TOKEN_` + v.side + `"`}
}

// private reports whether the value of a header that a profile sets may be a secret.
func private(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range []string{"auth", "key", "token", "secret", "cookie", "password"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// shellName makes a variable's name of a capture's or a header's.
func shellName(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, name)
}
