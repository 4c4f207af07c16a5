package plan

import "cutover/suites/strictyaml"

// TooFast is a load above the ceilings of the profile. Nothing else is wrong with the
// plan; it is not slowed down in silence, because its figures would then be those of
// another load.
type TooFast struct {
	Problems strictyaml.Problems
	// Fits is the highest --rate that keeps to every ceiling, such as 12.3/s; "" where
	// no constant rate takes the place of the load.
	Fits string
}

// Error names every phase and path with the arithmetic.
func (t *TooFast) Error() string { return t.Problems.Error() }

// Unwrap returns the problems by themselves.
func (t *TooFast) Unwrap() error { return t.Problems }

// fitting notes a rate that keeps to one ceiling.
func (c *compiler) fitting(rate float64) {
	if c.fits == 0 || rate < c.fits {
		c.fits = rate
	}
}

// tooFast is the error of a plan whose only problems are ceilings.
func (c *compiler) tooFast() error {
	t := &TooFast{Problems: c.problems.Sorted()}
	for i := range c.plan.Phases {
		if c.plan.Phases[i].Load.Search != nil {
			return t
		}
	}
	if c.fits > 0 {
		t.Fits = floorFigure(c.fits) + "/s"
	}
	return t
}
