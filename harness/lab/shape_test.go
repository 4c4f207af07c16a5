package lab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

func TestTheArrayIsWhatItWasToldToBe(t *testing.T) {
	w := start(t, lab.Options{Nodes: "A13:15.0.1497.48, B16:15.1.2507.6, C19:15.2.1748.10-api, DSE:15.2.2562.37"})
	got := map[string]int{}
	for range 8 {
		a := w.rest(0, "GET", "/me/messages?$top=1", "")
		got[a.header.Get("X-FEServer")] = a.status
	}
	if diff := cmp.Diff(map[string]int{"A13": 404, "B16": 200, "C19": 404, "DSE": 200}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGraphOfTodayHasTheShapesOfItsYear(t *testing.T) {
	for year, want := range map[int][]string{2018: {"date", "request-id"}, 2021: {"client-request-id", "date", "request-id"}} {
		w := start(t, lab.Options{Era: year})
		a := w.cloud(w.app(0), 0, "GET", "/messages/garbage", "")
		inner, _ := a.doc["error"].(map[string]any)["innerError"].(map[string]any)
		if diff := cmp.Diff(want, sortedKeys(inner)); diff != "" {
			t.Errorf("%d: %s\n%s", year, diff, a.body)
		}
		if had := a.header.Get("duration") != ""; had != (year < 2019) {
			t.Errorf("%d: duration header %v", year, had)
		}
	}
}

func TestAnOnPremPolicyRefusesAUserAboveItsBudgetAndNobodyElse(t *testing.T) {
	c := clock.NewFake(time.Now())
	w := start(t, lab.Options{ThrottlePrem: "3/10s", Clock: c})
	var got []string
	for range 4 {
		a := w.rest(0, "GET", "/me/messages?$top=1", "")
		got = append(got, a.code+a.header.Get("Retry-After"))
	}
	if diff := cmp.Diff([]string{"", "", "", "ErrorServerBusy11"}, got); diff != "" {
		t.Error(diff)
	}
	if a := w.rest(1, "GET", "/me/messages?$top=1", ""); a.status != 200 {
		t.Errorf("another user: %d %s", a.status, a.body)
	}
	if a := w.get("", origin(w.info.Rest)+"/api/healthcheck.htm"); a.status != 200 {
		t.Errorf("the health page: %d", a.status)
	}
	c.Advance(11e9)
	if a := w.rest(0, "GET", "/me/messages?$top=1", ""); a.status != 200 {
		t.Errorf("after the window: %d %s", a.status, a.body)
	}
}

func TestWhatIsPlantedStandsInAFileBesideTheAuthority(t *testing.T) {
	dir := t.TempDir()
	w := start(t, lab.Options{Dir: dir, Quirks: []string{"recur.tz_empty"}})
	raw, err := os.ReadFile(filepath.Join(dir, "planted.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []quirks.Planted
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].ID != "recur.tz_empty" || !slices.Equal(got[0].Pairs, w.lab.Planted()[0].Pairs) {
		t.Errorf("%s", raw)
	}
}
