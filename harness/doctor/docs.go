package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is docs/doctor.md, made from the table.
func Markdown() string {
	out := &strings.Builder{}
	fmt.Fprint(out, `# The doctor's checks

`+"`cutover doctor`"+` examines a deployment from outside and says what is wrong, what that blocks, why, and what to do.
It reads only. A check whose ground is gone is *not probed because* another failed. Exit code 0: nothing fails;
3: a check fails. `+"`cutover explain ID`"+` prints one entry; `+"`--json`"+` gives all of them with their evidence.

This page is made from the table of checks in harness/doctor; a test keeps it current.

| id | passes when | blocks | vantage |
|---|---|---|---|
`)
	for _, c := range Checks() {
		fmt.Fprintf(out, "| [%s](#%s) | %s | %s | %s |\n", c.ID, anchor(c.ID), c.Title, c.Blocks, c.Vantage)
	}
	for _, c := range Checks() {
		fmt.Fprintf(out, "\n## %s\n\nPasses when %s.\n\n- **Blocks:** %s%s\n- **Cause of a failure:** %s\n- **Remedy:** %s\n- **Source:** %s\n",
			c.ID, c.Title, c.Blocks, harm(c), c.Cause, c.Remedy, c.Source)
		if needs := slices.Concat(c.Needs, c.Shares); len(needs) > 0 {
			fmt.Fprintf(out, "- **Not probed when one of these fails:** %s\n", strings.Join(needs, ", "))
		}
	}
	fmt.Fprint(out, "\n## Not visible from outside\n\nThese need a shell on a server or in the tenant.\n\n| requirement | what shows it | expected |\n|---|---|---|\n")
	for _, h := range NotVisible() {
		fmt.Fprintf(out, "| %s | `%s` | %s |\n", h.What, strings.ReplaceAll(h.Shows, "|", "\\|"), h.Expect)
	}
	return out.String()
}

// harm says whether a run is possible all the same.
func harm(c Check) string {
	if c.harmless {
		return " (a run down the path is possible all the same)"
	}
	return ""
}

// anchor is how Markdown renderers name a heading.
func anchor(id string) string { return strings.ReplaceAll(strings.ToLower(id), ".", "") }
