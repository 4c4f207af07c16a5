package load

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"cutover/suites/strictyaml"
)

type poissonParams struct {
	Pace
	For    time.Duration `yaml:"for" doc:"Length of the phase."`
	Stages stagesParams  `yaml:"stages" doc:"Instead of a rate and its length: how the mean rate changes, as in the model stages."`
}

func compilePoisson(b strictyaml.Block, seed uint64) (Compiled, strictyaml.Problems) {
	var p poissonParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	var problems strictyaml.Problems
	var mean *curve
	switch {
	case p.Stages != nil && (p.Pace != Pace{} || p.For != 0):
		problems.Add(b.Pos, "say either stages, or a rate with for, not both")
	case p.Stages != nil:
		mean, problems = p.Stages.curve(b.Pos)
	default:
		rate, text := p.perSecond(b.Pos, &problems)
		if p.For == 0 {
			problems.Add(b.Pos, "for is missing: say how long, such as for: 30s")
		}
		mean = newCurve(fmt.Sprintf("%s for %v", text, p.For), piece{rate, rate, p.For})
	}
	if len(problems) > 0 {
		return Compiled{}, problems
	}
	mean.text = "poisson " + mean.text
	if compiled, problems := open(b, mean); len(problems) > 0 {
		return compiled, problems
	}
	return Compiled{Open: newPoisson(mean, seed)}, nil
}

// poisson places the arrivals of a curve at random: a Poisson process given
// its total, so that every seed has the same number of iterations. Given the
// total, the arrivals are independent and uniform over the integral of the
// rate. Which of them fall into the left half of an interval is a draw of
// Binomial(n, ½): the bits set in n random bits. Halving again and again leads
// to any single arrival without computing those before it. Every draw is a hash
// of the seed and the interval, so Due is a pure function.
type poisson struct {
	*curve
	seed  uint64
	depth int      // halvings done beforehand
	first []uint64 // first arrival of each of the 2^depth intervals, and the total
}

// leaf is the mean number of arrivals in an interval not halved beforehand,
// and maxDepth bounds the table to 8 MiB.
const (
	leaf     = 64
	maxDepth = 20
)

func newPoisson(mean *curve, seed uint64) *poisson {
	p := &poisson{curve: mean, seed: seed}
	total := mean.Count()
	for p.depth < maxDepth && total>>uint(p.depth) > leaf {
		p.depth++
	}
	counts := []uint64{total}
	for level := range p.depth {
		halves := make([]uint64, 0, 2*len(counts))
		for i, n := range counts {
			left := p.leftHalf(level, uint64(i), n)
			halves = append(halves, left, n-left)
		}
		counts = halves
	}
	p.first = make([]uint64, len(counts)+1)
	for i, n := range counts {
		p.first[i+1] = p.first[i] + n
	}
	return p
}

// leftHalf draws how many of the n arrivals in interval i of a level fall into
// its left half.
func (p *poisson) leftHalf(level int, i, n uint64) uint64 {
	state := mix(p.seed ^ mix(i<<6|uint64(level)))
	var left uint64
	for ; n >= 64; n -= 64 {
		left += uint64(bits.OnesCount64(mix(state)))
		state += golden
	}
	return left + uint64(bits.OnesCount64(mix(state)<<(64-n)))
}

func (p *poisson) Due(n uint64) (time.Duration, bool) {
	if n >= p.Count() {
		return 0, false
	}
	low, high := 0, len(p.first)-1 // first[low] ≤ n < first[high]
	for high-low > 1 {
		if mid := (low + high) / 2; p.first[mid] <= n {
			low = mid
		} else {
			high = mid
		}
	}
	i, level := uint64(low), p.depth
	n, count := n-p.first[low], p.first[low+1]-p.first[low]
	for count > 1 && level < 52 {
		left := p.leftHalf(level, i, count)
		level++
		i <<= 1
		if n < left {
			count = left
			continue
		}
		i++
		n, count = n-left, count-left
	}
	within := float64(mix(p.seed^mix(^(i<<6|uint64(level))))>>11) / (1 << 53)
	share := (float64(i) + within) / math.Ldexp(1, level)
	return p.at(share * p.total), true
}

const golden = 0x9e3779b97f4a7c15

// mix is the finaliser of splitmix64, a bijection that spreads every bit.
func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
