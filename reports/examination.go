package reports

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"cutover/harness/result"
)

// Examination is what the doctor found, as its reports show it. Its strings are
// redacted already and may be hostile all the same.
type Examination struct {
	Profile   string
	Simulated bool
	Vantage   string // where it was seen from; "" when nobody said
	Sum       string // the last line: counts and verdict
	Ready     bool
	Groups    []ExaminedGroup
	Mailboxes []ExaminedMailbox
	Hidden    []ExaminedHidden
}

// Wrong are the checks that fail, then those that warn.
func (x Examination) Wrong() (all []ExaminedCheck) {
	for _, v := range []result.Verdict{result.Fail, result.Warn} {
		for _, g := range x.Groups {
			for _, c := range g.Checks {
				if c.Verdict == v {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// ExaminedGroup holds the checks that block the same thing.
type ExaminedGroup struct {
	Blocks string
	Checks []ExaminedCheck
}

// ExaminedCheck is one check on one path.
type ExaminedCheck struct {
	result.Check
	Mailbox string // "" when the check is about the deployment
	Vantage string
	Cause   string
}

// Word is the verdict in one word.
func (c ExaminedCheck) Word() string {
	return map[result.Verdict]string{result.Pass: "ok", result.Skip: "not probed"}[c.Verdict] + map[result.Verdict]string{result.Warn: "warn", result.Fail: "fail"}[c.Verdict]
}

// ExaminedMailbox says on which paths a mailbox can be asked.
type ExaminedMailbox struct {
	Name, Path string
	Blocking   []string
}

// Tone is the colour: pass when any path is open.
func (m ExaminedMailbox) Tone() string {
	if m.Path == "none" {
		return "fail"
	}
	return "pass"
}

// ExaminedHidden is a requirement that nobody sees from outside.
type ExaminedHidden struct{ What, Shows, Expect string }

var examinationPage = sync.OnceValues(func() (*template.Template, error) { return parsePage("examination.html", "shared.html") })

// WriteExaminationHTML writes one offline page in the style of the run report.
func WriteExaminationHTML(w io.Writer, x Examination) error {
	style, err := pageFile("page.css")
	if err != nil {
		return err
	}
	tone := "fail"
	if x.Ready {
		tone = "pass"
	}
	return writePage(w, struct {
		Examination
		Tone   string
		Style  template.CSS
		Policy string
	}{x, tone, trustedStyle(style), fmt.Sprintf("default-src 'none'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", digest(style))}, examinationPage)
}

// WriteExaminationJUnit writes a suite for each group and a case for each check:
// a failing check is a failure, one that was not probed is skipped.
func WriteExaminationJUnit(w io.Writer, x Examination) error {
	doc := junitSuites{Name: "doctor of " + x.Profile}
	for _, g := range x.Groups {
		s := junitSuite{Name: "doctor/" + g.Blocks, Tests: len(g.Checks), Time: "0.000",
			Properties: []junitProperty{{"profile", x.Profile}, {"vantage", x.Vantage}, {"simulated", fmt.Sprint(x.Simulated)}}}
		for _, c := range g.Checks {
			name := c.ID + " on " + c.Path
			if c.Mailbox != "" {
				name += " for " + c.Mailbox
			}
			test := junitCase{Name: name, ClassName: "doctor." + g.Blocks, Time: "0.000"}
			switch c.Verdict {
			case result.Fail:
				test.Failure = &junitProblem{Type: c.ID, Message: c.Evidence, Text: "cause: " + c.Cause + "\nremedy: " + c.Remedy + "\nsource: " + c.Source}
				s.Failures++
			case result.Skip:
				test.Skipped = &junitMessage{c.Evidence}
				s.Skipped++
			case result.Warn:
				test.Out = strings.Join([]string{"warning: " + c.Evidence, "cause: " + c.Cause, "remedy: " + c.Remedy}, "\n")
			default:
				test.Out = c.Evidence
			}
			s.Cases = append(s.Cases, test)
		}
		doc.Tests, doc.Failures = doc.Tests+s.Tests, doc.Failures+s.Failures
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
