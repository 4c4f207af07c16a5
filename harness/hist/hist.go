// Package hist counts durations in buckets whose width grows with the value,
// so that a histogram of a billion latencies takes a few kilobytes, any
// quantile of it is known to within 1/256 (0.4 %), and histograms of many
// workers and seconds add up to exactly the histogram of all.
//
// Layout: each power of two of nanoseconds (an octave) is divided into 128
// equal buckets, each at most 1/128 of its lower end wide; below 256 ns every
// nanosecond has its own. An octave is allocated when it is first needed.
// Durations from 2^42 ns (73 minutes) on are counted as overflow, and their
// greatest is kept exactly.
package hist

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

const (
	subBits  = 7
	perOct   = 1 << subBits
	limitBit = 42
	octaves  = limitBit - subBits + 1
)

// Limit is the first duration that is counted as overflow: 2^42 ns, about 73
// minutes, beyond any timeout in use.
const Limit = time.Duration(1 << limitBit)

// MaxRelativeError bounds |q − x| / x for a quantile q of a histogram and the
// quantile x of the recorded durations themselves, as long as x is below
// [Limit].
const MaxRelativeError = 1.0 / 256

type octave [perOct]uint64

// octavesFree are octaves that Reset emptied. A run keeps hundreds of histograms that
// are each reset once a second: left with them, octaves that a rare slow second needed
// would pile up in every one.
var octavesFree = sync.Pool{New: func() any { return new(octave) }}

// octave returns the octave of that index, taken when it is first needed.
func (h *Histogram) octave(k int) *octave {
	if h.octaves[k] == nil {
		h.octaves[k] = octavesFree.Get().(*octave)
	}
	return h.octaves[k]
}

// Histogram counts durations. The zero value is empty and ready. It is not
// safe for concurrent use: give each worker its own and [Histogram.Merge] them.
type Histogram struct {
	octaves  [octaves]*octave // nil until needed
	touched  uint64           // bit k: octaves[k] holds a count
	count    uint64           // overflow included
	overflow uint64
	min, max time.Duration // exact; meaningless while count is 0
	sumHi    uint64        // the sum of all durations in ns, as 128 bits
	sumLo    uint64
}

// locate returns octave and bucket of v, which is below Limit.
func locate(v uint64) (k int, sub uint64) {
	k = bits.Len64(v >> subBits)
	if k == 0 {
		return 0, v
	}
	return k, v >> uint(k-1) & (perOct - 1)
}

// span returns the first value of a bucket and the first beyond it.
func span(k int, sub uint64) (low, high time.Duration) {
	if k == 0 {
		return time.Duration(sub), time.Duration(sub + 1)
	}
	shift := uint(k - 1)
	return time.Duration((perOct + sub) << shift), time.Duration((perOct + sub + 1) << shift)
}

// Record counts d. A negative d, which a clock that was set back can produce,
// counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	if h.count == 0 {
		h.min, h.max = d, d
	} else {
		h.min, h.max = min(h.min, d), max(h.max, d)
	}
	h.count++
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, uint64(d), 0)
	h.sumHi += carry
	if d >= Limit {
		h.overflow++
		return
	}
	k, sub := locate(uint64(d))
	h.touched |= 1 << k
	h.octave(k)[sub]++
}

// Merge adds everything that o has counted. The result equals the histogram of
// both recordings; o is unchanged.
func (h *Histogram) Merge(o *Histogram) {
	if o.count == 0 {
		return
	}
	if h.count == 0 {
		h.min, h.max = o.min, o.max
	} else {
		h.min, h.max = min(h.min, o.min), max(h.max, o.max)
	}
	h.count += o.count
	h.overflow += o.overflow
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, o.sumLo, 0)
	h.sumHi += o.sumHi + carry
	for rest := o.touched; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		from, to := o.octaves[k], h.octave(k)
		for i := range to {
			to[i] += from[i]
		}
	}
	h.touched |= o.touched
}

// Reset empties the histogram and leaves its memory to the next recordings of any.
func (h *Histogram) Reset() {
	for rest := h.touched; rest != 0; rest &= rest - 1 {
		o := h.octaves[bits.TrailingZeros64(rest)]
		*o = octave{}
		octavesFree.Put(o)
	}
	*h = Histogram{}
}

// Clone returns an independent copy, as small as its content allows.
func (h *Histogram) Clone() *Histogram {
	c := new(Histogram)
	c.Merge(h)
	return c
}

// Count returns how many durations were recorded, overflow included.
func (h *Histogram) Count() uint64 { return h.count }

// Overflow returns how many durations were [Limit] or longer.
func (h *Histogram) Overflow() uint64 { return h.overflow }

// Min returns the shortest duration, exactly; 0 when empty.
func (h *Histogram) Min() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.min
}

// Max returns the longest duration, exactly, overflow included; 0 when empty.
func (h *Histogram) Max() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.max
}

// Mean returns the exact mean to the nanosecond, rounded down; 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	// The quotient is below 2^63, as every summand is: Div64 cannot overflow.
	mean, _ := bits.Div64(h.sumHi, h.sumLo, h.count)
	return time.Duration(mean)
}

// Quantile returns the duration of rank ⌈q·n⌉ of the n recorded in ascending
// order (nearest rank, no interpolation), to within [MaxRelativeError]. q is
// held to [0, 1]: 0 gives Min and 1 gives Max, both exact. A rank that falls
// into the overflow gives Max. It is 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := uint64(1)
	if q > 0 {
		rank = max(1, uint64(math.Ceil(min(q, 1)*float64(h.count))))
	}
	if rank <= 1 {
		return h.min
	}
	if rank >= h.count || rank > h.count-h.overflow {
		return h.max
	}
	var seen uint64
	for rest := h.touched; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		for sub, n := range h.octaves[k] {
			if seen += n; seen >= rank {
				low, high := span(k, uint64(sub))
				return min(max(low+(high-low)/2, h.min), h.max)
			}
		}
	}
	return h.max
}

// CountBelow returns how many recorded durations are in buckets that lie
// wholly at or below d. It is what the share under a limit is computed from;
// its limit is off by at most one bucket.
func (h *Histogram) CountBelow(d time.Duration) uint64 {
	var below uint64
	h.Buckets(func(_, high time.Duration, count uint64) bool {
		if high-1 > d {
			return false
		}
		below += count
		return true
	})
	return below
}

// Buckets calls yield for every bucket that holds something, in ascending
// order, until it returns false. A bucket counts durations d with low ≤ d <
// high. The overflow comes last, from [Limit] to just above Max.
func (h *Histogram) Buckets(yield func(low, high time.Duration, count uint64) bool) {
	for rest := h.touched; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		for sub, n := range h.octaves[k] {
			if n == 0 {
				continue
			}
			if low, high := span(k, uint64(sub)); !yield(low, high, n) {
				return
			}
		}
	}
	if h.overflow > 0 {
		end := h.max
		if end < math.MaxInt64 {
			end++
		}
		yield(Limit, end, h.overflow)
	}
}
