package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutover/harness/request"
	"cutover/profiles"
	"cutover/suites"
)

// signsInAs is the mailbox whose user asks: the one that is asked about, unless --as names another. Then
// the question names its mailbox, because /me would be the other user's own.
func signsInAs(p *profiles.Profile, o *callOptions, op *suites.Operation, box profiles.Mailbox) (profiles.Mailbox, error) {
	if o.as == "" {
		return box, nil
	}
	as, err := chooseMailbox(p, o.as)
	if err == nil && as.Name != box.Name {
		op.URL = request.OfMailbox(op.URL)
	}
	return as, err
}

// savedHead begins a suite of saved calls. Its steps come last, so that further ones can be appended.
const savedHead = `suite: %s
about: Calls that were saved by the explorer.
load:
  - {name: steady, constant: {rate: 2/s, for: 10s}}
scenarios:
  - name: calls
    steps:
`

// saveStep writes the call into a suite: a new one, or as a further step of the last scenario of an
// existing one. Nothing is written that cutover would not load.
func (a *App) saveStep(file string, op suites.Operation, asked []*side) error {
	text, err := os.ReadFile(file)
	steps := 0
	taken := map[string]bool{}
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && strings.TrimSpace(string(text)) == "":
		text = fmt.Appendf(nil, savedHead, suiteName(file))
	case err != nil:
		return usageError("", "--save: %w", err)
	default:
		suite, err := suites.Parse(file, text)
		if err != nil {
			return usageError("save into another file", "--save: %s is no suite that loads: %w", file, err)
		}
		last := suite.Scenarios[len(suite.Scenarios)-1]
		steps = len(last.Steps)
		for _, st := range last.Steps {
			taken[st.Name] = true
		}
	}
	name := stepName(op, taken)
	out := strings.TrimRight(string(text), "\n") + "\n" + stepText(name, op, asked)
	suite, err := suites.Parse(file, []byte(out))
	if err != nil || len(suite.Scenarios[len(suite.Scenarios)-1].Steps) != steps+1 {
		return usageError("save into a new file and copy the step", "--save: %s does not end with the steps of a scenario", file)
	}
	if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
		return usageError("", "--save: %w", err)
	}
	fmt.Fprintf(a.Stderr, "cutover: step %s is in %s; `cutover run %s` asks it\n", name, file, quoteArg(file))
	return nil
}

// stepText is the call as a step of a suite. Statuses that are no success are expected, because they were
// what the call brought.
func stepText(name string, op suites.Operation, asked []*side) string {
	var b strings.Builder
	fmt.Fprintf(&b, "      - name: %s\n        %s: %q\n", name, strings.ToLower(op.Method), op.URL)
	if len(op.Query) > 0 {
		b.WriteString("        query:\n")
		for _, q := range op.Query {
			fmt.Fprintf(&b, "          %s: %q\n", q.Key, q.Value.Text())
		}
	}
	if len(op.Prefer) > 0 {
		b.WriteString("        prefer:\n")
		for _, p := range op.Prefer {
			fmt.Fprintf(&b, "          - %q\n", p)
		}
	}
	if !op.Body.IsZero() {
		fmt.Fprintf(&b, "        body: %s\n", op.Body.JSON())
	}
	var statuses []string
	success := true
	for _, s := range asked {
		status := s.call.Response.Status
		if s.reason != "" || status == 0 {
			continue
		}
		success = success && status/100 == 2
		if text := fmt.Sprint(status); !slices.Contains(statuses, text) {
			statuses = append(statuses, text)
		}
	}
	if !success {
		fmt.Fprintf(&b, "        expect: {status: [%s]}\n", strings.Join(statuses, ", "))
	}
	return b.String()
}

// stepName names a step by its verb and what it asks for, with a number where that is taken.
func stepName(op suites.Operation, taken map[string]bool) string {
	word := "call"
	for segment := range strings.SplitSeq(op.URL, "/") {
		if clean := plainWord(segment); clean != "" && len(clean) <= 30 {
			word = clean
		}
	}
	base := strings.ToLower(op.Method) + "-" + word
	name := base
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// suiteName is the name of a suite in a file: the file's, in the letters that names have.
func suiteName(file string) string {
	base := filepath.Base(file)
	if name := plainWord(strings.TrimSuffix(base, filepath.Ext(base))); name != "" {
		return name
	}
	return "calls"
}

// plainWord keeps letters, digits and hyphens, in lower case.
func plainWord(s string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '-'
	}, s), "-")
}
