package plan

import (
	"fmt"
	"time"
)

// Warning is one published limit held against the plan.
type Warning struct {
	Path     string  `json:"path"`
	Limit    string  `json:"limit"`    // what is allowed, in words
	Expected string  `json:"expected"` // what the plan asks for
	Share    float64 `json:"share"`    // of the limit; 0 when it depends on the answers
	Exceeded bool    `json:"exceeded"`
	Source   string  `json:"source"`
}

// What Microsoft publishes for Outlook services behind Graph. The figures are for
// one app and one mailbox unless they say otherwise; the first one reached answers 429.
const (
	graphWindow         = 10 * time.Minute
	graphPerWindow      = 10_000
	graphConcurrency    = 4
	graphPerApp         = 2_000
	sourceOutlook       = "Microsoft Graph throttling limits, Outlook service limits (2021 and later)"
	sourceConcurrency   = "Microsoft Graph throttling limits of 2021; later texts disagree whether it is kept per mailbox"
	sourceApp           = "Microsoft Graph throttling limits of 2021, global limit"
	sourceOnPrem        = "Exchange Server throttling policies (Get-ThrottlingPolicy); not published as requests per second"
	secondsOfWindow     = int(graphWindow / time.Second)
	worthTellingLatency = time.Second // above it a mailbox would be slow for other reasons first
)

// Forecast holds the plan against the published throttling limits. Retries, polls and
// what Further bounds come on top of it. A closed load has no rate to forecast.
func (p *Plan) Forecast() []Warning {
	var out []Warning
	rates := p.ratePerSecond()
	for i, side := range p.Sides {
		if side.Adapter.Describe().Dialect == "plain" {
			continue
		}
		box, scenario, _ := p.busiestMailbox(i)
		peak := 0.0
		for _, r := range rates {
			peak = max(peak, r)
		}
		if side.Adapter.Describe().Dialect != "graph" {
			out = append(out, Warning{Path: side.Path, Limit: "the policy of the account and of the mailbox", Source: sourceOnPrem,
				Expected: fmt.Sprintf("%s requests/s to the busiest mailbox at the peak", figure(peak*box))})
			continue
		}
		out = append(out, window(side.Path, rates, box, scenario))
		out = append(out, concurrency(side.Path, peak*box))
		total := peak * p.requestsPerIteration(i)
		out = append(out, Warning{Path: side.Path, Limit: "2,000 requests/s for the app over all tenants", Source: sourceApp,
			Expected: figure(total) + " requests/s at the peak", Share: total / graphPerApp, Exceeded: total > graphPerApp})
	}
	return out
}

// window is the most requests that the busiest mailbox gets in any ten minutes.
func window(path string, rates []float64, box float64, scenario string) Warning {
	sum, most := 0.0, 0.0
	for t, r := range rates {
		sum += r
		if t >= secondsOfWindow {
			sum -= rates[t-secondsOfWindow]
		}
		most = max(most, sum)
	}
	n := most * box
	return Warning{Path: path, Limit: "10,000 requests in 10 minutes for an app and a mailbox", Source: sourceOutlook,
		Expected: fmt.Sprintf("%s requests to the busiest mailbox (%s)", figure(n), scenario), Share: n / graphPerWindow, Exceeded: n > graphPerWindow}
}

// concurrency says from which response time on four requests are in flight at
// once (Little's law).
func concurrency(path string, rate float64) Warning {
	w := Warning{Path: path, Limit: "4 requests in flight for an app and a mailbox", Source: sourceConcurrency, Expected: "no arrival"}
	if rate <= 0 {
		return w
	}
	until := time.Duration(graphConcurrency / rate * float64(time.Second))
	w.Expected = fmt.Sprintf("%s requests/s to the busiest mailbox: reached when answers take longer than %v on average; its lane waits then",
		figure(rate), until.Round(time.Millisecond))
	w.Exceeded = until < worthTellingLatency
	return w
}

// ratePerSecond is the planned rate of iterations for each second of the run, up
// to a week of it.
func (p *Plan) ratePerSecond() []float64 {
	const most = 7 * 24 * 3600
	var rates []float64
	for i := range p.Phases {
		ph := &p.Phases[i]
		for t := time.Duration(0); t < ph.Length() && len(rates) < most; t += time.Second {
			r := 0.0
			if ph.Load.Open != nil {
				r = ph.Load.Open.RateAt(t + time.Second/2)
			}
			rates = append(rates, r)
		}
	}
	return rates
}
