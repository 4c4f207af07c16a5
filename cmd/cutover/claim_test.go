package main

import (
	"path/filepath"
	"testing"
)

func TestRunsOfOneSecondHaveFoldersOfTheirOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, want := range []string{"20261122T080000Z-smoke", "20261122T080000Z-smoke-2", "20261122T080000Z-smoke-3"} {
		s := &session{id: "20261122T080000Z-smoke"}
		dir, err := s.claimFolder()
		if err != nil || dir != filepath.Join("runs", want) || s.id != want {
			t.Errorf("claimed %s as %s, %v; want %s", dir, s.id, err, want)
		}
	}
}
