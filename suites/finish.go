package suites

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"cutover/suites/strictyaml"
)

// finisher completes a decoded suite: verbs become methods, shorthand becomes what it is
// short for, files are read, and defaults are filled in.
type finisher struct {
	suite    *Suite
	from     files
	problems strictyaml.Problems
}

const (
	defaultMaxLag = 30 * time.Second
	defaultEvery  = time.Second
)

func (f *finisher) finish() {
	s := f.suite
	s.Pair = orElse(s.Pair, "together")
	s.Pushback = orElse(s.Pushback, "honour")
	s.Compare.Pages = orElse(s.Compare.Pages, "first")
	s.Compare.Content = orElse(s.Compare.Content, "full")
	if s.MaxLag == 0 {
		s.MaxLag = defaultMaxLag
	}
	if len(s.Load) == 0 {
		model := strictyaml.NewBlock("constant", s.Pos, map[string]any{"rate": "10/s", "for": "30s"})
		s.Load = []Phase{{Pos: s.Pos, Model: model}}
	}
	for i := range s.Scenarios {
		f.scenario(&s.Scenarios[i])
	}
	s.operations(f.operation)
	f.phases()
	f.populations()
	f.feeds()
	for i := range s.Fixtures {
		f.fixture(&s.Fixtures[i])
	}
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (f *finisher) scenario(sc *Scenario) {
	if sc.Weight == 0 {
		sc.Weight = 1
	}
	for i := range sc.Steps {
		step := &sc.Steps[i]
		if step.Repeat == 0 {
			step.Repeat = 1
		}
		if step.Think == 0 && i > 0 {
			step.Think = sc.Think
		}
		if step.Until != nil && step.Until.Every == 0 {
			step.Until.Every = defaultEvery
		}
	}
}

func (f *finisher) fixture(x *Fixture) {
	if x.Count == 0 {
		x.Count = 1
	}
	x.In = orElse(x.In, map[string]string{"message": "drafts", "event": "calendar", "contact": "contacts", "folder": "msgfolderroot"}[x.Create])
}

func (f *finisher) operation(op *Operation) {
	if op.BodyFile != "" {
		f.bodyFile(op)
	}
	if op.Verb.IsZero() {
		return
	}
	op.Method, op.At = strings.ToUpper(op.Verb.Kind), op.Verb.Pos
	var target string
	problems := op.Verb.Decode(&target)
	f.problems = append(f.problems, problems...)
	op.URL = strings.TrimSpace(target)
	if op.URL == "" && len(problems) == 0 {
		f.problems.Add(op.Keys.At(op.At, op.Verb.Kind), "%q must not be empty", op.Verb.Kind)
	}
	if at := strings.IndexByte(op.URL, '?'); at >= 0 {
		f.queryOf(op, op.URL[at+1:])
		op.URL = op.URL[:at]
	}
}

// queryOf moves options that were written behind the URL to where the others are.
func (f *finisher) queryOf(op *Operation, text string) {
	at := op.Keys.At(op.At, op.Verb.Kind)
	for one := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(one, "=")
		plain, err := url.QueryUnescape(name)
		decoded, err2 := unescaped(value)
		switch _, twice := op.Query.Get(plain); {
		case err != nil || err2 != nil:
			f.problems.Add(at, "the query option %q is not escaped well: write it under query", one)
		case plain == "":
		case twice:
			f.problems.Add(at, "the query option %q stands both in the URL and under query", plain)
		default:
			op.Query = append(op.Query, strictyaml.Entry[QueryValue]{Key: plain, Pos: at, Value: QueryValue{Pos: at, Items: []string{decoded}}})
		}
	}
}

// unescaped undoes the escapes of a query option, and leaves its templates as they
// are: the + of {{monday+7d}} is no blank.
func unescaped(text string) (string, error) {
	var all strings.Builder
	for {
		before, rest, opens := strings.Cut(text, "{{")
		plain, err := url.QueryUnescape(before)
		if err != nil {
			return "", err
		}
		all.WriteString(plain)
		if !opens {
			return all.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		all.WriteString("{{" + name)
		if !closed {
			return all.String(), nil
		}
		all.WriteString("}}")
		text = after
	}
}

func (f *finisher) bodyFile(op *Operation) {
	at := op.Keys.At(op.At, "body_file")
	data, err := f.from.read(op.BodyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.problems.Add(at, "body_file %q does not exist (it is looked for in the folder of the suite)", op.BodyFile)
	case err != nil:
		f.problems.Add(at, "body_file %q cannot be read: it must be a file in or below the folder of the suite, of at most %d MiB", op.BodyFile, strictyaml.MaxBytes>>20)
	default:
		op.BodyBytes = data
	}
}

// phases turns the shorthand into a constant rate and gives every phase a name.
func (f *finisher) phases() {
	taken := make(map[string]bool)
	for _, p := range f.suite.Load {
		taken[p.Name] = true
	}
	for i := range f.suite.Load {
		p := &f.suite.Load[i]
		f.shorthand(p)
		if p.Name != "" || p.Model.IsZero() {
			continue
		}
		name := p.Model.Kind
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", p.Model.Kind, n)
		}
		p.Name, taken[name] = name, true
	}
}

// endless complains about "for: 0s", unless the length was found wrong already.
func (f *finisher) endless(p *Phase) {
	at := p.Keys["for"]
	if !slices.ContainsFunc(f.problems, func(one strictyaml.Problem) bool { return one.Pos == at }) {
		f.problems.Add(at, "a phase must last longer than 0s")
	}
}

func (f *finisher) shorthand(p *Phase) {
	given := 0
	for _, key := range []string{"users", "each", "for"} {
		if _, ok := p.Keys[key]; ok {
			given++
		}
	}
	at := p.Keys.At(p.Pos, "users", "each", "for")
	switch {
	case given > 0 && !p.Model.IsZero():
		f.problems.Add(at, "users, each and for are short for a constant rate and cannot stand beside %q", p.Model.Kind)
	case given > 0 && given < 3:
		f.problems.Add(at, "users, each and for belong together: {users: 500, each: 60/h, for: 10m}")
	case given > 0 && p.For == 0:
		f.endless(p)
	case given > 0:
		rate := strictyaml.Rate{PerSecond: float64(p.Users) * p.Each.PerSecond}
		p.Model = strictyaml.NewBlock("constant", p.Pos, map[string]any{"rate": rate.String(), "for": p.For})
	case p.Model.IsZero() && p.Pos.Line > 0:
		f.problems.Add(p.Pos, "a phase needs a model: one of constant, ramp, stages, poisson, spike, day, closed, search, or users, each and for")
	}
}
