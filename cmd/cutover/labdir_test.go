package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestALabRemovesWhatKilledOnesLeft(t *testing.T) {
	dir := t.TempDir()
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	lay := func(name, file string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dead, living := gone.Process.Pid, os.Getpid()
	lay(fmt.Sprintf("cutover-lab-%d-1", dead), "ca.pem")
	lay(fmt.Sprintf("cutover-lab-%d-2", dead), "somebody's")
	lay(fmt.Sprintf("cutover-lab-%d-3", living), "ca.pem")
	lay("cutover-lab-x", "ca.pem")
	sweepLabFolders(dir)
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		filepath.Join(dir, fmt.Sprintf("cutover-lab-%d-2", dead), "somebody's"),
		filepath.Join(dir, fmt.Sprintf("cutover-lab-%d-3", living), "ca.pem"), filepath.Join(dir, "cutover-lab-x", "ca.pem"),
	}
	if diff := cmp.Diff(map[string]bool{want[0]: true, want[1]: true, want[2]: true}, set(left)); diff != "" {
		t.Error(diff)
	}
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}
