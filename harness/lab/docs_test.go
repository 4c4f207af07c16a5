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
	"items":   "messages in a mailbox, 1 to 100,000: one number, or several that pairs take in turn, as `1000,10000,100000`; `200`",
	"folders": "`usual`: 8 folders besides the well-known ones; `zipf`: 60, 8 % of the mail in the inbox, 25 % sent, 30 % archived, the rest by Zipf's law; `usual`",
	"preset":  "which deployment: see below; `exchange-2016-cu12`", "proxy": "what Graph of today does with on-prem mailboxes; the preset's",
	"quirks": "ids, `all` or `none`; `none`", "misconfigure": "switches: see below",
	"throttle":       "`published`, `none`, or requests of one app in one mailbox within a window, as `20/1s`; `published`",
	"latency.onprem": "delay of the on-prem REST service; `lognormal:6ms,14ms`", "latency.cloud": "delay of Graph; `lognormal:11ms,24ms`",
	"fault": "what goes wrong, and when", "token.lifetime": "lifetime of access tokens, 1s to 24h; `1h`",
	"move.ids": "`kept` or `new`: whether a move renews ids (inferred); `new`", "move.delta": "`kept` or `reset`: whether it ends delta tokens (inferred); `reset`",
	"throttle.onprem": "Exchange's own policy: `none`, so many requests of a user at once (`27`), in a window (`600/5m`), or both (`27,600/5m`); a refusal is 503 `ErrorServerBusy` (inferred); `none`",
	"nodes":           "servers of the array as `EX01:15.1.2507.6,EX13:15.0.1497.48`, Exchange 2013 to SE; `-api` behind a build takes the REST directory away; the preset's",
	"era":             "year from 2016 to 2026 whose error bodies, headers and texts Graph of today has; the preset's",
	"move.lag":        "how long Autodiscover answers as before a move (inferred): a duration; `0s`, and `30s` with the quirk `autod.stale`",
	"volatile":        "properties that a side answers with another text every time, as `cloud:jobTitle,both:companyName`, or with a text of its own, as `cloud:jobTitle=steady`: noise, and a difference, to tell apart; none",
	"unknown.select":  "`refuse` or `ignore`: on-prem answer to an unknown `$select` name (inferred); `refuse`",
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
