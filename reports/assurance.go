package reports

import (
	"fmt"
	"strings"

	"cutover/harness/result"
)

// assurance says how much it means that no compared pair differed, "" when some did or none was compared.
func assurance(c result.Comparison) string {
	if c.Compared == 0 || c.Different > 0 || c.AtMost == 0 {
		return ""
	}
	return fmt.Sprintf("assurance: none of %s pairs differed, so that of pairs like these at most %.2g%% do (95%% confidence)", count(c.Compared), 100*c.AtMost)
}

// divergedWords names the mailbox pairs that a one-sided write made different, the first three of them, ""
// when there is none.
func divergedWords(r *result.Result) string {
	if len(r.Diverged) == 0 {
		return ""
	}
	var told []string
	for i, d := range r.Diverged {
		if i == 3 {
			told = append(told, fmt.Sprintf("and %s more", count(uint64(len(r.Diverged)-i))))
			break
		}
		told = append(told, fmt.Sprintf("%s (%s/%s succeeded on the %s alone)", d.Mailbox, d.Scenario, d.Step, d.Side))
	}
	return fmt.Sprintf("diverged: %s, and what it answered afterwards was not compared: %s",
		plural(uint64(len(r.Diverged)), "mailbox pair", "mailbox pairs"), strings.Join(told, ", "))
}

// sentence makes a sentence of a line of the text report.
func sentence(line string) string {
	if line == "" {
		return ""
	}
	return strings.ToUpper(line[:1]) + line[1:] + "."
}
