package vars

import (
	"strings"
)

// names answered by the run itself; random ones and dates are in random.go and dates.go.
var runNames = []string{
	"mailbox.name", "mailbox.user", "mailbox.smtp", "mailbox.upn",
	"run.id", "run.tag", "iteration",
}

// Names lists every name that needs no variable or capture, dates without their offsets.
func Names() []string {
	var out []string
	out = append(out, runNames...)
	for _, m := range makers {
		out = append(out, "random."+m.name)
	}
	return append(out, dateNames...)
}

// Reserved reports whether name is answered by this package or by the run, and so cannot
// be a variable or capture of a suite. Everything below "mailbox.", "run." and "random."
// is reserved, but only what Names lists has a value.
func Reserved(name string) bool {
	if _, ok := parseDate(name); ok {
		return true
	}
	for _, n := range Names() {
		if n == name {
			return true
		}
	}
	return strings.HasPrefix(name, "random.") && findMaker(name) != nil
}
