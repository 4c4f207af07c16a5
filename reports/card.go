package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"cutover/harness/result"
)

// cardRules is how many kinds of differences a card names.
const cardRules = 3

// cardText bounds one text of a card, in columns: a card may have 28 KB.
const cardText = 300

// cardPart is an element of an Adaptive Card. Texts are text runs, which have
// no markup, so that nothing from a server becomes a link.
type cardPart map[string]any

// writeCard writes an Adaptive Card in the envelope that a Workflows webhook of
// Teams takes: verdict, reasons, the worst kinds of differences, the shift. It
// names no mailbox and shows no value.
func writeCard(w io.Writer, r *result.Result, o Options) error {
	title := fmt.Sprintf("%s: %s on %s", r.Verdict, r.Suite, r.Profile)
	if simulated(r) {
		title += " (simulated)"
	}
	body := []cardPart{cardLine(title, "bolder", map[result.Verdict]string{result.Pass: "good", result.Fail: "attention"}[r.Verdict])}
	for _, reason := range r.Reasons[:min(cardRules, len(r.Reasons))] {
		body = append(body, cardLine(reason, "", ""))
	}
	var rules []rule
	for _, g := range byClass(r) {
		rules = append(rules, byRule(g.Findings)...)
	}
	for _, f := range rules[:min(cardRules, len(rules))] {
		body = append(body, cardLine(fmt.Sprintf("%s, %s: %s in %s (%s of the answers)", f.Class, f.Severity, f.ID,
			plural(uint64(f.Places), "place", "places"), share(f.Share)), "", ""))
	}
	if t, ok := shiftTile(r); ok {
		body = append(body, cardLine(fmt.Sprintf("%s: %s %s", t.Label, t.Value, t.Note), "", ""))
	}
	if line := consentWords(r); line != "" {
		body = append(body, cardLine(line, "lighter", ""))
	}
	if o.ReportPath != "" {
		body = append(body, cardLine("report: "+o.ReportPath, "lighter", ""))
	}
	card := cardPart{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(cardPart{"type": "message", "attachments": []cardPart{{
		"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}})
}

func cardLine(text, weight, color string) cardPart {
	run := cardPart{"type": "TextRun", "text": cut(clean(text), cardText)}
	if weight != "" {
		run["weight"] = weight
	}
	if color != "" {
		run["color"] = color
	}
	return cardPart{"type": "RichTextBlock", "inlines": []cardPart{run}}
}
