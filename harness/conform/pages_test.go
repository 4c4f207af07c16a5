package conform_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"cutover/harness/conform"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// pageFile is testdata/pages/pages.yaml: lists of pages, and what their shape must give.
type pageFile struct {
	Cases []pageRow `yaml:"cases,required"`
}

type pageRow struct {
	Pos       strictyaml.Pos `yaml:"-"`
	Name      string         `yaml:"name,required"`
	Left      []string       `yaml:"left,required"`
	Right     []string       `yaml:"right,required"`
	LeftLoop  int            `yaml:"left_loop"`  // the page to which the last link leads back
	RightLoop int            `yaml:"right_loop"` // the same on the right
	Select    []string       `yaml:"select"`
	Top       int            `yaml:"top"` // the size of page that was asked for
	Want      []string       `yaml:"want"`
	Skipped   string         `yaml:"skipped"`
}

func loadPages(t *testing.T) []pageRow {
	t.Helper()
	const file = "testdata/pages/pages.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f pageFile
	if problems := strictyaml.Decode(file, data, &f); len(problems) > 0 {
		t.Fatal(problems.Err())
	}
	return f.Cases
}

func trail(pages []string, loop int) conform.Trail {
	out := conform.Trail{Loop: loop}
	for _, p := range pages {
		out.Pages = append(out.Pages, []byte(p))
	}
	return out
}

func TestPagesGiveTheirFindings(t *testing.T) {
	for _, c := range loadPages(t) {
		comparer := conform.New(conform.Options{ShowValues: true})
		comparer.Pages(conform.Pair{Scenario: "s", Step: "t (pages)", Endpoint: "GET /me/messages", Mailbox: "ann", Select: c.Select, Top: c.Top}, trail(c.Left, c.LeftLoop), trail(c.Right, c.RightLoop))
		report := comparer.Report()
		if diff := cmp.Diff(c.Want, lines(report.Findings)); diff != "" {
			t.Errorf("%s: it %s (-want +got)\n%s", c.Pos, c.Name, diff)
		}
		if skipped := strings.Join(slices.Collect(maps.Keys(report.Comparison.Skipped)), ", "); skipped != c.Skipped {
			t.Errorf("%s: it %s: skipped for %q, want %q", c.Pos, c.Name, skipped, c.Skipped)
		}
	}
}

// classics are the cases that differs and clients are known to get wrong; each must stay in the data.
var classics = map[string]string{
	"[a,a,b] vs [a,b,b]":             "does not take [a,a,b] for [a,b,b]",
	"9007199254740993 vs …992":       "keeps integers beyond 2^53 apart",
	"duplicate keys":                 "finds a name that stands twice",
	"id twins that differ by case":   "keeps ids apart that differ by case",
	"swapped items with equal hash":  "finds items that were swapped although they hash alike but for their subject",
	"null vs absent":                 "tells null from absent",
	"null vs empty":                  "tells null from empty text",
	"absent vs empty":                "tells empty text from absent",
	"-0":                             "takes minus zero for zero",
	"1.0 vs 1":                       "takes 1.0 for 1 and says that it is spelt otherwise",
	"CRLF":                           "takes CRLF for LF",
	"NFC":                            "takes decomposed letters for composed ones",
	"HTML reformatted":               "takes reformatted HTML for the same",
	"DST gap":                        "knows the hour that a spring night lacks",
	"DST overlap":                    "takes an hour that an autumn night has twice for the first",
	"all-day across zones":           "compares all-day events by date",
	"nextLink loop":                  "names a link that leads to an earlier page",
	"sentinel dates":                 "takes the sentinels of never for each other",
	"wI2L: [false] vs [null]":        "does not take [false] for [null]",
	`wI2L: ["0"] vs [false]`:         `does not take ["0"] for [false]`,
	"wI2L: [1,2] vs [3,4]":           "does not take [1,2] for [3,4]",
	"wI2L: objects behind UseNumber": "does not take a list of objects for another one by its names alone",
	"jd: two objects of one key":     "finds the lost one of two items that say the same",
	"keploy: [1,1,1] vs [1,2,3]":     "does not take [1,1,1] for [1,2,3]",
	"hoverfly: an array at the root": "compares arrays at the root",
	"hoverfly: an extra field":       "finds a property that only the right side has",
	"venom: large numbers as text":   "shows a large number as it was written",

	"swapped items of one hash":                 "finds swapped items that hash alike by their internetMessageId",
	"jsondiffpatch: no key means by place":      "takes one thing before all others for one that is new",
	"diffy: another length ends the comparison": "finds a change beside a loss",
	"diffy: another status shows nothing":       "finds success against failure and does not compare bodies",
	"hoverfly: quotes before parsing":           "keeps quotes and backslashes apart from what looks like them",
	"keploy: rules by substring":                "does not silence a name that only begins alike",
	"keploy: noise that switches a field off":   "overlooks the value only",
	"horizon-cmp: an answer of 5xx":             "does not compare a side that is not there",
	"jd, wI2L, nsf: names that stand twice":     "finds a name that stands twice",
}

func TestTheClassicMistakesAreInTheData(t *testing.T) {
	known := map[string]bool{}
	for _, c := range loadCases(t) {
		known[c.Name] = true
	}
	for _, c := range loadPages(t) {
		known[c.Name] = true
	}
	if len(known) < 150 {
		t.Errorf("%d cases, want at least 150", len(known))
	}
	for what, name := range classics {
		if !known[name] {
			t.Errorf("%s: no case %q", what, name)
		}
	}
	t.Logf("%d cases", len(known))
}
