package lab_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/lab"
	"cutover/harness/lab/faults"
)

func TestSettingsAreReadByTheirKeys(t *testing.T) {
	got, err := lab.ParseSettings(map[string]string{
		"seed": "7", "mailboxes": "12", "items": "1000, 10000", "folders": "zipf", "preset": "exchange-2019", "proxy": "preview", "quirks": "recur.tz_empty,id.legacy", "misconfigure": "basic-off, tls-1.0",
		"latency.onprem": "fixed:3ms", "latency.cloud": "none", "fault": "onprem 503@7; 429:5s@10-20", "token.lifetime": "90s",
		"move.ids": "kept", "move.delta": "reset", "move.lag": "5s", "era": "2018", "nodes": "A:15.0.1497.48", "throttle.onprem": "27,600/5m", "unknown.select": "ignore",
	})
	want := lab.Options{Seed: 7, Mailboxes: 12, Items: []int{1000, 10000}, Folders: "zipf", Preset: "exchange-2019", Proxy: "preview", Quirks: []string{"id.legacy", "recur.tz_empty"},
		Misconfigure: []string{"basic-off", "tls-1.0"}, LatencyOnPrem: "fixed:3ms", LatencyCloud: "none", Fault: "onprem 503@7; 429:5s@10-20", TokenLifetime: "90s",
		MoveIDs: "kept", MoveDelta: "reset", MoveLag: "5s", Era: 2018, Nodes: "A:15.0.1497.48", ThrottlePrem: "27,600/5m", UnknownSelect: "ignore"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestAWrongSettingNamesTheRightOne(t *testing.T) {
	for _, row := range []struct{ key, value, want string }{
		{"prset", "ideal", `lab.prset: unknown setting (did you mean "preset"?)`},
		{"nothing.like.it", "x", `lab.nothing.like.it: unknown setting`},
		{"preset", "exchange-2018", `lab.preset: unknown value "exchange-2018" (did you mean "exchange-2019"?); known: exchange-2016-cu12, exchange-2016-cu3, exchange-2019, exchange-se, ideal`},
		{"proxy", "prevew", `lab.proxy: unknown value "prevew" (did you mean "preview"?); known: off2016, preview, writesBroken, retired`},
		{"seed", "-1", `lab.seed: want a whole number`},
		{"mailboxes", "0", `lab.mailboxes: want a number of pairs from 1 to 100000`},
		{"move.lag", "soon", `lab.move.lag: want a duration from 0s to 24h`},
		{"era", "2015", `lab.era: want a year from 2016 to 2026`},
		{"nodes", "EX01:14.3.1.1", `lab.nodes: want up to 64 servers as EX01:15.1.2507.6, with commas between them (-api behind a build: without the REST directory)`},
		{"throttle.onprem", "fast", `lab.throttle.onprem: want none, requests at once (27), requests in a window (600/5m), or both (27,600/5m)`},
		{"items", "10,0", `lab.items: want numbers of messages from 1 to 100000, with commas between them`},
		{"folders", "zip", `lab.folders: unknown value "zip" (did you mean "zipf"?); known: usual, zipf`},
		{"mailboxes", "many", `lab.mailboxes: want a number of pairs from 1 to 100000`},
		{"token.lifetime", "2d", `lab.token.lifetime: want a duration from 1s to 24h`},
		{"quirks", "case.property", `lab.quirks: quirk "case.property" is always on: it is part of what the lab imitates`},
		{"quirks", "scope.archive", `lab.quirks: quirk "scope.archive" cannot be shown by the lab's dialects`},
	} {
		_, err := lab.ParseSettings(map[string]string{row.key: row.value})
		if err == nil || err.Error() != row.want {
			t.Errorf("%s=%s:\ngot  %v\nwant %s", row.key, row.value, err, row.want)
		}
	}
	for _, key := range []string{"latency.onprem", "latency.cloud", "fault", "misconfigure", "quirks"} {
		_, err := lab.ParseSettings(map[string]string{key: "no such thing"})
		if err == nil || !strings.HasPrefix(err.Error(), "lab."+key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestALabThatCannotBeStartedSaysWhy(t *testing.T) {
	for want, o := range map[string]lab.Options{
		`lab.preset: unknown value "x"`: {Preset: "x"},
		"lab.token.lifetime: ":          {TokenLifetime: "x"},
		"lab.nodes: ":                   {Nodes: "x"},
		"lab.throttle.onprem: ":         {ThrottlePrem: "x"},
		"lab.move.lag: ":                {MoveLag: "x"},
		"lab.quirks: ":                  {Quirks: []string{"x"}},
		"lab.latency.onprem: ":          {LatencyOnPrem: "x"},
		"lab.latency.cloud: ":           {LatencyCloud: "x"},
		"lab.fault: ":                   {Fault: "x"},
		"lab: open ":                    {Dir: t.TempDir() + "/missing"},
	} {
		l, err := lab.Start(t.Context(), o)
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

func TestAPresetIsItsServersAndItsTime(t *testing.T) {
	want := map[string][2]string{
		"ideal": {"15.2.1748.10", "retired"}, "exchange-2016-cu3": {"15.1.544.27", "preview"}, "exchange-2016-cu12": {"15.1.1713.5", "retired"},
		"exchange-2019": {"15.2.1748.10", "retired"}, "exchange-se": {"15.2.2562.35", "retired"},
	}
	got := map[string][2]string{}
	for name := range lab.Presets() {
		w := start(t, lab.Options{Preset: name})
		a := w.get("", w.info.Rest+"/me")
		got[name] = [2]string{a.header.Get("X-OWA-Version"), w.info.Proxy}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStatsCountWhatArrivedAtEachService(t *testing.T) {
	w := start(t, lab.Options{Dir: t.TempDir()})
	app := w.app(0)
	for range 3 {
		w.get(app, w.info.Graph+"/users/"+w.info.Pairs[0].CloudUPN+"/messages?$top=1")
	}
	w.rest(0, "GET", "/me", "")
	w.get(app, w.info.GraphEras["2019"]+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages") // asks the front end, which no client did
	w.get("", w.info.Autodiscover+"/autodiscover/autodiscover.json")
	want := lab.Stats{Services: map[string]uint64{"graph": 3, "graph-2019": 1, "graph-upload": 0, "rest": 1, "autodiscover": 1, "authority": 1}, Throttling: faults.Ledger{Peak: 1}}
	if diff := cmp.Diff(want, w.lab.Stats()); diff != "" {
		t.Error(diff)
	}
	got := w.get("", w.info.Control+"/stats").doc["services"].(map[string]any)
	if got["graph"] != 3.0 || got["rest"] != 1.0 {
		t.Errorf("%v", got)
	}
	if !strings.HasSuffix(w.info.CA, "/ca.pem") {
		t.Errorf("CA file %q", w.info.CA)
	}
}
