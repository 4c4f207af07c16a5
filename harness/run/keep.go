package run

import (
	"slices"
	"time"

	"cutover/harness/result"
)

// FindingsKeeper is a Folder that takes in the findings so far as well, so that a
// run that is killed keeps them; *runfolder.Folder is one.
type FindingsKeeper interface {
	WriteFindings([]result.Finding) error
}

// keepShare bounds the time that writing the findings down may take: a twentieth
// of the run.
const keepShare = 20

// keeper writes the findings so far into the folder, once a second at most and
// only when they changed. It belongs to the books' goroutine.
type keeper struct {
	last  []uint64 // how often each finding was seen when they were last written
	again time.Time
	seen  int // distinct findings so far
}

// count returns the pairs so far; nil: nothing is compared.
func (k *keeper) count(r *runner) *result.Comparison {
	if r.pairs.comparer == nil {
		return nil
	}
	counted := r.pairs.comparer.Counted()
	return &counted
}

// keep is called at the end of each second.
func (k *keeper) keep(r *runner, now time.Time) {
	if r.pairs.comparer == nil || now.Before(k.again) {
		return
	}
	findings := r.pairs.comparer.SoFar()
	k.seen = len(findings)
	counts := make([]uint64, len(findings))
	for i, f := range findings {
		counts[i] = f.Count
	}
	folder, keeps := r.deps.Folder.(FindingsKeeper)
	if keeps && !slices.Equal(counts, k.last) {
		if r.deps.Waive != nil {
			findings, _ = r.deps.Waive(findings)
		}
		if err := folder.WriteFindings(findings); err != nil {
			r.abort(err)
		}
		k.last = counts
	}
	k.again = now.Add(keepShare * r.clock.Now().Sub(now))
}

// begin opens the record before the first leg: a run whose record has no line was
// killed before it had asked anything.
func (b *books) begin() {
	r := b.run
	if r.deps.Folder == nil {
		return
	}
	first := &r.plan.Phases[0]
	if err := r.deps.Folder.AppendSecond(result.Second{Phase: first.Name, Measured: first.Measured, Ahead: b.due.first() + b.loops.first(r.plan)}); err != nil {
		r.abort(err)
	}
}

// begun is how many legs got going.
func (t *tally) begun() (n uint64) {
	for _, p := range t.phases {
		n += p.begun
	}
	return n
}
