package lab_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

var update = flag.Bool("update", false, "write the tables of docs/lab.md")

// about says what a setting is for: the documentation's half of the table.
var about = map[string]string{
	"seed": "whole number; content, ids, secrets and delays follow from it", "mailboxes": "number of twin pairs, 1 to 100,000; 50",
	"preset": "which deployment: see below; `exchange-2016-cu12`", "proxy": "what Graph of today does with on-prem mailboxes; the preset's",
	"quirks": "ids, `all` or `none`; `none`", "misconfigure": "switches: see below",
	"latency.onprem": "delay of the on-prem REST service; `lognormal:6ms,14ms`", "latency.cloud": "delay of Graph; `lognormal:11ms,24ms`",
	"fault": "what goes wrong, and when", "token.lifetime": "lifetime of access tokens, 1s to 24h; `1h`",
	"move.ids": "`kept` or `new`: whether a move renews ids (inferred); `new`", "move.delta": "`kept` or `reset`: whether it ends delta tokens (inferred); `reset`",
	"unknown.select": "`refuse` or `ignore`: on-prem answer to an unknown `$select` name (inferred); `refuse`",
}

func tables() map[string]string {
	var settings, presets, rows, switches strings.Builder
	settings.WriteString("| key | value, and what it is without |\n|---|---|\n")
	for _, key := range lab.Settings() {
		fmt.Fprintf(&settings, "| `lab.%s` | %s |\n", key, about[key])
	}
	presets.WriteString("| preset | what it is |\n|---|---|\n")
	all := lab.Presets()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&presets, "| `%s` | %s |\n", name, all[name])
	}
	rows.WriteString("| id | state | side | class | certainty | what differs | shows in | source |\n|---|---|---|---|---|---|---|---|\n")
	for _, q := range quirks.All() {
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", q.ID, q.State, q.Side, q.Class, q.Certainty, q.About, q.Trigger, q.Source)
	}
	switches.WriteString("| switch | what is wrong |\n|---|---|\n")
	for _, m := range lab.Misconfigurations() {
		fmt.Fprintf(&switches, "| `%s` | %s |\n", m.ID, m.About)
	}
	return map[string]string{"settings": settings.String(), "presets": presets.String(), "quirks": rows.String(), "misconfigurations": switches.String()}
}

func TestTheTablesOfTheDocumentationAreTheCodes(t *testing.T) {
	const file = "../../docs/lab.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, table := range tables() {
		start := "<!-- " + name + " -->\n"
		before, rest, ok := strings.Cut(text, start)
		inside, after, closed := strings.Cut(rest, "<!-- end -->")
		if !ok || !closed {
			t.Fatalf("the section %s is missing", name)
		}
		if inside != table {
			if !*update {
				t.Errorf("the table of %s is out of date: run go test ./harness/lab -run Documentation -update", name)
			}
			text = before + start + table + "<!-- end -->" + after
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range lab.Settings() {
		if about[key] == "" {
			t.Errorf("nothing is said about lab.%s", key)
		}
	}
}
