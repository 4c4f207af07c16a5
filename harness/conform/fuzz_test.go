package conform_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/result"

	"github.com/google/go-cmp/cmp"
)

// FuzzMirror checks that what is found from the left is found from the right, under the mirrored name.
func FuzzMirror(f *testing.F) {
	for _, row := range loadCases(f) {
		f.Add([]byte(row.Left), []byte(row.Right))
	}
	f.Fuzz(func(t *testing.T, left, right []byte) {
		there := compareOne(conform.Options{}, "GET /me/messages", string(left), string(right))
		back := compareOne(conform.Options{}, "GET /me/messages", string(right), string(left))
		want, got := map[string]bool{}, map[string]bool{}
		for _, found := range there.Findings {
			id := found.ID
			if m, ok := mirrored[id]; ok {
				id = m
			}
			want[id] = true
		}
		for _, found := range back.Findings {
			got[found.ID] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s against %s (-mirrored +got)\n%s", left, right, diff)
		}
	})
}

// FuzzShuffle checks that the order of a set means nothing: of recipients, categories and attendees, with
// repetitions, as the bytes say.
func FuzzShuffle(f *testing.F) {
	f.Add([]byte("abc"), uint64(1))
	f.Add([]byte("aabbc\x00zz"), uint64(7))
	f.Fuzz(func(t *testing.T, names []byte, seed uint64) {
		if len(names) > 200 {
			return
		}
		left := sets(names)
		names = slices.Clone(names) // what the fuzzer gives is not to be changed
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, found := range compareOne(conform.Options{}, "GET /me/events/{id}", left, sets(names)).Findings {
			if found.Class == result.Breaking {
				t.Fatalf("a shuffled set differs: %s\n%s\n%s", line(found), left, sets(names))
			}
		}
	})
}

// sets is an event whose sets have a member for each byte.
func sets(names []byte) string {
	var attendees, categories []string
	for _, c := range names {
		name := string(rune('a'+c%26)) + string(rune('a'+c/26))
		attendees = append(attendees, `{"type":"required","emailAddress":{"address":"`+name+`@x.test","name":"`+name+`"}}`)
		categories = append(categories, `"`+name+`"`)
	}
	return `{"attendees":[` + strings.Join(attendees, ",") + `],"categories":[` + strings.Join(categories, ",") + `]}`
}

// FuzzMemory checks that no two bodies cost more memory than in proportion to their size.
func FuzzMemory(f *testing.F) {
	for _, row := range loadCases(f) {
		f.Add([]byte(row.Left), []byte(row.Right), uint16(1))
	}
	f.Add([]byte(`{"value":[{"subject":"a"},`), []byte(`{"value":[{"subject":"b"},`), uint16(400))
	f.Fuzz(func(t *testing.T, left, right []byte, times uint16) {
		n := int(times%512) + 1
		if len(left)+len(right) > 4096 {
			return
		}
		l, r := strings.Repeat(string(left), n), strings.Repeat(string(right), n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		compareOne(conform.Options{}, "GET /me/messages", l, r)
		runtime.ReadMemStats(&after)
		// 4 MB for a new Comparer and its maps; 1 KB a byte for the tree, the alignment and what is found.
		if used, most := after.TotalAlloc-before.TotalAlloc, uint64(4<<20+1024*(len(l)+len(r))); used > most {
			t.Fatalf("%d bytes and %d bytes took %d bytes of memory, more than %d", len(l), len(r), used, most)
		}
	})
}

// TestIdentitiesOfManySortsAndMailboxesAreJudgedApart checks the bijection for each sort and each mailbox pair.
func TestIdentitiesOfManySortsAndMailboxesAreJudgedApart(t *testing.T) {
	for _, row := range []struct {
		name                 string
		pairs                [][3]string // mailbox, left body, right body
		matched, split, merg uint64
	}{
		{"it matches one id with one", [][3]string{{"a", `{"id":"1"}`, `{"id":"x"}`}, {"a", `{"id":"1"}`, `{"id":"x"}`}}, 1, 0, 0},
		{"it splits one id that is two", [][3]string{{"a", `{"id":"1"}`, `{"id":"x"}`}, {"a", `{"id":"1"}`, `{"id":"y"}`}}, 0, 1, 0},
		{"it merges two ids that are one", [][3]string{{"a", `{"id":"1"}`, `{"id":"x"}`}, {"a", `{"id":"2"}`, `{"id":"x"}`}}, 0, 0, 1},
		{"it keeps mailboxes apart", [][3]string{{"a", `{"id":"1"}`, `{"id":"x"}`}, {"b", `{"id":"1"}`, `{"id":"y"}`}}, 2, 0, 0},
		{"it takes ids that differ by case for two", [][3]string{{"a", `{"id":"Aa"}`, `{"id":"x"}`}, {"a", `{"id":"AA"}`, `{"id":"X"}`}}, 2, 0, 0},
		{"it judges folders and conversations too", [][3]string{
			{"a", `{"id":"1","parentFolderId":"f","conversationId":"c"}`, `{"id":"x","parentFolderId":"g","conversationId":"d"}`},
			{"a", `{"id":"2","parentFolderId":"f","conversationId":"c"}`, `{"id":"y","parentFolderId":"g","conversationId":"e"}`}}, 3, 1, 0},
	} {
		c := conform.New(conform.Options{})
		for i, p := range row.pairs {
			c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(i), Mailbox: p[0], Left: answer(p[1]), Right: answer(p[2])})
		}
		got := c.Report().Identities
		if want := (result.Identities{Matched: row.matched, Split: row.split, Merged: row.merg}); got != want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, want)
		}
	}
}

// TestTheTwinsOwnAddressesAreAnIdentity checks that a twin's two addresses mean the same mailbox in every
// property, and nobody else's do.
func TestTheTwinsOwnAddressesAreAnIdentity(t *testing.T) {
	o := conform.Options{Identities: [][2]string{{"ann@a.test", "ann@b.test"}}, Left: canon.Graph(), Right: canon.Graph()}
	body := func(address string) string {
		return `{"from":{"emailAddress":{"address":"` + address + `"}},"body":{"contentType":"html","content":"<p>Write to ` + address + `</p>"},"bodyPreview":"Write to ` + address + `"}`
	}
	if found := compareOne(o, "GET /me/messages/{id}", body("Ann@a.test"), body("ann@b.test")).Findings; len(found) > 0 {
		t.Errorf("the twin's own addresses differ: %v", lines(found))
	}
	if found := compareOne(o, "GET /me/messages/{id}", body("bob@a.test"), body("bob@b.test")).Findings; len(found) != 3 {
		t.Errorf("somebody else's addresses: %v", lines(found))
	}
}
