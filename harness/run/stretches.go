package run

import (
	"cutover/harness/hist"
	"cutover/harness/result"
)

// stretches are where the time of the measured answers went, by row. No second, gate or trial asks
// for them, so that they are kept once a shard for the whole run, and not once for each
// stage that a second passes through.
type stretches []*stretch

// stretch is one row's: from the send to the first byte, and from there to the last.
type stretch struct{ first, receive hist.Histogram }

func (p stretches) record(m *sample) {
	if p[m.row] == nil {
		p[m.row] = new(stretch)
	}
	p[m.row].first.Record(m.first)
	p[m.row].receive.Record(m.receive)
}

// apart summarises a row over all shards; nil: no answer was taken apart.
func (r *recorder) apart(row int) (first, receive *result.Summary) {
	var all stretch
	for _, s := range r.shards {
		s.mu.Lock()
		if p := s.stretches[row]; p != nil {
			all.first.Merge(&p.first)
			all.receive.Merge(&p.receive)
		}
		s.mu.Unlock()
	}
	return result.SummariseAny(&all.first), result.SummariseAny(&all.receive)
}
