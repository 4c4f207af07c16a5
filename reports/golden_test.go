package reports_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
	"cutover/reports"
)

var update = flag.Bool("update", false, "write the goldens anew from the fixture")

func render(t *testing.T, format string, r *result.Result, o reports.Options) []byte {
	t.Helper()
	f, err := reports.Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out, r, o); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return out.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got), -update accepts it:\n%s", file, diff)
	}
}

var inFolder = reports.Options{RunDir: "runs/1", ReportPath: "runs/1/report.html"}

func TestEveryFormatOfOneResultLooksAsAgreed(t *testing.T) {
	for _, f := range reports.Formats() {
		if f.Name == "hlog" {
			continue // its deflated bytes are the library's; TestTheHDRLogIsReadBack reads them
		}
		t.Run(f.Name, func(t *testing.T) {
			file := f.File
			if file == "" {
				file = f.Name + ".out"
			}
			golden(t, "pass-"+file, render(t, f.Name, fixture(), inFolder))
			golden(t, "fail-"+file, render(t, f.Name, failing(), inFolder))
		})
	}
}

func TestTheSameResultGivesTheSameBytes(t *testing.T) {
	for _, f := range reports.Formats() {
		one, two := render(t, f.Name, fixture(), inFolder), render(t, f.Name, fixture(), inFolder)
		if !bytes.Equal(one, two) {
			t.Errorf("%s: two renderings of the same result differ", f.Name)
		}
	}
}
