package load

import (
	"fmt"
	"math"
	"time"

	"cutover/suites/strictyaml"
)

// dayParams are those of a stretch of an office day.
type dayParams struct {
	From     string              `yaml:"from" doc:"Time of day at which the phase begins, such as \"09:00\" (default: 09:00)."`
	For      time.Duration       `yaml:"for,required" doc:"Length of the phase."`
	Rate     strictyaml.Rate     `yaml:"rate" doc:"Mean rate of business hours, 08:00 to 18:00 (default: what the suite's populations add up to)."`
	Share    *strictyaml.Percent `yaml:"share" doc:"Part of that rate to ask for (default 100%)."`
	Curve    string              `yaml:"curve" enum:"two-hump,flat" doc:"two-hump (default): peaks before noon and after lunch; flat: business hours' mean at any time."`
	Hours    []float64           `yaml:"hours" doc:"In place of curve: 24 numbers, the load of each hour of the day against business hours' mean."`
	Arrivals string              `yaml:"arrivals" enum:"random,even" doc:"random (default): as of independent people (Poisson); even: evenly spread."`
}

// twoHump is the load of each hour of an office day against the mean of 08:00 to
// 18:00, which is 1: a peak of twice the mean from 09:00 to 11:00 and a lower one from
// 13:00 to 15:00. It is a proposal, not a measurement; a deployment's own figures
// (requests per hour in its IIS logs) go under hours.
var twoHump = [24]float64{
	0.03, 0.03, 0.03, 0.03, 0.03, 0.05, 0.1, 0.3, 0.6, 2, 2, 0.8,
	0.4, 1.4, 1.4, 0.6, 0.5, 0.3, 0.15, 0.1, 0.08, 0.06, 0.04, 0.03,
}

func compileDay(b strictyaml.Block, seed uint64) (Compiled, strictyaml.Problems) {
	var p dayParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	var problems strictyaml.Problems
	if p.Rate.IsZero() {
		problems.Add(b.Pos, "day needs the mean rate of business hours: say rate: 10/s, or give the suite populations")
	}
	from, hours := p.start(b.Pos, &problems), p.curve(b.Pos, &problems)
	if len(problems) > 0 {
		return Compiled{}, problems
	}
	share := 1.0
	if p.Share != nil {
		share = float64(*p.Share)
	}
	text := fmt.Sprintf("day of %s from %s for %v", perSecond(p.Rate.PerSecond*share), clockTime(from), p.For)
	c := newCurve(text, dayPieces(hours, p.Rate.PerSecond*share, from, p.For)...)
	compiled, problems := open(b, c)
	if p.Arrivals == "even" || len(problems) > 0 {
		return compiled, problems
	}
	return Compiled{Open: newPoisson(c, seed)}, nil
}

// start reads the time of day.
func (p *dayParams) start(at strictyaml.Pos, problems *strictyaml.Problems) time.Duration {
	if p.From == "" {
		p.From = "09:00"
	}
	t, err := time.Parse("15:04", p.From)
	if err != nil {
		problems.Add(at, "from must be a time of day such as \"09:00\", not %q", p.From)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// curve picks the load of the 24 hours.
func (p *dayParams) curve(at strictyaml.Pos, problems *strictyaml.Problems) []float64 {
	switch {
	case p.Hours != nil && p.Curve != "":
		problems.Add(at, "curve and hours exclude each other")
	case p.Hours != nil && len(p.Hours) != 24:
		problems.Add(at, "hours needs 24 numbers, one for each hour of the day, not %d", len(p.Hours))
	case p.Hours != nil:
		for _, h := range p.Hours {
			if h < 0 || math.IsNaN(h) || math.IsInf(h, 0) {
				problems.Add(at, "hours holds %v: the load of an hour is 0 or more", h)
			}
		}
		return p.Hours
	case p.Curve == "flat":
		flat := make([]float64, 24)
		for i := range flat {
			flat[i] = 1
		}
		return flat
	}
	return twoHump[:]
}

// dayPieces is the part of the day from a time on. An hour's load stands in its middle,
// and between the middles the rate changes steadily. The day begins again at midnight.
func dayPieces(hours []float64, mean float64, from, length time.Duration) []piece {
	at := func(t time.Duration) float64 {
		x := (t - 30*time.Minute).Hours()
		i := int(math.Floor(x))
		before, after := hours[(i%24+24)%24], hours[((i+1)%24+24)%24]
		return mean * (before + (after-before)*(x-float64(i)))
	}
	var pieces []piece
	for t, end := from, from+length; t < end; {
		next := min(end, nextMiddle(t))
		pieces = append(pieces, piece{at(t), at(next), next - t})
		t = next
	}
	return pieces
}

// nextMiddle is the first middle of an hour after t.
func nextMiddle(t time.Duration) time.Duration {
	const half = 30 * time.Minute
	return (t + half).Truncate(time.Hour) + half
}

// clockTime spells a time of day.
func clockTime(t time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(t.Hours())%24, int(t.Minutes())%60)
}
