package journal

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

// spelling is text of every kind: plain, quoted, HTML's, control characters, other
// scripts, and bytes that are no UTF-8.
var spelling = []string{"", "cloud", "https://graph.test/v1.0/me/messages?$top=5&x=<y>", `a "b" \c`, "line\nbreak\x00\x1f\x7f", "Grüße, 世界", "\xff\xfe", "\u2028\u2029", "AAMkAGI2+/="}

func TestALineIsSpeltAsTheStandardLibrarySpellsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string { return spelling[r.IntN(len(spelling))] + spelling[r.IntN(len(spelling))] }
	for range 2000 {
		e := Entry{Seq: r.Uint64(), Path: text(), Mailbox: text(), Sort: text(), ID: text(), Tag: text(), Tagged: r.IntN(2) == 0, Found: r.IntN(2) == 0, URL: text(), State: State(text())}
		if r.IntN(2) == 0 {
			e.At = time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC()
		}
		for range r.IntN(3) {
			e.To = append(e.To, text())
		}
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendLine([]byte("before"), &e); string(got) != "before"+string(want)+"\n" {
			t.Fatalf("got  %s\nwant %s", got[len("before"):], want)
		}
	}
}

func TestAPlainLineTakesNoAllocation(t *testing.T) {
	e := Entry{Seq: 1, At: time.Unix(1, 0).UTC(), Path: "cloud", Mailbox: "ann", Sort: "message", Tag: "run-1", URL: "https://graph.test/v1.0/me/messages", State: Intended}
	dst := make([]byte, 0, 1024)
	if got := testing.AllocsPerRun(100, func() { dst = appendLine(dst[:0], &e) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
