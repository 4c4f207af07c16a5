package conform_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/request"
	"cutover/harness/result"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

func answer(body string) conform.Answer { return conform.Answer{Status: 200, Body: []byte(body)} }

func compareOne(o conform.Options, endpoint, left, right string) conform.Report {
	o.Key = []byte("test")
	c := conform.New(o)
	c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: endpoint, Mailbox: "ann", Left: answer(left), Right: answer(right)})
	return c.Report()
}

func TestEveryCaseComparedWithItselfIsEqual(t *testing.T) {
	for _, row := range loadCases(t) {
		for _, left := range []bool{true, false} {
			o := row.options()
			p := row.pair()
			if left {
				o.Right, p.Right = o.Left, p.Left
			} else {
				o.Left, p.Left = o.Right, p.Right
			}
			p.Refs, o.Identities = nil, nil
			c := conform.New(o)
			c.Compare(p)
			for _, f := range c.Report().Findings {
				switch {
				case f.Attribution == "both", f.Kind == "identity.etag", f.ID == "identity.split", f.ID == "identity.merge":
				case f.ID == "link.root-escape" && f.Attribution == "both":
				default:
					t.Errorf("%s: an answer differs from itself: %s", row.Name, line(f))
				}
			}
		}
	}
}

// mirrored are the rules that have one name seen from the left and another seen from the right.
var mirrored = map[string]string{
	"field.missing": "field.extra", "field.extra": "field.missing", "item.missing": "item.extra", "item.extra": "item.missing",
	"identity.split": "identity.merge", "identity.merge": "identity.split",
}

func TestEveryCaseMirrorsItself(t *testing.T) {
	for _, row := range loadCases(t) {
		o, p := row.options(), row.pair()
		forward := conform.New(o)
		forward.Compare(p)
		o.Left, o.Right = o.Right, o.Left
		for i, pair := range o.Identities {
			o.Identities[i] = [2]string{pair[1], pair[0]}
		}
		p.Left, p.Right = p.Right, p.Left
		for i, r := range p.Refs {
			p.Refs[i] = conform.Ref{Left: r.Right, Right: r.Left}
		}
		backward := conform.New(o)
		backward.Compare(p)
		want, got := map[string]bool{}, map[string]bool{}
		for _, f := range forward.Report().Findings {
			id := f.ID
			if m, ok := mirrored[id]; ok {
				id = m
			}
			want[id+" "+f.Pointer] = true
		}
		for _, f := range backward.Report().Findings {
			got[f.ID+" "+f.Pointer] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: seen from the other side (-mirrored +got)\n%s", row.Name, diff)
		}
	}
}

// manyPairs are the cases, each with its own step, at many arrivals and mailboxes.
func manyPairs(t testing.TB) []conform.Pair {
	var pairs []conform.Pair
	for i, row := range loadCases(t) {
		if row.Dialects != "" || row.Identities != nil || row.Stores != "" || row.Content != "" {
			continue
		}
		for n := range 4 {
			p := row.pair()
			p.Step, p.Arrival, p.Mailbox = fmt.Sprintf("step-%03d", i), uint64(n*1000+i), fmt.Sprintf("box-%d", n)
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func TestTheOrderOfPairsDoesNotMatter(t *testing.T) {
	pairs := manyPairs(t)
	run := func(order []int, parallel int) conform.Report {
		c := conform.New(conform.Options{Key: []byte("k"), ShowValues: true})
		var wait sync.WaitGroup
		next := make(chan int)
		for range parallel {
			wait.Go(func() {
				for i := range next {
					c.Compare(pairs[i])
				}
			})
		}
		for _, i := range order {
			next <- i
		}
		close(next)
		wait.Wait()
		return c.Report()
	}
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	want := run(order, 1)
	if len(want.Findings) < 100 {
		t.Fatalf("only %d findings: nothing is shown", len(want.Findings))
	}
	for seed := range uint64(3) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		got := run(order, 4)
		want.Rules, got.Rules = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order gives another report (-want +got)\n%s", diff)
		}
	}
}

func TestShufflingASetChangesNothingThatBreaks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var people []string
		for i := range 2 + r.IntN(12) {
			people = append(people, fmt.Sprintf(`{"emailAddress":{"name":"P%d","address":"p%d@x.test"}}`, i, i))
		}
		left := `{"toRecipients":[` + strings.Join(people, ",") + `]}`
		r.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		for _, f := range compareOne(conform.Options{}, "GET /me/messages/{id}", left, `{"toRecipients":[`+strings.Join(people, ",")+`]}`).Findings {
			if f.Class == result.Breaking {
				t.Fatalf("a shuffled set differs: %s", line(f))
			}
		}
	}
}

func TestFindingsCountPairsAndKeepTheEarliestExample(t *testing.T) {
	c := conform.New(conform.Options{ShowValues: true})
	for i, right := range []string{"a", "b", "c", "a"} {
		c.Compare(conform.Pair{
			Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(10 - i), Mailbox: "m",
			Left:  conform.Answer{Status: 200, Body: []byte(`{"subject":"a"}`), Header: wire.Header{{Name: "request-id", Value: "L" + right}}},
			Right: conform.Answer{Status: 200, Body: []byte(`{"subject":"` + right + `"}`), Header: wire.Header{{Name: "request-id", Value: "R" + right}}},
		})
	}
	report := c.Report()
	want := result.Finding{
		ID: "value.string", Title: "another text", Kind: "string.value", Severity: result.Major, Class: result.Breaking, Scenario: "s", Step: "t",
		Endpoint: "GET /me/messages/{id}", Pointer: "/subject", Left: `"a"`, Right: `"c"`, Count: 2, Share: 0.5, Attribution: "neither", Remedy: "Look at both values.",
		Fingerprint: report.Findings[0].Fingerprint,
		Example:     &result.Example{Arrival: 8, Mailbox: "m", LeftStatus: 200, RightStatus: 200, LeftRequestID: "Lc", RightRequestID: "Rc"},
		ShareLow:    report.Findings[0].ShareLow, ShareHigh: report.Findings[0].ShareHigh, // result.Wilson's
	}
	if diff := cmp.Diff([]result.Finding{want}, report.Findings); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(result.Comparison{Pairs: 4, Compared: 4, Equal: 2, Identical: 2, Different: 2, AtMost: result.AtMost(2, 4)}, report.Comparison); diff != "" {
		t.Errorf("comparison (-want +got)\n%s", diff)
	}
	if got := report.Findings[0].Fingerprint; got != "4a98c2e3c0a9e5b1" && len(got) != 16 {
		t.Errorf("fingerprint %q is not 16 digits", got)
	}
}

func TestFingerprintsDependOnThePlaceAlone(t *testing.T) {
	a := compareOne(conform.Options{}, "GET /me/messages/{id}", `{"subject":"a"}`, `{"subject":"b"}`).Findings[0]
	b := compareOne(conform.Options{ShowValues: true}, "GET /me/messages/{id}", `{"subject":"x"}`, `{"subject":"y"}`).Findings[0]
	c := compareOne(conform.Options{}, "GET /me/events/{id}", `{"subject":"a"}`, `{"subject":"b"}`).Findings[0]
	if a.Fingerprint != b.Fingerprint || a.Fingerprint == c.Fingerprint {
		t.Errorf("fingerprints %s, %s, %s: want the first two equal and the third another", a.Fingerprint, b.Fingerprint, c.Fingerprint)
	}
}

func TestWhatIsNotComparedIsCountedApart(t *testing.T) {
	c := conform.New(conform.Options{})
	c.NotComparable("s", "delta", "Outlook REST: there is no delta function")
	c.Skip("sampled out", 7)
	c.Compare(conform.Pair{Scenario: "s", Step: "a", Diverged: true, Left: answer(`{"subject":"a"}`), Right: answer(`{"subject":"b"}`)})
	c.Compare(conform.Pair{Scenario: "s", Step: "b", OwnWords: true, Left: answer(`<x/>`), Right: answer(`{"subject":"b"}`)})
	c.Compare(conform.Pair{Scenario: "s", Step: "c", Left: conform.Answer{Failure: &wire.Failure{Kind: wire.Timeout}}, Right: answer(`{}`)})
	c.Compare(conform.Pair{Scenario: "s", Step: "d", Left: conform.Answer{Status: 200, Body: []byte(`{`), Truncated: true}, Right: answer(`{}`)})
	got := c.Report().Comparison
	want := result.Comparison{
		Pairs: 11, AtMost: 1, Skipped: map[string]uint64{"sampled out": 7, "diverged mailbox": 1, "own words": 1, "left timeout": 1, "body too large": 1},
		NotComp: []string{"s/delta: Outlook REST: there is no delta function"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comparison (-want +got)\n%s", diff)
	}
}

func TestStepsThatFollowUnpairedItemsAreNotComparable(t *testing.T) {
	c := conform.New(conform.Options{})
	list := conform.Pair{Scenario: "s", Step: "list", Endpoint: "GET /me/messages", Mailbox: "m",
		Left:  answer(`{"value":[{"id":"L1","subject":"a"},{"id":"L2","subject":"b"}]}`),
		Right: answer(`{"value":[{"id":"R2","subject":"b"},{"id":"R1","subject":"a"}]}`)}
	read := conform.Pair{Scenario: "s", Step: "read", Endpoint: "GET /me/messages/{id}", Mailbox: "m", Refs: []conform.Ref{{Left: "L1", Right: "R2"}},
		Left: answer(`{"id":"L1","subject":"a"}`), Right: answer(`{"id":"R2","subject":"b"}`)}
	true1 := read
	true1.Step, true1.Refs, true1.Right = "reread", []conform.Ref{{Left: "L1", Right: "R1"}}, answer(`{"id":"R1","subject":"A"}`)
	c.Compare(read) // before the list that tells which item is which
	c.Compare(true1)
	c.Compare(list)
	report := c.Report()
	var got []string
	for _, f := range report.Findings {
		got = append(got, f.Step+" "+f.ID)
	}
	if diff := cmp.Diff([]string{"reread value.string", "list order.moved"}, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	if n := report.Comparison.Skipped["captures name different items"]; n != 1 {
		t.Errorf("%d pairs were not comparable, want 1", n)
	}
	if report.Identities != (result.Identities{Matched: 2}) {
		t.Errorf("identities %+v, want 2 matched", report.Identities)
	}
}

func TestIdentitiesAreJudgedOverTheWholeRun(t *testing.T) {
	c := conform.New(conform.Options{})
	send := func(step string, arrival uint64, mailbox, left, right string) {
		c.Compare(conform.Pair{Scenario: "s", Step: step, Endpoint: "GET /me/messages/{id}", Arrival: arrival, Mailbox: mailbox,
			Left: answer(`{"subject":"a","parentFolderId":"` + left + `"}`), Right: answer(`{"subject":"a","parentFolderId":"` + right + `"}`)})
	}
	for i := range uint64(5) {
		send("one", i, "ann", "F1", "X1")
		send("one", i, "ben", "F1", "Y1") // another mailbox: another thing
	}
	send("two", 9, "ann", "F1", "X2")
	report := c.Report()
	if report.Identities != (result.Identities{Matched: 1, Split: 1}) {
		t.Errorf("identities %+v, want 1 matched and 1 split", report.Identities)
	}
	if len(report.Findings) != 1 || report.Findings[0].ID != "identity.split" || report.Findings[0].Step != "two" {
		t.Errorf("findings %v, want the split where it was seen", lines(report.Findings))
	}
}

func TestAnItemThatChangesUnderOneVersionIsFound(t *testing.T) {
	c := conform.New(conform.Options{})
	send := func(arrival uint64, leftRead, rightRead bool, leftKey, rightKey string) {
		c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: arrival, Mailbox: "m",
			Left:  answer(fmt.Sprintf(`{"id":"L","changeKey":%q,"isRead":%v}`, leftKey, leftRead)),
			Right: answer(fmt.Sprintf(`{"id":"R","changeKey":%q,"isRead":%v}`, rightKey, rightRead))})
	}
	send(1, false, false, "A", "X")
	send(2, true, true, "B", "X")
	want := []string{"version.pattern : version follows content → same version, other content by right"}
	if diff := cmp.Diff(want, lines(c.Report().Findings)); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestRulesCountTheirHits(t *testing.T) {
	var row caseRow
	for _, r := range loadCases(t) {
		if r.Name == "reaches every element with a star" {
			row = r
		}
	}
	c := conform.New(row.options())
	c.Compare(row.pair())
	c.Compare(row.pair())
	rules := c.Report().Rules
	if len(rules) != 1 || rules[0].Hits != 4 {
		t.Errorf("rules %+v, want one with 4 hits", rules)
	}
}

func TestNothingOfAMailboxIsShownWithoutLeave(t *testing.T) {
	const secret = "Project Nightfall"
	for _, row := range loadCases(t) {
		body := func(s string) []byte {
			return []byte(strings.NewReplacer(`:"a"`, `:"`+secret+`"`, `:"b"`, `:"`+secret+` two"`, "Hello", secret).Replace(s))
		}
		o, p := row.options(), row.pair()
		o.ShowValues = false
		p.Left.Body, p.Right.Body = body(row.Left), body(row.Right)
		c := conform.New(o)
		c.Compare(p)
		data, err := json.Marshal(c.Report().Findings)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "Nightfall") {
			t.Errorf("%s: the report shows content: %s", row.Name, data)
		}
	}
}

func TestPseudonymsKeepEqualityUnderOneKey(t *testing.T) {
	one := compareOne(conform.Options{}, "", `{"subject":"a"}`, `{"subject":"b"}`).Findings[0]
	two := compareOne(conform.Options{}, "", `{"subject":"b"}`, `{"subject":"c"}`).Findings[0]
	if one.Right != two.Left || one.Left == one.Right {
		t.Errorf("pseudonyms %q %q and %q %q: equal texts must look equal", one.Left, one.Right, two.Left, two.Right)
	}
	c := conform.New(conform.Options{})
	c.Compare(conform.Pair{Left: answer(`{"subject":"a"}`), Right: answer(`{"subject":"b"}`)})
	if other := c.Report().Findings[0]; other.Left == one.Left {
		t.Error("two keys give one pseudonym")
	}
}

// FuzzCompare checks that no two bodies make the comparer panic, that a body equals itself, and that
// a comparison mirrors itself.
func FuzzCompare(f *testing.F) {
	for _, row := range loadCases(f) {
		f.Add([]byte(row.Left), []byte(row.Right))
	}
	f.Fuzz(func(t *testing.T, left, right []byte) {
		for _, endpoint := range []string{"GET /me/messages", "GET /me/events/{id}"} {
			same := compareOne(conform.Options{}, endpoint, string(left), string(left))
			for _, finding := range same.Findings {
				if finding.Attribution != "both" && !slices.Contains([]string{"identity.split", "identity.merge", "identity.etag"}, finding.ID) {
					t.Fatalf("%s differs from itself: %s", left, line(finding))
				}
			}
			there := compareOne(conform.Options{}, endpoint, string(left), string(right))
			back := compareOne(conform.Options{}, endpoint, string(right), string(left))
			if len(there.Findings) == 0 != (len(back.Findings) == 0) {
				t.Fatalf("%s against %s: %v there, %v back", left, right, lines(there.Findings), lines(back.Findings))
			}
		}
	})
}

func TestASmallerLargestPageIsNoLoss(t *testing.T) {
	page := func(n int, name string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{%q:"s%d"}`, name, i)
		}
		return `{"@odata.nextLink":"https://h/next","value":[` + strings.Join(items, ",") + `]}`
	}
	c := conform.New(conform.Options{Left: canon.Rest("v2.0")})
	c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages", Left: answer(page(50, "Subject")), Right: answer(page(100, "subject"))})
	want := []string{"case.property /value/*: Subject → subject", "page.cap /value: 50 items → 100 items"}
	if diff := cmp.Diff(want, lines(c.Report().Findings)); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestADialectsNotesAreFindings(t *testing.T) {
	c := conform.New(conform.Options{})
	c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Left: answer(`{"subject":"a"}`), Right: answer(`{"subject":"a"}`),
		LeftNotes: []request.Note{{ID: "props.absent", Detail: "flag"}}, RightNotes: []request.Note{{ID: "props.absent", Detail: "flag"}}})
	want := []string{"props.absent : not offered: flag → offered"}
	if diff := cmp.Diff(want, lines(c.Report().Findings)); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestAStatusThatTheSuiteExpectsBreaksNothing(t *testing.T) {
	c := conform.New(conform.Options{})
	c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/mailboxSettings", Expected: true,
		Left: conform.Answer{Status: 404}, Right: conform.Answer{Status: 200, Body: []byte(`{}`)}})
	r := c.Report()
	want := []string{"status.class : 404 → 200 as info because the suite expects both statuses"}
	if diff := cmp.Diff(want, lines(r.Findings)); diff != "" || r.Comparison.Different != 0 {
		t.Errorf("%d different; findings (-want +got)\n%s", r.Comparison.Different, diff)
	}
}

func TestLargeObjectsAreComparedByNameInAnyOrder(t *testing.T) {
	var left, right []string
	for i := range 200 {
		left = append(left, fmt.Sprintf(`"name%03d":%d`, i, i))
		if i != 77 {
			right = append(right, fmt.Sprintf(`"name%03d":%d`, i, i))
		}
	}
	slices.Reverse(right)
	right = append(right, `"more":1`)
	got := lines(compareOne(conform.Options{ShowValues: true}, "GET /me/unknown", "{"+strings.Join(left, ",")+"}", "{"+strings.Join(right, ",")+"}").Findings)
	want := []string{"field.missing /name077: 77 → absent", "field.extra /more: absent → 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestLongListsWithOneKeyStayLinear(t *testing.T) {
	list := func(from int) string {
		var items []string
		for i := range 3000 {
			items = append(items, fmt.Sprintf(`{"id":"x%d","subject":"all the same","size":%d}`, i, from+i))
		}
		return `{"value":[` + strings.Join(items, ",") + `]}`
	}
	r := compareOne(conform.Options{}, "GET /me/messages", list(0), list(1))
	if n := r.Comparison.Different; n != 1 {
		t.Errorf("%d pairs differ, want 1", n)
	}
}
