package lab_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"cutover/harness/lab"
)

// askRuler asks the control port of a lab and reads JSON from it.
func askRuler(t *testing.T, method, url string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
	return resp.StatusCode
}

func TestTheRulerDoesWhatItWasSetToAndTellsTheTruth(t *testing.T) {
	l, err := lab.Start(t.Context(), lab.Options{Mailboxes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Info().Control + "/ruler"
	for _, row := range []struct {
		it, set    string
		asked      int
		errors     uint64
		least, top float64 // of the median, in milliseconds
	}{
		{"answers at once unless told otherwise", "", 20, 0, 0, 10},
		{"keeps every request for its delay", "?delay=20ms", 10, 0, 20, 60},
		{"answers each third with an error", "?every=3", 20, 6, 0, 10},
		{"stands still for its stall", "?at=0s&stall=150ms", 1, 0, 145, 400},
	} {
		if status := askRuler(t, http.MethodPost, at+"/set"+row.set, nil); status != http.StatusOK {
			t.Fatalf("it %s: set answered %d", row.it, status)
		}
		bad := uint64(0)
		for range row.asked {
			if status := askRuler(t, http.MethodGet, at+"/item", nil); status == http.StatusInternalServerError {
				bad++
			}
		}
		var seen lab.RulerLedger
		askRuler(t, http.MethodGet, at+"/ledger", &seen)
		if seen.Requests != uint64(row.asked) || seen.Errors != row.errors || bad != row.errors || len(seen.Arrivals) != row.asked {
			t.Errorf("it %s: %d requests, %d errors, %d arrivals, %d errors came; want %d and %d", row.it, seen.Requests, seen.Errors, len(seen.Arrivals), bad, row.asked, row.errors)
		}
		if seen.TookP50 < row.least || seen.TookP50 > row.top {
			t.Errorf("it %s: the median is %v ms, want %v to %v", row.it, seen.TookP50, row.least, row.top)
		}
	}
	for _, bad := range []string{"?delay=20", "?every=often", "?stall=x"} {
		if status := askRuler(t, http.MethodPost, at+"/set"+bad, nil); status != http.StatusBadRequest {
			t.Errorf("%s: answered %d", bad, status)
		}
	}
}
