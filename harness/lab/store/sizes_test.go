package store_test

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/lab/store"
)

func TestMailboxesHaveTheSizesTheyAreToldInTurn(t *testing.T) {
	s := store.New(store.Config{Seed: 2, Pairs: 4, Items: []int{1000, 10_000, 100_000}})
	var got [][2]int
	for _, p := range s.Pairs() {
		on, err := p.OnPrem.Messages(0, store.MessageQuery{Top: 1})
		if err != nil {
			t.Fatal(err)
		}
		cloud, err := p.Cloud.Messages(0, store.MessageQuery{Skip: on.Total - 1})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, [2]int{on.Total, cloud.Total})
		if len(cloud.Items) != 1 || cloud.Items[0].Subject == "" {
			t.Errorf("%s: the last message of %d is %v", p.Name, cloud.Total, cloud.Items)
		}
	}
	if diff := cmp.Diff([][2]int{{1000, 1000}, {10_000, 10_000}, {100_000, 100_000}, {1000, 1000}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheZipfShapeFillsSixtyFoldersUnevenly(t *testing.T) {
	s := store.New(store.Config{Seed: 2, Pairs: 1, Items: []int{20_000}, Zipf: true})
	shape := func(m *store.Mailbox) map[string]int {
		out := map[string]int{}
		var walk func(store.Key)
		walk = func(parent store.Key) {
			list, err := m.Folders(parent, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				if f.Total > 0 {
					out[f.Name] = f.Total
				}
				walk(f.Key)
			}
		}
		walk(store.RootFolder)
		return out
	}
	got := shape(s.Pairs()[0].Cloud)
	if diff := cmp.Diff(shape(s.Pairs()[0].OnPrem), got); diff != "" {
		t.Errorf("the twins differ: %s", diff)
	}
	if len(got) != 60 {
		t.Errorf("%d folders with mail, want 60: %v", len(got), got)
	}
	for name, share := range map[string]int{"Inbox": 8, "Sent Items": 25, "Archive": 30} {
		if n := got[name] * 100 / 20_000; n < share-1 || n > share+1 {
			t.Errorf("%s has %d %%, want %d %%", name, n, share)
		}
	}
	if first, second := got["Deleted Items"], got["Projects"]; first < second*3/2 || second < 20*got["Dossier 54"] {
		t.Errorf("not Zipf: %d, %d, …, %d", first, second, got["Dossier 54"])
	}
}

// A hundred mailboxes of 100,000 messages are 10 million that nobody touched.
func TestAnUntouchedMailboxCostsNothingWhateverItsSize(t *testing.T) {
	measure := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := measure()
	s := store.New(store.Config{Pairs: 50, Items: []int{100_000}, Zipf: true})
	untouched := measure() - before
	if _, err := s.Pairs()[0].Cloud.Messages(store.InboxFolder, store.MessageQuery{Top: 25}); err != nil {
		t.Fatal(err)
	}
	touched := measure() - before - untouched
	t.Logf("50 pairs untouched: %d KiB; one mailbox touched: %d KiB more", untouched>>10, touched>>10)
	if untouched > 4<<20 || touched > 16<<20 {
		t.Errorf("untouched %d bytes, want under 4 MiB; one touched %d more, want under 16 MiB", untouched, touched)
	}
	runtime.KeepAlive(s)
}
