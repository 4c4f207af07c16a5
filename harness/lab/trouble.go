package lab

import (
	"fmt"
	"net/http"
	"strings"

	"cutover/harness/lab/faults"
)

// Default latency of the two sides, as median and 99th percentile: small, so
// that demonstrations are fast, and different, so that a comparison has
// something to show. It is not the speed of any real server.
const (
	defaultOnPremLatency = "lognormal:6ms,14ms"
	defaultCloudLatency  = "lognormal:11ms,24ms"
)

// trouble is how slow and how broken the two sides are.
type trouble struct {
	options      Options
	slowOnPrem   faults.Latency
	slowCloud    faults.Latency
	brokenOnPrem faults.Schedule
	brokenCloud  faults.Schedule
}

func newTrouble(o Options) (*trouble, error) {
	t := &trouble{options: o}
	var err error
	if t.slowOnPrem, err = faults.ParseLatency(orDefault(o.LatencyOnPrem, defaultOnPremLatency)); err != nil {
		return nil, fmt.Errorf("lab.latency.onprem: %w", err)
	}
	if t.slowCloud, err = faults.ParseLatency(orDefault(o.LatencyCloud, defaultCloudLatency)); err != nil {
		return nil, fmt.Errorf("lab.latency.cloud: %w", err)
	}
	onPrem, cloud := sides(o.Fault)
	if t.brokenOnPrem, err = faults.ParseSchedule(onPrem); err != nil {
		return nil, fmt.Errorf("lab.fault: %w", err)
	}
	if t.brokenCloud, err = faults.ParseSchedule(cloud); err != nil {
		return nil, fmt.Errorf("lab.fault: %w", err)
	}
	return t, nil
}

// sides splits a schedule: a fault behind "onprem " strikes the REST service,
// one behind "cloud ", or behind nothing, Graph.
func sides(text string) (onPrem, cloud string) {
	var on, off []string
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if rest, ok := strings.CutPrefix(part, "onprem "); ok {
			on = append(on, rest)
			continue
		}
		off = append(off, strings.TrimPrefix(part, "cloud "))
	}
	return strings.Join(on, ";"), strings.Join(off, ";")
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func (t *trouble) onPrem(next http.Handler, n uint64) http.Handler {
	return faults.Wrap(next, faults.Options{Latency: t.slowOnPrem, Schedule: t.brokenOnPrem, Seed: mix(t.options.Seed, n), Clock: t.options.Clock})
}

func (t *trouble) cloud(next http.Handler, n uint64) http.Handler {
	return faults.Wrap(next, faults.Options{Latency: t.slowCloud, Schedule: t.brokenCloud, Seed: mix(t.options.Seed, n), Clock: t.options.Clock})
}

func checkLatency(text string) error {
	_, err := faults.ParseLatency(text)
	return err
}

func checkFault(text string) error {
	onPrem, cloud := sides(text)
	if _, err := faults.ParseSchedule(onPrem); err != nil {
		return err
	}
	_, err := faults.ParseSchedule(cloud)
	return err
}

// mix is a counter-based random function: the finaliser of splitmix64.
func mix(seed, n uint64) uint64 {
	z := seed + (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
