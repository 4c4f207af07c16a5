package runfolder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
	"cutover/harness/runfolder"
)

func TestTheSecondUnderWayIsSealedWithTheRest(t *testing.T) {
	half := second(2)
	half.Due, half.Ahead, half.Buckets = 3, 4, result.Buckets{Planned: 3, Completed: 1, Failed: 1}
	type view struct {
		Buckets result.Buckets
		Counts  uint64
		Rate    float64
		Lines   int
	}
	without := view{result.Buckets{Planned: 40, Completed: 6, Failed: 2, NotStarted: 28, Unknown: 4}, 2, 2, 2}
	with := view{result.Buckets{Planned: 40, Completed: 7, Failed: 3, NotStarted: 25, Unknown: 5}, 4, 4 / 1.5, 3}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, f *runfolder.Folder)
		want   view
	}{
		{"it counts when the kill came within its second", func(*testing.T, *runfolder.Folder) {}, with},
		{"it does not count twice when its second had reached the series", func(t *testing.T, f *runfolder.Folder) {
			s := half
			s.Due = 4
			must(t, f.AppendSecond(s))
		}, view{result.Buckets{Planned: 40, Completed: 7, Failed: 3, NotStarted: 24, Unknown: 6}, 4, 2, 3}},
		{"it counts when the line of its second is torn", func(t *testing.T, f *runfolder.Folder) {
			series, err := os.OpenFile(f.Path(runfolder.SeriesFile), os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = series.WriteString(`{"t":2,"due`)
			must(t, err)
			must(t, series.Close())
		}, with},
		{"it is left out when it is torn itself", func(t *testing.T, f *runfolder.Folder) {
			must(t, os.Truncate(f.Path(runfolder.SecondFile), 40))
		}, without},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := create(t, dir)
			must(t, f.WriteRun(asked(40)))
			must(t, f.AppendSecond(second(0)))
			must(t, f.AppendSecond(second(1)))
			must(t, f.KeepSecond(half, 500*time.Millisecond))
			c.change(t, f)
			for range 2 { // the second time from its result
				r, err := runfolder.Seal(dir)
				must(t, err)
				series, err := os.ReadFile(filepath.Join(dir, runfolder.SeriesFile))
				must(t, err)
				got := view{r.Buckets, r.Steps[0].Count, r.Steps[0].RatePerS, strings.Count(string(series), "\n")}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, runfolder.SecondFile)); err == nil {
				t.Error("the second under way is still there after the seal")
			}
		})
	}
}
