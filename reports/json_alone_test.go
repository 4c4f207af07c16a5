package reports_test

import (
	"bytes"
	"testing"

	"cutover/harness/result"
	"cutover/reports"
)

func TestTheReadinessPageIsMadeOfTheResultAlone(t *testing.T) {
	for name, r := range map[string]*result.Result{"pass": fixture(), "fail": failing()} {
		data, err := result.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := result.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(alone.Series) > 0 {
			t.Fatalf("%s: result.json holds the time series, and the test shows nothing", name)
		}
		for _, format := range []string{"readiness", "readiness-md"} {
			if !bytes.Equal(render(t, format, r, inFolder), render(t, format, alone, reports.Options{})) {
				t.Errorf("%s, %s: the page from result.json alone is another", name, format)
			}
		}
	}
}
