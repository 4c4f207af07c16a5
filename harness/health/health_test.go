package health_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"cutover/harness/health"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestAReadingTellsWhatTheGeneratorCost(t *testing.T) {
	m := health.New(start)
	sum := 0
	for i := range 20_000_000 {
		sum += i * i
	}
	runtime.KeepAlive(sum)
	runtime.GC()
	got := m.Read(start.Add(10 * time.Millisecond))
	if got.CPU <= 0 || got.Share <= 0 || got.Share > got.CPU {
		t.Errorf("CPU %v, share %v after busy work; want both above 0, the share not above the cores", got.CPU, got.Share)
	}
	if got.GCPause <= 0 || got.GCPause > time.Second {
		t.Errorf("GC pause %v after a collection", got.GCPause)
	}
	if got.Goroutines < 1 || got.RSS < 1<<20 {
		t.Errorf("%d goroutines, %d bytes held", got.Goroutines, got.RSS)
	}
}

func TestMemoryIsAskedOnlyNowAndThen(t *testing.T) {
	m := health.New(start)
	first := m.Read(start.Add(time.Second))
	block := make([]byte, 32<<20)
	for i := range block {
		block[i] = 1
	}
	second := m.Read(start.Add(2 * time.Second))
	runtime.KeepAlive(block)
	if second.RSS != first.RSS {
		t.Errorf("memory was asked again after one reading: %d, then %d", first.RSS, second.RSS)
	}
}

func TestNoTimeBetweenTwoReadingsIsNoLoad(t *testing.T) {
	m := health.New(start)
	if got := m.Read(start); got.CPU != 0 || got.Share != 0 {
		t.Errorf("CPU %v, share %v without elapsed time, want 0", got.CPU, got.Share)
	}
}

func TestOpenFilesAreCountedWhereTheSystemTells(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lists them")
	}
	before := health.New(start).Read(start).Files
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := health.New(start).Read(start).Files; got != before+1 {
		t.Errorf("%d files open after opening one, %d before", got, before)
	}
}
