package store

// tombstone says that a thing went away, and with which change.
type tombstone struct {
	change uint64
	ref    Ref
}

// graves remembers what went away from a collection, for delta.
type graves struct {
	list []tombstone
	lost uint64 // change number of the newest forgotten one
}

// maxGraves bounds the memory of one collection; the older half goes first, and
// who last asked before that has to start anew.
const maxGraves = 10_000

func (g *graves) add(change uint64, r Ref) {
	if len(g.list) >= maxGraves {
		half := len(g.list) / 2
		g.lost = g.list[half-1].change
		g.list = append(g.list[:0], g.list[half:]...)
	}
	g.list = append(g.list, tombstone{change, r})
}

// all is what is remembered; of no collection nothing is.
func (g *graves) all() []tombstone {
	if g == nil {
		return nil
	}
	return g.list
}
