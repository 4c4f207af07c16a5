package audit

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

func TestALineIsSpeltAsVerifySpellsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"", "cloud", "POST /me/messages/{id} <&>", `a "b" \c`, "x\ny\x00", "Grüße, 世界", "\xff", "\u2028"}
	text := func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }
	for range 2000 {
		e := Event{At: time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC(), Path: text(), Kind: text(), Mailbox: text(), Method: text(), Template: text(),
			Writes: r.IntN(2) == 0, Status: r.IntN(3) * 201, Outcome: text(), Rule: text(), RequestID: text(), Reads: r.Uint64N(2) * r.Uint64()}
		want, err := json.Marshal(line{Event: &e})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendEvent(nil, &e)) + closing; got != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func TestARecordedWriteTakesNoAllocation(t *testing.T) {
	trail, err := Create(filepath.Join(t.TempDir(), "audit.jsonl"), []byte("key"), Start{})
	if err != nil {
		t.Fatal(err)
	}
	defer trail.Close()
	e := Event{At: time.Unix(1, 0).UTC(), Path: "cloud", Kind: "steps", Method: "POST", Template: "POST /me/messages", Writes: true, Status: 201}
	if got := testing.AllocsPerRun(100, func() { err = trail.Record(e) }); got > 0 || err != nil {
		t.Errorf("%v allocations, %v", got, err)
	}
}
