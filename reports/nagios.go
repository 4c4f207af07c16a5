package reports

import (
	"fmt"
	"io"
	"strings"

	"cutover/harness/result"
)

// writeNagios writes the one line that a monitoring plugin prints: state,
// reason, and the 95th percentiles as performance data.
func writeNagios(w io.Writer, r *result.Result, _ Options) error {
	state := map[result.Verdict]string{result.Pass: "OK", result.Fail: "CRITICAL"}[r.Verdict]
	text := strings.Join(r.Reasons, "; ")
	if text == "" {
		text = fmt.Sprintf("%s of %s completed", count(r.Buckets.Completed), plural(r.Buckets.Planned, "leg", "legs"))
	}
	if simulated(r) {
		text = "simulated: " + text
	}
	if hash := consentHash(r); hash != "" {
		text += "; consent SHA-256 " + hash
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CUTOVER %s - %s on %s: %s", orElse(state, "UNKNOWN"), nagiosText(r.Suite), nagiosText(r.Profile), nagiosText(text))
	lead := " |"
	for _, op := range distinct(operations(r)) {
		for _, row := range op.rows() {
			if row.Response.P95 != nil {
				fmt.Fprintf(&b, "%s '%s'=%sms", lead, nagiosLabel.Replace(nagiosText(row.Scenario+"/"+row.Step+" "+row.Path+" p95")), decimal(row.Response.P95))
				lead = ""
			}
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// nagiosText keeps a text from ending the line or beginning performance data.
func nagiosText(s string) string { return strings.ReplaceAll(clean(s), "|", "/") }

// nagiosLabel replaces what would end a label.
var nagiosLabel = strings.NewReplacer("'", "`", "=", "-")
