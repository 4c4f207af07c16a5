package clean_test

import (
	"testing"
	"time"

	"cutover/harness/clean"
	"cutover/harness/clock"
	"cutover/harness/journal"

	"github.com/google/go-cmp/cmp"
)

const oldTag, freshTag = "cutover-20260301T020000Z-mail-write", "cutover-20260310T020000Z-mail-write"

// fixed is a clock that stands still, for somebody who does not wait.
type fixed struct{ patient }

func (fixed) Now() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

func TestASweepTellsTaggedFromAlike(t *testing.T) {
	d := deploy(t, &server{boxes: map[string][]*thing{
		"ann@b.test": {
			{sort: "message", id: "old-1", subject: oldTag + " hello"}, {sort: "contact", id: "old-2", category: oldTag}, {sort: "event", id: "fresh", category: freshTag},
			{sort: "message", id: "theirs-1", subject: "RE: " + oldTag}, {sort: "message", id: "theirs-2", category: oldTag + " and more"},
			{sort: "message", id: "theirs-3", subject: "cutover-20269901T020000Z-no-date"}, {sort: "event", id: "theirs-4", subject: "CUTOVER-20260301T020000Z-x"},
		},
	}}, nil)
	d.deps.Clock = fixed{patient{clock.System()}}
	found, err := clean.Find(t.Context(), []string{"cloud"}, 24*time.Hour, d.deps)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	want := []clean.Leftover{
		{Path: "cloud", Mailbox: "ann", Sort: "contact", ID: "old-2", Tag: oldTag, Made: began},
		{Path: "cloud", Mailbox: "ann", Sort: "message", ID: "old-1", Tag: oldTag, Made: began},
		{Path: "cloud", Mailbox: "ann", Sort: "event", ID: "fresh", Tag: freshTag, Made: began.AddDate(0, 0, 9), Leased: true},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Fatalf("found (-want +got):\n%s", diff)
	}
	entries, err := clean.Entries(found, d.deps)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v: what is leased is not removed", len(entries), err)
	}
	mine := d.deps.Journal.(*journal.Journal)
	if !mine.Mine("cloud", "old-1") || mine.Mine("cloud", "fresh") || mine.Mine("cloud", "theirs-1") {
		t.Error("the journal does not say what may be deleted")
	}
}

func TestCountingChangesNothing(t *testing.T) {
	s := &server{boxes: map[string][]*thing{"ann@b.test": {{sort: "message", id: "1", category: tag}, {sort: "message", id: "2", subject: tag + " x"}, {sort: "contact", id: "3", category: tag}, {sort: "message", id: "theirs"}}}}
	d := deploy(t, s, nil)
	entries := []journal.Entry{{Path: "cloud", Mailbox: "ann", Sort: "message", Tag: tag}, {Path: "cloud", Mailbox: "ann", Sort: "message", Tag: tag}, {Path: "cloud", Mailbox: "ann", Sort: "contact", Tag: tag}}
	got, err := clean.Count(t.Context(), "cloud", "ann", entries, d.deps)
	if diff := cmp.Diff(map[string]int{"message": 2, "contact": 1}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if left := s.left("ann@b.test"); len(left) != 4 {
		t.Errorf("left %q", left)
	}
	if _, err := clean.Count(t.Context(), "nowhere", "ann", entries, d.deps); err == nil {
		t.Error("a path that does not exist was counted on")
	}
}
