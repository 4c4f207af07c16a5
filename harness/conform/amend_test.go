package conform_test

import (
	"strings"
	"testing"

	"cutover/harness/conform"
	"cutover/harness/result"

	"github.com/google/go-cmp/cmp"
)

func TestAFileOfWaiversHoldsOneForAFinding(t *testing.T) {
	f := result.Finding{ID: "value.string", Fingerprint: "0123456789abcdef", Scenario: "inbox", Step: "list", Pointer: "/subject"}
	const draft = "  # value.string: another text\n  - finding: 0123456789abcdef\n    reason: new\n    owner: ops\n    expires: 2027-06-30\n"
	const other = "  # kept\n  - finding: ffffffffffffffff\n    reason: r\n    owner: o\n    expires: 2027-01-31\n"
	const old = "  # value.string: another text\n  - finding: 0123456789abcdef\n    reason: old\n    owner: o\n    expires: 2027-01-31\n"
	for _, c := range []struct{ name, have, want, told string }{
		{"it begins a file", "", "waivers:\n" + draft, ""},
		{"it appends to others", "waivers:\n" + other, "waivers:\n" + other + draft, ""},
		{"it replaces its own", "waivers:\n" + old, "waivers:\n" + draft, ", in place of the one until 2027-01-31"},
		{"it replaces the first of several", "waivers:\n" + old + "\n" + other, "waivers:\n\n" + other + draft, ", in place of the one until 2027-01-31"},
		{"it replaces the last of several", "# head\nwaivers:\n" + other + old, "# head\nwaivers:\n" + other + draft, ", in place of the one until 2027-01-31"},
		{"it replaces one in braces", "waivers:\n  - {finding: 0123456789abcdef, reason: a, owner: b, expires: 2027-01-31}\n" + other, "waivers:\n" + other + draft, ", in place of the one until 2027-01-31"},
		{"it leaves a wider one and says so", "waivers:\n  - {finding: value.string, reason: a, owner: b, expires: 2027-01-31}\n",
			"waivers:\n  - {finding: value.string, reason: a, owner: b, expires: 2027-01-31}\n" + draft, " (line 2 of it already covers value.string until 2027-01-31)"},
		{"it does not mention one that has expired", "waivers:\n  - {finding: value.string, reason: a, owner: b, expires: 2026-01-31}\n",
			"waivers:\n  - {finding: value.string, reason: a, owner: b, expires: 2026-01-31}\n" + draft, ""},
	} {
		got, told, err := conform.Amend("w.yaml", []byte(c.have), f, draft, day("2026-12-01"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" || told != c.told {
			t.Errorf("%s: told %q, want %q (-want +got)\n%s", c.name, told, c.told, diff)
		}
		if w, err := conform.ParseWaivers("w.yaml", got); err != nil || len(w.Waivers) != strings.Count(c.want, "finding:") {
			t.Errorf("%s: %v, %+v", c.name, err, w)
		}
	}
	_, _, err := conform.Amend("w.yaml", []byte("waivers: [{finding: 0123456789abcdef, reason: a, owner: b, expires: 2027-01-31}]\n"), f, draft, day("2026-12-01"))
	if err == nil || !strings.Contains(err.Error(), "w.yaml:1:11: this waiver is of the same finding") {
		t.Errorf("a list in one line: %v", err)
	}
}
