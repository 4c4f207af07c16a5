package suites

import "cutover/suites/strictyaml"

// Asked is a step as one path does it.
type Asked struct {
	Operation Operation
	Expect    Expect
	Capture   strictyaml.Map[string]
	// OwnWords marks a request that the path says in its own words: it is sent as written,
	// and nothing but its captures can be compared.
	OwnWords bool
	// Because says why the path differs, "" when it does not or gives no reason.
	Because string
}

// Asked resolves the step for a path, by its name or, failing that, its side ("left" or
// "right"). What an override does not give is the step's own; an override with a verb
// takes over nothing of the step's request.
func (s *Step) Asked(path, side string) Asked {
	a := Asked{Operation: s.Operation, Expect: s.Expect, Capture: s.Capture}
	o, ok := s.On.Get(path)
	if !ok {
		if o, ok = s.On.Get(side); !ok {
			return a
		}
	}
	a.Because = o.Because
	if !o.Expect.IsZero() {
		a.Expect = o.Expect
	}
	if len(o.Capture) > 0 {
		a.Capture = o.Capture
	}
	if o.Method != "" {
		a.Operation, a.OwnWords = o.Operation, true
		return a
	}
	a.Operation = o.over(s.Operation)
	return a
}

// over returns the request of a step with what an override without a verb gives.
func (o *Override) over(op Operation) Operation {
	op.Query = replace(op.Query, o.Query)
	op.Headers = replace(op.Headers, o.Headers)
	if len(o.Prefer) > 0 {
		op.Prefer = o.Prefer
	}
	if !o.Body.IsZero() {
		op.Body, op.BodyFile, op.BodyBytes = o.Body, "", nil
	}
	if o.BodyFile != "" {
		op.Body, op.BodyFile, op.BodyBytes = strictyaml.Value{}, o.BodyFile, o.BodyBytes
	}
	if o.Timeout != 0 {
		op.Timeout = o.Timeout
	}
	op.Reads = op.Reads || o.Reads
	return op
}

// replace returns base with the entries of over, which win.
func replace[V any](base, over strictyaml.Map[V]) strictyaml.Map[V] {
	if len(over) == 0 {
		return base
	}
	var out strictyaml.Map[V]
	for _, e := range base {
		if _, ok := over.Get(e.Key); !ok {
			out = append(out, e)
		}
	}
	return append(out, over...)
}
