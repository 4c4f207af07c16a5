package store_test

import (
	"runtime"
	"testing"
	"time"

	"cutover/harness/lab/store"
)

func TestTenThousandMailboxesStartFastAndStaySmall(t *testing.T) {
	if testing.Short() {
		t.Skip("takes about 150 MiB")
	}
	began := time.Now()
	s := store.New(store.Config{Seed: 1, Pairs: 5000, Messages: 200})
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("10,000 mailboxes took %v to start, want < 2s", took)
	}
	s.Users(func(m *store.Mailbox) bool {
		if _, err := m.Messages(store.InboxFolder, store.MessageQuery{Top: 25}); err != nil {
			t.Fatal(err)
		}
		return true
	})
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	t.Logf("started in %v; heap with all mailboxes listed: %d MiB, from the system %d MiB", time.Since(began), stats.HeapAlloc>>20, stats.Sys>>20)
	if stats.HeapAlloc > 1<<30 {
		t.Errorf("heap is %d MiB with all mailboxes listed, want under 1 GiB", stats.HeapAlloc>>20)
	}
	runtime.KeepAlive(s)
}

func BenchmarkListTwentyFiveFromTheIndex(b *testing.B) {
	s := store.New(store.Config{Seed: 1, Pairs: 10})
	m := s.Pairs()[0].Cloud
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Messages(store.InboxFolder, store.MessageQuery{Top: 25}); err != nil {
			b.Fatal(err)
		}
	}
}
