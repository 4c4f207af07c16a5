package load

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"
)

// piece is a stretch over which the rate changes linearly.
type piece struct {
	from, to float64 // arrivals per second
	length   time.Duration
}

// curve is a rate over time made of pieces. Arrival n is due when the integral
// of the rate reaches n: pieces hand the fraction of an arrival over to the
// next, so that no stage loses or gains one.
type curve struct {
	pieces []piece
	starts []time.Duration // of each piece, from the start of the phase
	before []float64       // the integral up to the start of each piece
	total  float64         // the integral over all
	length time.Duration
	text   string
}

// newCurve returns the curve of the pieces; those without length only set the
// rate from which the next goes on and take no part.
func newCurve(text string, pieces ...piece) *curve {
	c := &curve{text: text}
	for _, p := range pieces {
		if p.length <= 0 {
			continue
		}
		c.pieces = append(c.pieces, p)
		c.starts = append(c.starts, c.length)
		c.before = append(c.before, c.total)
		c.length += p.length
		c.total += p.integral(p.length)
	}
	return c
}

// integral is the number of arrivals within the first t of the piece.
func (p piece) integral(t time.Duration) float64 {
	s := t.Seconds()
	return s * (p.from + (p.rate(t)-p.from)/2)
}

func (p piece) rate(t time.Duration) float64 {
	return p.from + (p.to-p.from)*(t.Seconds()/p.length.Seconds())
}

// inverse returns when the integral over the piece reaches x. It solves
// from·t + slope·t²/2 = x in the form that does not cancel for small slopes.
func (p piece) inverse(x float64) time.Duration {
	if x <= 0 {
		return 0
	}
	slope := (p.to - p.from) / p.length.Seconds()
	root := math.Sqrt(max(0, p.from*p.from+2*slope*x))
	t := 2 * x / (p.from + root)
	return min(time.Duration(math.Round(t*float64(time.Second))), p.length)
}

// slack is how far an integral may exceed a whole number of arrivals by
// rounding, as 500 users of 60/h over 10 min do.
const slack = 1e-6

// Count is the integral of the rate, rounded up: an arrival is due at 0, and
// none at the very end.
func (c *curve) Count() uint64 { return uint64(math.Ceil(max(0, c.total-slack))) }

func (c *curve) Length() time.Duration { return c.length }

func (c *curve) Due(n uint64) (time.Duration, bool) {
	if n >= c.Count() {
		return 0, false
	}
	return c.at(float64(n)), true
}

// at returns when the integral reaches x. Over a stretch without arrivals it
// is the end of the stretch.
func (c *curve) at(x float64) time.Duration {
	i := sort.Search(len(c.before), func(i int) bool { return c.before[i] > x }) - 1
	if i < 0 {
		return 0
	}
	return c.starts[i] + c.pieces[i].inverse(x-c.before[i])
}

func (c *curve) RateAt(t time.Duration) float64 {
	if t < 0 || t >= c.length {
		return 0
	}
	i := sort.Search(len(c.starts), func(i int) bool { return c.starts[i] > t }) - 1
	return c.pieces[i].rate(t - c.starts[i])
}

func (c *curve) Describe() string {
	return fmt.Sprintf("%s (%d)", c.text, c.Count())
}

// perSecond spells a rate with at most four significant digits.
func perSecond(rate float64) string {
	switch {
	case rate == 0:
		return "0/s"
	case rate < 0.1:
		return strconv.FormatFloat(rate*3600, 'g', 4, 64) + "/h"
	}
	return strconv.FormatFloat(rate, 'g', 4, 64) + "/s"
}

// Constant returns the open model of rate arrivals per second over length.
func Constant(rate float64, length time.Duration) Model {
	return newCurve(fmt.Sprintf("constant %s for %v", perSecond(rate), length), piece{rate, rate, length})
}
