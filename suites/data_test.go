package suites_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/suites"
)

func TestTablesComeFromFilesAndFromTheSuite(t *testing.T) {
	s, err := suites.Load("testdata/good/office-day.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type table struct {
		Pick    string
		Columns []string
		Cells   [][]string
		Literal []bool
	}
	got := map[string]table{}
	for _, e := range s.Data {
		got[e.Key] = table{e.Value.Pick, e.Value.Columns, e.Value.Cells, e.Value.Literal}
	}
	want := map[string]table{
		"terms":  {"cycle", []string{"term", "size"}, [][]string{{"budget", "10"}, {"report", "25"}, {"offer, final", "50"}}, []bool{false, false}},
		"people": {"random", []string{"deep", "top", "upn"}, [][]string{{"true", "5", "a@b.test"}, {"false", "50", "c@d.test"}}, []bool{true, true, false}},
		"pages":  {"unique", []string{"n"}, [][]string{{"10"}, {"25"}}, []bool{true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

// A spreadsheet of a European locale writes a byte order mark and semicolons.
func TestASpreadsheetsTableIsRead(t *testing.T) {
	s, err := suites.Load("testdata/good/spreadsheet.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := s.Data.Get("rooms")
	if diff := cmp.Diff([][]string{{"Kraków", "12"}}, d.Cells); diff != "" || d.Column("seats") != 1 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATablesTextBelongsToTheSuitesHash(t *testing.T) {
	a, _ := suites.Load("testdata/good/spreadsheet.yaml")
	before := a.Hash()
	a.Data[0].Value.Bytes = []byte("other")
	if a.Hash() == before {
		t.Error("another table makes the same hash")
	}
}
