package hist

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/bits"
	"time"
)

// The encoding, before base64 (standard alphabet, no padding):
//
//	version 1 (a byte), then unsigned varints: min, max − min, sum (high word,
//	low word), overflow, and for each non-empty bucket in ascending order
//	2·(buckets skipped since the last) + (1 if its count is above 1), followed
//	by that count − 2 when it is above 1.
//
// A bucket's index is octave·128 + sub-bucket. A lone sample thus takes one
// or two bytes.
const version = 1

// ErrEncoding is returned for text that no histogram encodes to.
var ErrEncoding = errors.New("not a histogram, or one of another version")

// MarshalText encodes the non-empty buckets as text; an empty histogram gives
// the empty text. The same content gives the same text. The error is nil.
func (h *Histogram) MarshalText() ([]byte, error) { return h.AppendText(nil) }

// AppendText appends what MarshalText returns to dst. The error is nil.
func (h *Histogram) AppendText(dst []byte) ([]byte, error) {
	if h.count == 0 {
		return dst, nil
	}
	return base64.RawStdEncoding.AppendEncode(dst, h.appendRaw(make([]byte, 0, 512))), nil
}

// appendRaw appends the encoding before base64 of a histogram that is not empty.
func (h *Histogram) appendRaw(raw []byte) []byte {
	raw = append(raw, version)
	raw = binary.AppendUvarint(raw, uint64(h.min))
	raw = binary.AppendUvarint(raw, uint64(h.max-h.min))
	raw = binary.AppendUvarint(raw, h.sumHi)
	raw = binary.AppendUvarint(raw, h.sumLo)
	raw = binary.AppendUvarint(raw, h.overflow)
	last := -1
	for rest := h.touched; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		for sub, n := range h.octaves[k] {
			if n == 0 {
				continue
			}
			index := k*perOct + sub
			skipped := uint64(index-last-1) << 1
			last = index
			if n == 1 {
				raw = binary.AppendUvarint(raw, skipped)
				continue
			}
			raw = binary.AppendUvarint(raw, skipped|1)
			raw = binary.AppendUvarint(raw, n-2)
		}
	}
	return raw
}

// UnmarshalText replaces the content by what MarshalText encoded. Text that it
// cannot have written gives [ErrEncoding] and leaves the histogram empty.
func (h *Histogram) UnmarshalText(text []byte) error {
	h.Reset()
	if len(text) == 0 {
		return nil
	}
	raw, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw) == 0 || raw[0] != version {
		return ErrEncoding
	}
	in := reader{rest: raw[1:]}
	shortest, length := in.uvarint(), in.uvarint()
	h.sumHi, h.sumLo, h.overflow = in.uvarint(), in.uvarint(), in.uvarint()
	longest := shortest + length
	h.count = h.overflow
	first, last := -1, -1
	for !in.bad && len(in.rest) > 0 {
		head := in.uvarint()
		n := uint64(1)
		if head&1 == 1 {
			n = in.uvarint() + 2
		}
		if head>>1 > octaves*perOct || n == 0 || n == 1 && head&1 == 1 || h.count+n < h.count {
			in.bad = true
			break
		}
		last += int(head>>1) + 1
		if last >= octaves*perOct {
			in.bad = true
			break
		}
		if first < 0 {
			first = last
		}
		h.add(last, n)
	}
	h.min, h.max = time.Duration(shortest), time.Duration(longest)
	if in.bad || longest < shortest || h.min < 0 || h.max < 0 || h.count == 0 || !h.coherent(first, last) {
		h.Reset()
		return ErrEncoding
	}
	return nil
}

// add counts n more in the bucket of that index.
func (h *Histogram) add(index int, n uint64) {
	k := index / perOct
	h.octave(k)[index%perOct] += n
	h.touched |= 1 << k
	h.count += n
}

// coherent reports whether min, max and sum can belong to the buckets, of
// which first and last are the outermost (−1: all is overflow).
func (h *Histogram) coherent(first, last int) bool {
	inBucket := func(d time.Duration, index int) bool {
		if index < 0 {
			return d >= Limit
		}
		low, high := span(index/perOct, uint64(index%perOct))
		return d >= low && d < high
	}
	if !inBucket(h.min, first) {
		return false
	}
	if h.overflow > 0 && h.max < Limit || h.overflow == 0 && !inBucket(h.max, last) {
		return false
	}
	// n·min ≤ sum ≤ n·max, which also keeps Mean's division in range.
	lowHi, lowLo := bits.Mul64(h.count, uint64(h.min))
	highHi, highLo := bits.Mul64(h.count, uint64(h.max))
	return !less(h.sumHi, h.sumLo, lowHi, lowLo) && !less(highHi, highLo, h.sumHi, h.sumLo)
}

// less compares two 128-bit numbers.
func less(aHi, aLo, bHi, bLo uint64) bool { return aHi < bHi || aHi == bHi && aLo < bLo }

// reader takes varints off a slice and remembers whether one was malformed.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
