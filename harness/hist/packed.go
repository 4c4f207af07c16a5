package hist

import (
	"encoding/base64"
	"math/bits"
	"time"
)

// Packed is a histogram at rest: the encoding before base64, some 100 bytes where the
// histogram itself takes several kilobytes. A run keeps one for each row and second.
// The empty Packed is the empty histogram. Only [Pack] and UnmarshalText make others, so
// that reading one never fails.
type Packed string

// Pack encodes what h has counted; nil counts as empty. h is unchanged.
func Pack(h *Histogram) Packed {
	if h == nil || h.count == 0 {
		return ""
	}
	var room [512]byte
	return Packed(h.appendRaw(room[:0]))
}

// Unpack returns the histogram, empty but never nil.
func (p Packed) Unpack() *Histogram {
	h := new(Histogram)
	p.AddTo(h)
	return h
}

// AddTo merges the histogram into h without taking memory for a second one.
func (p Packed) AddTo(h *Histogram) {
	if p == "" {
		return
	}
	in := reader{rest: []byte(p[1:])}
	head := in.head()
	if h.count == 0 {
		h.min, h.max = head.shortest, head.longest
	} else {
		h.min, h.max = min(h.min, head.shortest), max(h.max, head.longest)
	}
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, head.sumLo, 0)
	h.sumHi += head.sumHi + carry
	h.overflow += head.overflow
	h.count += head.overflow
	for last := -1; len(in.rest) > 0; {
		skipped, n := in.bucket()
		last += skipped + 1
		h.add(last, n)
	}
}

// MarshalText is the text of the histogram itself. The error is nil.
func (p Packed) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, []byte(p)), nil
}

// UnmarshalText takes what MarshalText wrote, of a Packed or of a [Histogram]. Other
// text gives [ErrEncoding].
func (p *Packed) UnmarshalText(text []byte) error {
	var h Histogram
	if err := h.UnmarshalText(text); err != nil {
		return err
	}
	*p = Pack(&h)
	return nil
}

// heading is what stands before the buckets.
type heading struct {
	shortest, longest      time.Duration
	sumHi, sumLo, overflow uint64
}

func (r *reader) head() heading {
	shortest, length := r.uvarint(), r.uvarint()
	h := heading{sumHi: r.uvarint(), sumLo: r.uvarint(), overflow: r.uvarint()}
	h.shortest, h.longest = time.Duration(shortest), time.Duration(shortest+length)
	return h
}

// bucket reads how many buckets are empty before the next one, and its count.
func (r *reader) bucket() (skipped int, n uint64) {
	head := r.uvarint()
	if head&1 == 1 {
		return int(head >> 1), r.uvarint() + 2
	}
	return int(head >> 1), 1
}
