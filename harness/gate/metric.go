package gate

import (
	"fmt"
	"strings"

	"cutover/harness/result"
)

// kind is what a metric is taken from.
type kind int

const (
	ofTimes    kind = iota // a histogram of response or service times
	ofOutcomes             // requests by outcome: a share of them, or how many
	ofLegs                 // the run's buckets of legs
	ofRate                 // requests per second
	ofFindings             // differences
)

// metric is a word that can be measured.
type metric struct {
	name string
	kind kind
	q    float64 // the quantile; negative for the mean
}

// mean is the q of a metric that is no quantile.
const mean = -1

var metrics = []metric{
	{"min", ofTimes, 0}, {"mean", ofTimes, mean}, {"p50", ofTimes, 0.5}, {"p90", ofTimes, 0.9}, {"p95", ofTimes, 0.95},
	{"p99", ofTimes, 0.99}, {"p99.9", ofTimes, 0.999}, {"max", ofTimes, 1},
	{"completed", ofOutcomes, 0}, {"failed", ofOutcomes, 0}, {"throttled", ofOutcomes, 0},
	{"dropped", ofLegs, 0}, {"rate", ofRate, 0}, {"differences", ofFindings, 0}, {"findings", ofFindings, 0},
}

func metricNames() []string {
	var out []string
	for _, m := range metrics {
		out = append(out, m.name)
	}
	return out
}

// Words for paths that stand for more than one.
const (
	each    = "each"
	anyPath = "any"
)

// measure is a metric of something.
type measure struct {
	metric  metric
	path    string // a path, a side, each, any or ""
	step    string // "scenario/step", a word, or ""
	service bool
	// severity bounds findings: at it or worse, or exactly at it. class is "" for the metric's own.
	severity result.Severity
	exactly  bool
	class    result.Class
}

// unit is what a limit is measured in.
type unit struct {
	name    string
	measure result.Measure
	format  func(float64) string
}

// The units. Times are milliseconds, shares are 0 to 1, rates are per second.
var (
	milliseconds = unit{"a duration such as 800ms", result.MeasureLatency, formatTime}
	ratio        = unit{"a factor such as 1.5", result.MeasureLatency, formatNumber}
	share        = unit{"a share such as 0.5%", result.MeasureShare, formatShare}
	count        = unit{"a number such as 0", result.MeasureCount, formatNumber}
	perSecond    = unit{"a rate such as 45/s", result.MeasureRate, formatRate}
)

// formatTime prints milliseconds with three significant digits.
func formatTime(ms float64) string {
	switch a := abs(ms); {
	case a == 0:
		return "0ms"
	case a < 1:
		return significant(ms*1000) + "µs"
	case a < 1000:
		return significant(ms) + "ms"
	}
	return significant(ms/1000) + "s"
}

func formatShare(v float64) string  { return significant(v*100) + "%" }
func formatNumber(v float64) string { return significant(v) }
func formatRate(v float64) string   { return significant(v) + "/s" }

// significant prints three significant digits, but never fewer than the whole number has.
func significant(v float64) string {
	digits := 2
	switch a := abs(v); {
	case a >= 99.95:
		digits = 0
	case a >= 9.995:
		digits = 1
	case a < 0.0995 && a > 0:
		return fmt.Sprintf("%.3g", v)
	}
	s := fmt.Sprintf("%.*f", digits, v)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}
