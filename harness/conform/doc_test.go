package conform_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"cutover/harness/conform"
	"cutover/harness/result"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

const rulesDoc = "../../docs/rules.md"

// document is docs/rules.md: what every finding means.
func document() string {
	var b strings.Builder
	b.WriteString(`# Rules: every difference that cutover can name

This file is made from the rules themselves (` + "`go test ./harness/conform -run TestRulesDoc -update`" + `); ` + "`cutover explain ID`" + ` prints one of them.

A finding has the id of the rule that explains it, a place (a JSON pointer into the canonical answer, with ` + "`*`" + ` for every element of
a list), a count of pairs, a share of the compared pairs of its step, an attribution (which side breaks its contract), and an example: the pair
of the lowest arrival. Its fingerprint is made of rule, endpoint and place alone and stays the same over runs.

| class | what it asks of an application |
|---|---|
| breaking | client code must change |
| capability | one side does not offer it |
| timing | only latency or limits differ |
| adapter | representation only: an adapter folds it away |

What counts as equal: names and enum members of Outlook REST in another case, the renamed ` + "`MobilePhone1`" + `, ids (compared as a bijection over the whole run, never by
value), the twins' own addresses, moments in another spelling, zones under their Windows and IANA names, texts but for line ends and normal form, HTML but for its markup, base64
alphabets, members and sets in another order. Each of these is tallied once a place as adapter, so that nothing is swallowed.

A property that the on-premises model of 2016 lacks (` + "`flag`, `internetMessageId`, `locations`" + ` …) is left out of ` + "`$select`" + ` and of bodies on a rest path and reported as
` + "`props.absent`" + `; a filter or order by it cannot be said there, and the step is *not comparable*. Pairs of which a side was throttled, timed out or answered 502, 503 or 504 are not
compared either: they say nothing about conformance.

A suite overlooks a difference with a rule of its own (` + "`compare: [{at: $.webLink, ignore: value, because: it names the server}]`" + `): the finding stays in the report, as info and with
the reason, and breaks nothing. ` + "`at`" + ` is a JSONPath ($.value[*].id, $..name) or a pointer with stars (/value/*/id); ` + "`ignore`" + ` is value, presence, order, type or all. The most specific rule wins.
`)
	for _, class := range result.Classes() {
		fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(string(class[:1]))+string(class[1:]))
		for _, r := range conform.Rules() {
			if r.Class == class {
				b.WriteString(section(r))
			}
		}
	}
	return b.String()
}

func section(r conform.RuleInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s. %s\n\n", r.ID, upper(r.Title), r.About)
	fmt.Fprintf(&b, "- severity %s, kind `%s`\n", r.Severity, r.Kind)
	if r.Left != "" || r.Right != "" {
		fmt.Fprintf(&b, "- on-premises `%s`, cloud `%s`\n", orDash(r.Left), orDash(r.Right))
	}
	if r.Remedy != "" {
		fmt.Fprintf(&b, "- remedy: %s\n", r.Remedy)
	}
	if r.Source != "" {
		fmt.Fprintf(&b, "- source: %s (%s)\n", r.Source, r.Certainty)
	} else if r.Ledger() {
		fmt.Fprintf(&b, "- certainty: %s\n", r.Certainty)
	}
	if r.Waiting != "" {
		fmt.Fprintf(&b, "- waiting for: %s\n", r.Waiting)
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func TestRulesDocIsCurrent(t *testing.T) {
	want := document()
	if *update {
		if err := os.WriteFile(rulesDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(rulesDoc)
	if err != nil || string(got) != want {
		t.Errorf("docs/rules.md is not current (%v): go test ./harness/conform -run TestRulesDoc -update", err)
	}
}

func TestEveryRuleSaysWhatItMeansAndWhatToDo(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	seen := map[string]bool{}
	ledger := 0
	for _, r := range conform.Rules() {
		if !id.MatchString(r.ID) || seen[r.ID] || r.Title == "" || r.About == "" || r.Kind == "" {
			t.Errorf("rule %+v is not complete, or there twice", r)
		}
		seen[r.ID] = true
		if r.Severity.Rank() < 0 || !strings.Contains("breaking adapter capability timing", string(r.Class)) {
			t.Errorf("rule %s: severity %q, class %q", r.ID, r.Severity, r.Class)
		}
		switch r.Certainty {
		case "own", "documented", "captured", "client code", "inferred":
		default:
			t.Errorf("rule %s: certainty %q", r.ID, r.Certainty)
		}
		if r.Remedy == "" {
			t.Errorf("rule %s has no remedy", r.ID)
		}
		if r.Ledger() {
			ledger++
		}
		if got, ok := conform.Explain(r.ID); !ok || got != r {
			t.Errorf("rule %s cannot be explained", r.ID)
		}
	}
	if _, ok := conform.Explain("nothing"); ok {
		t.Error("a rule that does not exist is explained")
	}
	if ledger < 58 {
		t.Errorf("%d rows of the ledger, want its 58 and more", ledger)
	}
}
