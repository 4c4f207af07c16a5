package faults

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Latency is how long a service thinks before it answers: a model for all
// requests, and further ones for requests that a pattern picks. The zero value
// never waits.
type Latency struct {
	model model
	rules []latencyRule
}

type latencyRule struct {
	pattern string // in lower case, part of "METHOD /path?query"
	model   model
}

// model is a distribution of delays.
type model struct {
	kind  string // "", fixed, lognormal, bimodal
	a, b  time.Duration
	share float64 // of b in bimodal
	sigma float64 // of lognormal
}

// ParseLatency reads a latency model:
//
//	none                         no delay
//	fixed:40ms                   always the same
//	lognormal:40ms,220ms         median and 99th percentile
//	bimodal:20ms,400ms,5%        fast, slow, share of the slow ones
//
// Further models for some requests follow after semicolons, each behind a part
// of "METHOD /path?query" and an equals sign: the first that fits counts, as in
// "lognormal:40ms,220ms; POST /=fixed:120ms; /sendMail=fixed:300ms".
func ParseLatency(text string) (Latency, error) {
	var l Latency
	for i, part := range strings.Split(text, ";") {
		part = strings.TrimSpace(part)
		if part == "" && i == 0 {
			continue
		}
		pattern, name := "", part
		if at := strings.LastIndexByte(part, '='); at >= 0 {
			pattern, name = strings.ToLower(strings.TrimSpace(part[:at])), strings.TrimSpace(part[at+1:])
		}
		m, err := parseModel(name)
		if err != nil {
			return Latency{}, err
		}
		switch {
		case pattern != "":
			l.rules = append(l.rules, latencyRule{pattern, m})
		case i == 0:
			l.model = m
		default:
			return Latency{}, fmt.Errorf("latency %q: a further model needs a part of a request before it (/sendMail=fixed:300ms)", part)
		}
	}
	return l, nil
}

func parseModel(text string) (model, error) {
	kind, rest, _ := strings.Cut(text, ":")
	args := strings.Split(rest, ",")
	m := model{kind: kind}
	want := map[string]int{"none": 1, "": 1, "fixed": 1, "lognormal": 2, "bimodal": 3}
	n, known := want[kind]
	if !known {
		return m, fmt.Errorf("unknown latency model %q (none, fixed:40ms, lognormal:40ms,220ms, bimodal:20ms,400ms,5%%)", text)
	}
	if kind == "none" || kind == "" {
		if rest != "" {
			return m, fmt.Errorf("latency %q: none takes nothing", text)
		}
		return model{}, nil
	}
	if len(args) != n {
		return m, fmt.Errorf("latency %q: %s takes %d values, got %d", text, kind, n, len(args))
	}
	var err error
	if m.a, err = duration(args[0]); err != nil {
		return m, fmt.Errorf("latency %q: %w", text, err)
	}
	if n > 1 {
		if m.b, err = duration(args[1]); err != nil {
			return m, fmt.Errorf("latency %q: %w", text, err)
		}
		if m.b < m.a || m.a <= 0 {
			return m, fmt.Errorf("latency %q: the second time must not be shorter than the first, which must be above 0", text)
		}
	}
	const z99 = 2.3263478740408408 // the 99th percentile of the normal distribution
	m.sigma = math.Log(max(float64(m.b), 1)/max(float64(m.a), 1)) / z99
	if kind == "bimodal" {
		if m.share, err = share(args[2]); err != nil {
			return m, fmt.Errorf("latency %q: %w", text, err)
		}
	}
	return m, nil
}

func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d < 0 || d > time.Hour {
		return 0, fmt.Errorf("%q is no time between 0s and 1h (write 40ms)", text)
	}
	return d, nil
}

func share(text string) (float64, error) {
	text = strings.TrimSpace(text)
	digits, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(digits, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("%q is no share (write 5%%)", text)
	}
	return f, nil
}

// None says whether no request ever waits.
func (l Latency) None() bool { return l.model.kind == "" && len(l.rules) == 0 }

// Sample is the delay of a request, a pure function of it and of the random
// number: equal numbers give equal delays.
func (l Latency) Sample(request string, random uint64) time.Duration {
	if len(l.rules) > 0 {
		request = strings.ToLower(request)
		for _, r := range l.rules {
			if strings.Contains(request, r.pattern) {
				return r.model.sample(random)
			}
		}
	}
	return l.model.sample(random)
}

func (m model) sample(random uint64) time.Duration {
	u := (float64(random>>11) + 0.5) / (1 << 53)
	switch m.kind {
	case "fixed":
		return m.a
	case "lognormal":
		z := math.Sqrt2 * math.Erfinv(2*u-1)
		return time.Duration(float64(m.a) * math.Exp(m.sigma*z))
	case "bimodal":
		if u < m.share {
			return m.b
		}
		return m.a
	}
	return 0
}
