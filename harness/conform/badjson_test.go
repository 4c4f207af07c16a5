package conform_test

import (
	"strings"
	"testing"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

// TestBadJSONIsHeldAgainstTheSideThatSentIt sends each thing that JSON must not have from the left, from the
// right and from both.
func TestBadJSONIsHeldAgainstTheSideThatSentIt(t *testing.T) {
	const fine = `{"subject":"a"}`
	declared := wire.Header{{Name: "Content-Type", Value: "application/json"}}
	for _, c := range []struct{ name, body, id, says string }{
		{"it names what is no JSON", `{"subject":"a"`, "body.malformed", "body.malformed: ends inside an object"},
		{"it names a body that is white space", ` `, "body.malformed", "body.empty"},
		{"it names bytes behind the value", `{"subject":"a"}{}`, "body.malformed", "body.trailing: 2 bytes after the value"},
		{"it names a byte order mark", "\xef\xbb\xbf" + fine, "body.malformed", "body.malformed: starts with a byte order mark"},
		{"it names a body that is nested too deep", strings.Repeat("[", 513) + strings.Repeat("]", 513), "body.malformed", "body.depth: deeper than 512"},
		{"it names a body that is too large", `{"subject":"a","body":"` + strings.Repeat("x", canon.MaxBytes) + `"}`, "body.too-large", "body.too-large: 8388633 bytes"},
		{"it names a name that stands twice", `{"subject":"a","subject":"a"}`, "key.duplicate-name", "key.duplicate-name: subject"},
		{"it names bytes that are not UTF-8", "{\"subject\":\"a\",\"x\":\"\xff\"}", "body.encoding", "body.utf8"},
		{"it names the first half of a surrogate pair", `{"subject":"a","x":"\ud83d"}`, "body.encoding", "body.surrogate"},
		{"it names the second half of a surrogate pair", `{"subject":"a","x":"\ude00!"}`, "body.encoding", "body.surrogate"},
	} {
		for side, pair := range map[string][2]string{"left": {c.body, fine}, "right": {fine, c.body}, "both": {c.body, c.body}} {
			says := map[bool]string{true: c.says, false: "well-formed"}
			want := c.id + " : " + says[side != "right"] + " → " + says[side != "left"] + " by " + side
			comparer := conform.New(conform.Options{ShowValues: true})
			p := conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Left: answer(pair[0]), Right: answer(pair[1])}
			p.Left.Header, p.Right.Header = declared, declared
			comparer.Compare(p)
			var got []string
			for _, l := range lines(comparer.Report().Findings) {
				if !strings.HasPrefix(l, "field.") { // the member that carries the bad text
					got = append(got, l)
				}
			}
			if diff := cmp.Diff([]string{want}, got); diff != "" {
				t.Errorf("%s (%s) (-want +got)\n%s", c.name, side, diff)
			}
		}
	}
}

// TestNamesThatFoldToOneAreHeldAgainstTheirSide needs a dialect that folds names.
func TestNamesThatFoldToOneAreHeldAgainstTheirSide(t *testing.T) {
	const twice, once = `{"Subject":"a","subject":"a"}`, `{"subject":"a"}`
	for side, o := range map[string]conform.Options{
		"left": {Left: canon.Rest("v2.0"), Right: canon.Graph()}, "right": {Left: canon.Graph(), Right: canon.Rest("v2.0")},
	} {
		l, r := twice, once
		want := "key.collision : key.collision: subject → well-formed by left"
		if side == "right" {
			l, r, want = once, twice, "key.collision : well-formed → key.collision: subject by right"
		}
		if got := lines(compareOne(o, "GET /me/messages/{id}", l, r).Findings); len(got) == 0 || got[0] != want {
			t.Errorf("%s: findings %q, want %q first", side, got, want)
		}
	}
}
