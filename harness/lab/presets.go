package lab

import (
	"maps"
	"slices"

	"cutover/harness/lab/onprem"
)

// preset is a deployment as it was at one time: the servers and what Graph did
// with on-prem mailboxes.
type preset struct {
	about string
	nodes []onprem.Node
	proxy string
	era   int  // year whose shapes Graph of "today" has
	newer bool // the servers answer what is newer than the model of 2016
}

// presets is the table of deployments. Builds and dates are documented.
var presets = map[string]preset{
	"ideal": {about: "no real deployment: Exchange 2019 that answers every property Graph has", proxy: "retired", era: 2026, newer: true,
		nodes: array("15.2.1748.10", true)},
	"exchange-2016-cu3": {about: "September 2016: the first build with the REST API, the preview has begun", proxy: "preview", era: 2016,
		nodes: array("15.1.544.27", true)},
	"exchange-2016-cu12": {about: "Exchange 2016 CU12 behind Graph of today", proxy: "retired", era: 2026,
		nodes: array("15.1.1713.5", true)},
	"exchange-2019": {about: "Exchange 2019 CU15", proxy: "retired", era: 2026, nodes: array("15.2.1748.10", true)},
	// Whether SE has the REST directory is not known: misconfigure=api-blocked takes it away.
	"exchange-se": {about: "Exchange Server SE, December 2025", proxy: "retired", era: 2026, nodes: array("15.2.2562.35", true)},
}

// defaultPreset is the preset of a lab that was not told.
const defaultPreset = "exchange-2016-cu12"

// array is two equal nodes behind the load balancer.
func array(build string, api bool) []onprem.Node {
	return []onprem.Node{{Name: "EX01", Build: build, API: api}, {Name: "EX02", Build: build, API: api}}
}

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }

// Presets lists the deployments by name, with a line about each.
func Presets() map[string]string {
	out := map[string]string{}
	for name, p := range presets {
		out[name] = p.about
	}
	return out
}
