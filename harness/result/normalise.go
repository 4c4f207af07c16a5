package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Normalised is result.json without what no two runs share: times and dates
// (and the run id, which is one), every *_ms, rates, histograms, the
// generator, connection and token figures (a lab's port is one), and what
// latency and rate gates observed. Two runs of the same seed, suite and
// profile against a lab without faults give the same bytes.
func (r *Result) Normalised() ([]byte, error) {
	data, err := Encode(r)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	strip(tree, r.Target == Simulated)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(tree); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return out.Bytes(), nil
}

// neverShared are the keys that vanish wherever they stand.
var neverShared = map[string]bool{
	"run_id": true, "started": true, "ended": true, "expires": true, "command": true,
	"histogram": true, "service_histogram": true, "generator": true, "tokens": true, "connections": true,
	"search":       true, // made of rates
	"head":         true, // seals times
	"highest_rate": true, "highest_concurrency": true, "highest_mailbox_rate": true, "highest_mailbox_concurrency": true,
	"bytes_in": true, "bytes_out": true, // header compression depends on the connection's past
}

func strip(node any, simulated bool) {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			strip(child, simulated)
		}
	case map[string]any:
		if isGate(n) && differsByNature(n) {
			delete(n, "observed")
			delete(n, "margin")
		}
		if url, ok := n["url"].(string); ok && simulated {
			n["url"] = withoutPort(url)
		}
		if evidence, ok := n["evidence"].(string); ok && simulated {
			n["evidence"] = labPort.ReplaceAllString(evidence, "$1")
		}
		for key, child := range n {
			if neverShared[key] || strings.HasSuffix(key, "_ms") || strings.HasSuffix(key, "_per_s") {
				delete(n, key)
				continue
			}
			strip(child, simulated)
		}
	}
}

func isGate(n map[string]any) bool {
	_, gate := n["gate"]
	_, observed := n["observed"]
	return gate && observed
}

// differsByNature says whether a gate looks at time: by its declared measure,
// or, where none is declared, by an observation that reads as a duration.
func differsByNature(n map[string]any) bool {
	switch measure, _ := n["measure"].(string); Measure(measure) {
	case MeasureLatency, MeasureRate:
		return true
	case "":
		observed, _ := n["observed"].(string)
		_, err := time.ParseDuration(observed)
		return err == nil && observed != "0"
	}
	return false
}

// labPort finds the port of an address of the lab in a sentence.
var labPort = regexp.MustCompile(`\b(127\.0\.0\.1|localhost):[0-9]+`)

// withoutPort cuts the port out of a URL: the lab takes whichever is free.
func withoutPort(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return scheme + "://" + host + path
}
