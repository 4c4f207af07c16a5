package plan

import (
	"errors"
	"io"
	"os"
	"strings"

	"cutover/harness/expect"
	"cutover/harness/gate"
	"cutover/harness/load"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// Check validates suites and profiles by themselves and returns everything that is
// wrong with all of them. A file is taken for a profile when its first key says so.
func Check(files []string) strictyaml.Problems {
	var problems strictyaml.Problems
	for _, file := range files {
		problems = append(problems, checkFile(file)...)
	}
	return problems.Sorted()
}

func checkFile(file string) strictyaml.Problems {
	data, err := read(file)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return strictyaml.Problems{{Pos: flag(file), Msg: err.Error()}}
	}
	if key, _ := strictyaml.First(file, data, "profile", "suite"); key == "profile" {
		if _, err := profiles.Parse(file, data); err != nil {
			return asProblems(flag(file), err)
		}
		return nil
	}
	s, problems := suites.Read(file, data)
	if s != nil {
		problems = append(problems, CheckSuite(s)...)
	}
	return problems.Sorted()
}

// read takes in one byte more than a document may have, so that one that is too
// long is reported as such and never held in memory.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1))
}

// CheckSuite finds what is wrong with a suite whatever the profile: its load
// models, gates, expressions and captures.
func CheckSuite(s *suites.Suite) strictyaml.Problems {
	var problems strictyaml.Problems
	for _, ph := range s.Load {
		if ph.Model.IsZero() {
			continue // reported when the suite was read
		}
		_, more := load.Compile(ph.Model, s.Seed)
		problems = append(problems, more...)
	}
	for _, g := range s.Gates {
		if _, err := gate.Parse(g.Text); err != nil {
			problems.Add(g.Pos, "gate %q: %v", g.Text, err)
		}
	}
	for i := range s.Scenarios {
		problems = append(problems, checkSteps(s, &s.Scenarios[i])...)
	}
	return problems.Sorted()
}

func checkSteps(s *suites.Suite, sc *suites.Scenario) strictyaml.Problems {
	var problems strictyaml.Problems
	names := s.Vars.Keys()
	answer := func(e suites.Expect, captures strictyaml.Map[string]) {
		_, more := expect.Compile(e, names)
		problems = append(problems, more...)
		for _, c := range captures {
			// What is no path at all was reported when the suite was read.
			if _, err := expect.NewCapture(c.Key, c.Value); err != nil && strings.HasPrefix(c.Value, "$") {
				problems.Add(c.Pos, "%v", err)
			}
		}
	}
	condition := func(what string, e suites.Expr) {
		if e.IsZero() {
			return
		}
		if _, err := expect.NewCondition(e.Text, names); err != nil {
			problems.Add(e.Pos, "%s %q: %v", what, e.Text, err)
		}
	}
	for i := range sc.Steps {
		st := &sc.Steps[i]
		condition("when", st.When)
		if st.Until != nil {
			condition("until", st.Until.Check)
		}
		answer(st.Expect, st.Capture)
		for _, o := range st.On {
			answer(o.Value.Expect, o.Value.Capture)
		}
		for _, p := range st.Batch {
			answer(p.Expect, p.Capture)
			names = append(names, p.Capture.Keys()...)
		}
		names = append(names, st.Capture.Keys()...)
	}
	return problems
}
