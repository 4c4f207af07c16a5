package history

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
)

const pageStyle = `:root { color-scheme: light dark; --line: #0b62a8; --bad: #b3261e; --rule: #8886; }
@media (prefers-color-scheme: dark) { :root { --line: #7ab8ee; --bad: #ff9a8f; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h2 { font-size: 1rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0; }
svg { width: 100%; height: 8rem; border-bottom: 1px solid var(--rule); display: block; }
polyline { fill: none; stroke: var(--line); stroke-width: 2; vector-effect: non-scaling-stroke; }
line { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 4; vector-effect: non-scaling-stroke; }
table { border-collapse: collapse; } td, th { padding: .1rem .75rem .1rem 0; text-align: right; } th:first-child { text-align: left; font-weight: 400; } thead th { font-weight: 600; }`

// page is one offline file: no script, no request, and no style but its own, which the
// policy knows by its digest.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{{.Digest}}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>cutover: nights</title>
<link rel="icon" href="data:,">
<style>` + pageStyle + `</style>
</head>
<body>
<main>
<h1>Response times over the nights</h1>
{{range .Sections}}<section>
<h2>{{.Name}}</h2>
<p>{{.Range}}</p>
<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{{.Label}}">
{{range .Lines}}<polyline points="{{.}}"></polyline>
{{end}}{{range .Marks}}<line x1="{{.}}" x2="{{.}}" y1="0" y2="100"></line>
{{end}}</svg>
{{range .Changes}}<p>{{.}}</p>
{{end}}<details><summary>{{len .Rows}} nights</summary>
<table><thead><tr><th scope="col">run</th><th scope="col">ms</th><th scope="col">verdict</th></tr></thead><tbody>
{{range .Rows}}<tr><th scope="row">{{.Run}}</th><td>{{.Value}}</td><td>{{.Verdict}}</td></tr>
{{end}}</tbody></table></details>
</section>
{{else}}<p>No recorded run fits.</p>
{{end}}</main>
</body>
</html>
`

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("nights").Parse(page)) })

type section struct {
	Name, Range, Label string
	Lines              []string
	Marks              []string
	Changes            []string
	Rows               []nightRow
}

type nightRow struct{ Run, Value, Verdict string }

// WriteHTML draws trends as one offline page: a curve for each, its change points, and a
// table of its nights. It needs no script. The same trends are the same bytes.
func WriteHTML(w io.Writer, trends []Trend) error {
	var sections []section
	for _, t := range trends {
		sections = append(sections, t.section())
	}
	sum := sha256.Sum256([]byte(pageStyle))
	data := struct {
		Digest   string
		Sections []section
	}{base64.StdEncoding.EncodeToString(sum[:]), sections}
	if err := pageTemplate().Execute(w, data); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func (t Trend) section() section {
	s := section{Name: fmt.Sprintf("%s of %s/%s on %s", t.Quantile, t.Scenario, t.Step, t.Path)}
	high, low := 0.0, 0.0
	for _, p := range t.Points {
		row := nightRow{Run: p.Run.RunID, Value: "–", Verdict: string(p.Run.Verdict)}
		if p.Value != nil {
			row.Value = fmt.Sprintf("%.3g", *p.Value)
			if high = max(high, *p.Value); low == 0 || *p.Value < low {
				low = *p.Value
			}
		}
		s.Rows = append(s.Rows, row)
	}
	s.Range = fmt.Sprintf("%.3g to %.3g ms; the curve begins at 0", low, high)
	s.Label = s.Name + ": " + s.Range
	x := func(i int) string { return fmt.Sprintf("%.1f", (float64(i)+0.5)*1000/float64(len(t.Points))) }
	var curve []string
	flush := func() {
		if len(curve) == 1 {
			curve = append(curve, curve[0])
		}
		if len(curve) > 0 {
			s.Lines = append(s.Lines, strings.Join(curve, " "))
		}
		curve = nil
	}
	for i, p := range t.Points {
		if p.Value == nil {
			flush()
			continue
		}
		curve = append(curve, fmt.Sprintf("%s,%.1f", x(i), 100-*p.Value/max(high, 1e-9)*95))
	}
	flush()
	for _, c := range t.Changes {
		s.Marks = append(s.Marks, x(c.at))
		text := fmt.Sprintf("%+.3g %% since %s: %.3g, was %.3g ms", c.Share*100, c.RunID, c.After, c.Before)
		for _, d := range c.With {
			text += fmt.Sprintf("; with it: %s, %s → %s", d.What, d.Base, d.Run)
		}
		s.Changes = append(s.Changes, text)
	}
	return s
}
