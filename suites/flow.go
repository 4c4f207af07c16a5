package suites

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"cutover/harness/vars"
	"cutover/suites/strictyaml"
)

// use is one place where a value is needed.
type use struct {
	name string
	at   strictyaml.Pos
}

var (
	captureName = nameForm{regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)}
	// quoted and identifier take expressions apart; a name behind a dot is a property.
	quoted     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'` + "|`[^`]*`") })
	identifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|[^.A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*)`) })
)

// answerNames are what an expression knows of an answer; a variable may not hide them.
var answerNames = []string{"status", "headers", "items", "body", "text"}

func (c *checker) variables() {
	for _, v := range c.suite.Vars {
		c.valueName(v.Key, "variable", v.Pos)
		if strings.Contains(v.Value.Text, "{{") {
			c.problems.Add(v.Value.Pos, "a variable is plain text: write the template where it is used")
		}
	}
}

func (c *checker) valueName(name, what string, at strictyaml.Pos) {
	switch {
	case !captureName.MatchString(name):
		c.problems.Add(at, "the name of a %s is letters, digits and '_', starting with a letter, not %q", what, name)
	case vars.Reserved(name), slices.Contains(answerNames, name):
		c.problems.Add(at, "%q has a meaning of its own and cannot name a %s", name, what)
	}
}

// taken reports whether a name cannot be a capture's, which is a mistake of its own.
func (c *checker) taken(name string) bool {
	_, variable := c.suite.Vars.Get(name)
	return variable || vars.Reserved(name) || slices.Contains(answerNames, name) || !captureName.MatchString(name)
}

func (c *checker) captures(captures strictyaml.Map[string]) {
	for _, e := range captures {
		c.valueName(e.Key, "capture", e.Pos)
		if _, ok := c.suite.Vars.Get(e.Key); ok {
			c.problems.Add(e.Pos, "%q is a variable of the suite already: call the capture something else", e.Key)
		}
		from := strings.TrimSpace(e.Value)
		name, header := strings.CutPrefix(from, "header:")
		switch {
		case header && !token.MatchString(strings.TrimSpace(name)):
			c.problems.Add(e.Pos, "the capture %q must name one header: header: Location", e.Key)
		case !header && !strings.HasPrefix(from, "$"):
			c.problems.Add(e.Pos, `the capture %q must be a JSONPath such as $.id, or header: NAME, not %q`, e.Key, e.Value)
		}
	}
}

// flow follows the values of a scenario from where they are captured to where they are used.
func (c *checker) flow(sc *Scenario) {
	made := make(map[string]string)
	for i := range sc.Steps {
		for _, e := range capturesOf(&sc.Steps[i]) {
			if made[e.Key] == "" {
				made[e.Key] = sc.Steps[i].Name
			}
		}
	}
	known, used := make(map[string]bool), make(map[string]bool)
	for i := range sc.Steps {
		step := &sc.Steps[i]
		own := capturesOf(step)
		for _, u := range c.needs(step) {
			used[u.name] = true
			if !known[u.name] {
				c.unknown(u, made)
			}
		}
		for _, e := range own {
			known[e.Key] = true
		}
		for _, name := range judged(step) {
			used[name] = true
		}
	}
	for i := range sc.Steps {
		for _, e := range capturesOf(&sc.Steps[i]) {
			if !used[e.Key] && !c.taken(e.Key) {
				c.problems.Add(e.Pos, "the capture %q is never used", e.Key)
				used[e.Key] = true
			}
		}
	}
}

// unknown reports a template that nothing answers at its place.
func (c *checker) unknown(u use, made map[string]string) {
	if _, ok := c.suite.Vars.Get(u.name); ok || vars.Reserved(u.name) || c.dataName(u) {
		return
	}
	if where := made[u.name]; where != "" {
		c.problems.Add(u.at, "{{%s}} is captured by the step %q, which has not run yet here", u.name, where)
		return
	}
	known := c.suite.Vars.Keys()
	for name := range made {
		known = append(known, name)
	}
	slices.Sort(known)
	c.problems.Add(u.at, "nothing is called {{%s}}%s", u.name, strictyaml.Suggest(u.name, append(known, vars.Names()...)))
}

// capturesOf lists all captures of a step: its own, its parts', and those that only a
// path's own words make.
func capturesOf(step *Step) strictyaml.Map[string] {
	out := slices.Clone(step.Capture)
	for i := range step.Batch {
		out = append(out, step.Batch[i].Capture...)
	}
	for i := range step.On {
		for _, e := range step.On[i].Value.Capture {
			if _, ok := out.Get(e.Key); !ok {
				out = append(out, e)
			}
		}
	}
	return out
}

// needs lists the names in a step's templates. Names that its condition mentions count
// as used too, but an expression's unknown names are for the one who compiles it.
func (c *checker) needs(step *Step) []use {
	uses := c.inOperation(&step.Operation)
	for i := range step.Batch {
		uses = append(uses, c.inOperation(&step.Batch[i].Operation)...)
	}
	for i := range step.On {
		uses = append(uses, c.inOperation(&step.On[i].Value.Operation)...)
	}
	return uses
}

func (c *checker) inOperation(op *Operation) []use {
	uses := c.inText(op.URL, op.Keys.At(op.At, op.Verb.Kind))
	for _, q := range op.Query {
		uses = append(uses, c.inText(q.Key, q.Pos)...)
		for _, item := range q.Value.Items {
			uses = append(uses, c.inText(item, q.Value.Pos)...)
		}
	}
	for _, h := range op.Headers {
		uses = append(uses, c.inText(h.Value, h.Pos)...)
	}
	for _, p := range op.Prefer {
		uses = append(uses, c.inText(p, op.Keys.At(op.At, "prefer"))...)
	}
	for _, t := range op.Body.Texts() {
		uses = append(uses, c.inText(t.Text, t.Pos)...)
	}
	return append(uses, c.inText(string(op.BodyBytes), op.Keys.At(op.At, "body_file"))...)
}

func (c *checker) inText(text string, at strictyaml.Pos) []use {
	if !strings.Contains(text, "{{") {
		return nil
	}
	t, err := vars.Parse(text)
	if err != nil {
		c.problems.Add(at, "%v", err)
		return nil
	}
	var out []use
	for _, name := range t.Names() {
		out = append(out, use{name, at})
	}
	return out
}

// judged lists the identifiers in the expressions of a step.
func judged(step *Step) []string {
	texts := []string{step.When.Text}
	expects := []Expect{step.Expect}
	if step.Until != nil {
		texts = append(texts, step.Until.Check.Text)
	}
	for i := range step.Batch {
		expects = append(expects, step.Batch[i].Expect)
	}
	for i := range step.On {
		expects = append(expects, step.On[i].Value.Expect)
	}
	for _, e := range expects {
		for _, check := range e.Checks {
			texts = append(texts, check.Text)
		}
	}
	var out []string
	for _, text := range texts {
		for _, m := range identifier().FindAllStringSubmatch(quoted().ReplaceAllString(text, `""`), -1) {
			out = append(out, m[2])
		}
	}
	return out
}

func (c *checker) fixture(x *Fixture) {
	for _, t := range x.With.Texts() {
		for _, u := range c.inText(t.Text, t.Pos) {
			c.unknown(u, nil)
		}
	}
}
