package runfolder_test

import (
	"errors"
	"os"
	"testing"

	"cutover/harness/result"
	"cutover/harness/runfolder"
)

func TestTheFolderOfARunThatGoesOnIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(40)))
	must(t, f.AppendSecond(second(0)))
	must(t, os.WriteFile(f.Path(runfolder.AuditFile), []byte("a line\n"), 0o600))
	if _, err := runfolder.Create(dir); !errors.Is(err, runfolder.ErrBusy) || !runfolder.Busy(dir) {
		t.Errorf("a second run gets %v, want ErrBusy", err)
	}
	must(t, f.Close())
	if runfolder.Busy(dir) {
		t.Error("the folder is busy after its run")
	}
	r, err := runfolder.Seal(dir)
	must(t, err)
	if want := (result.Buckets{Planned: 40, Completed: 3, Failed: 1, NotStarted: 32, Unknown: 4}); r.Buckets != want {
		t.Errorf("the first run has %+v, want %+v", r.Buckets, want)
	}
	if _, err := os.Stat(f.Path(runfolder.AuditFile)); err != nil {
		t.Errorf("its audit trail was moved: %v", err)
	}
}
