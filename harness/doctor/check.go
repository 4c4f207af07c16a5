package doctor

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"cutover/harness/result"
	"cutover/harness/wire"
)

// Check is one row of the table: what is looked at and what it means when it is
// wrong. All text is for an administrator of Exchange.
type Check struct {
	ID     string
	Title  string // what is so when the check passes
	Blocks string // what does not work while it fails
	// Vantage is from where the answer counts: internet, internal or any.
	Vantage string
	Cause   string // the usual cause of a failure
	Remedy  string // setting or cmdlet
	Source  string
	Needs   []string // checks without which this one says nothing
	// Shares are checks whose own failure explains this one's too. Where they were
	// not probed themselves, this one still is.
	Shares []string

	applies func(*exam) bool
	run     func(*exam) finding
	// eachMailbox runs the check once for every mailbox asked for.
	eachMailbox bool
	// harmless failures leave the path usable for a run.
	harmless bool
}

// Groups of what checks block, in the order of the text.
const (
	blocksReach     = "reaching the servers"
	blocksREST      = "the REST path on premises"
	blocksEWS       = "the web services on premises (EWS)"
	blocksOAuth     = "modern sign-in on premises"
	blocksDiscovery = "discovery"
	blocksSignIn    = "signing in"
	blocksCloud     = "the cloud path"
)

var groups = []string{blocksReach, blocksREST, blocksEWS, blocksOAuth, blocksDiscovery, blocksSignIn, blocksCloud}

// Checks lists the table in the order of an examination.
func Checks() []Check {
	return slices.Concat(networkChecks(), arrayChecks(), oauthChecks(), discoveryChecks(), signInChecks(), mailboxChecks(), ewsChecks(), limitChecks())
}

// Explain finds one check by its id.
func Explain(id string) (Check, bool) {
	all := Checks()
	i := slices.IndexFunc(all, func(c Check) bool { return c.ID == id })
	if i < 0 {
		return Check{}, false
	}
	return all[i], true
}

// finding is what a check saw. The zero verdict is a pass.
type finding struct {
	verdict  result.Verdict
	evidence string
	cause    string // instead of the table's
	remedy   string // instead of the table's
}

func pass(format string, args ...any) finding {
	return finding{verdict: result.Pass, evidence: fmt.Sprintf(format, args...)}
}

func fail(format string, args ...any) finding {
	return finding{verdict: result.Fail, evidence: fmt.Sprintf(format, args...)}
}

func warn(format string, args ...any) finding {
	return finding{verdict: result.Warn, evidence: fmt.Sprintf(format, args...)}
}

// skip says why nothing was probed.
func skip(format string, args ...any) finding {
	return finding{verdict: result.Skip, evidence: "not probed because " + fmt.Sprintf(format, args...)}
}

// because gives a finding a cause and a remedy of its own.
func (f finding) because(cause, remedy string) finding {
	f.cause, f.remedy = cause, remedy
	return f
}

// outcome puts a finding and its check together.
func (c Check) outcome(path, mailbox string, f finding) Outcome {
	o := Outcome{Blocks: c.Blocks, Mailbox: mailbox,
		Check: result.Check{ID: c.ID, Title: c.Title, Path: path, Verdict: f.verdict, Evidence: clean(f.evidence)}}
	if f.verdict == result.Fail || f.verdict == result.Warn {
		o.Cause, o.Remedy, o.Source = orElse(f.cause, c.Cause), orElse(f.remedy, c.Remedy), c.Source
	}
	return o
}

// maxEvidence bounds what of a server's words stands in a report.
const maxEvidence = 300

// clean makes a server's words safe to print: one line, no control characters,
// no credential, not too long.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, wire.Redact(strings.ToValidUTF8(text, "")))
	if runes := []rune(text); len(runes) > maxEvidence {
		text = string(runes[:maxEvidence]) + "…"
	}
	return text
}

func orElse(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}
