package token

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write prints the report for a person: conclusion last, as a verdict.
func (r *Report) Write(w io.Writer) error {
	p := &printer{w: w}
	for i, t := range r.Tokens {
		if len(r.Tokens) > 1 {
			p.line("token %d of %d", i+1, len(r.Tokens))
		}
		p.token(t)
	}
	for _, d := range r.Diagnostics {
		p.line("refusal               %d %s", d.Code, d.Category)
		p.line("  means               %s", d.Meaning)
		if d.Refused != "" {
			p.line("  token kind          %s", d.Refused)
		}
		if d.Reason != "" {
			p.line("  server's words      %s", d.Reason)
		}
		p.line("")
	}
	for _, f := range r.Facts {
		p.line("%-21s %s", f.Name, f.Value)
	}
	if len(r.Facts) > 0 {
		p.line("")
	}
	for _, c := range r.Conclusion {
		p.wrapped(c)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

func (p *printer) token(t Token) {
	p.line("kind                  %s", t.Kind)
	if t.About != "" {
		p.line("%22s%s", "", t.About)
	}
	for _, f := range t.Facts {
		p.line("%-21s %s", f.Name, f.Value)
	}
	for _, j := range t.Judgements {
		p.line("%-21s %s", j.Level, j.What)
		if j.Remedy != "" {
			p.line("%22s-> %s", "", j.Remedy)
		}
	}
	p.line("")
	p.line("%-30s %-9s %-8s %s", "WHERE", "ACCEPTED", "ANSWER", "WHY")
	for _, x := range together(t.Predictions) {
		code := ""
		if x.Code != 0 {
			code = fmt.Sprint(x.Code)
		}
		p.line("%-30s %-9s %-8s %s", x.Service, x.Verdict, code, x.Why)
	}
	p.line("")
}

// together joins the directories when all of them say the same.
func together(all []Prediction) []Prediction {
	first := len(all) - len(directories)
	if first < 0 {
		return all
	}
	for _, p := range all[first:] {
		if p.Verdict != all[first].Verdict || p.Code != all[first].Code || p.Why != all[first].Why {
			return all
		}
	}
	joined := all[first]
	joined.Service = "every directory on premises"
	return append(slices.Clone(all[:first]), joined)
}

// width is where paragraphs break.
const width = 100

func (p *printer) wrapped(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			p.line("%s", line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	p.line("%s", line)
}
