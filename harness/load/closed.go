package load

import (
	"fmt"
	"time"

	"cutover/suites/strictyaml"
)

// Closed is load by users who ask, wait for the answer, think, and ask again.
// Each path has its own users. A slow target is asked less often: response
// times of a closed load hide what an arrival at the wrong moment would have
// waited.
type Closed struct {
	// Users at the same time on each path.
	Users int
	// Think is the pause between the end of an iteration and the next.
	Think time.Duration
	// Pace, when set, is the time from the start of an iteration to the start
	// of the next; an iteration that takes longer is followed at once, without
	// making up for it.
	Pace time.Duration
	// Over is the time over which the users arrive one by one; 0 starts them
	// together.
	Over time.Duration
	// For is when no further iteration starts; 0 means not by time.
	For time.Duration
	// Iterations of all users of a path together; 0 means not by number.
	Iterations uint64
}

type closedParams struct {
	Users      int           `yaml:"users,required" min:"1" doc:"Users at the same time, on each path."`
	Think      time.Duration `yaml:"think" doc:"Pause between the end of an iteration and the next."`
	Pace       time.Duration `yaml:"pace" doc:"Instead of think: time from the start of an iteration to the start of the next."`
	Over       time.Duration `yaml:"over" doc:"Time over which the users arrive (default: all at once)."`
	For        time.Duration `yaml:"for" doc:"Length of the phase."`
	Iterations uint64        `yaml:"iterations" doc:"End after so many iterations of all users of a path together."`
}

func compileClosed(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	var p closedParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	var problems strictyaml.Problems
	if p.For == 0 && p.Iterations == 0 {
		problems.Add(b.Pos, "the end is missing: say for: 30s, or iterations: 1000")
	}
	if p.Think > 0 && p.Pace > 0 {
		problems.Add(b.Pos, "say either think or pace, not both")
	}
	if p.For > 0 && p.Over >= p.For {
		problems.Add(b.Pos, "the users arrive over %v, but the phase ends after %v", p.Over, p.For)
	}
	if p.Users > maxUsers {
		problems.Add(b.Pos, "%d users are more than %d", p.Users, maxUsers)
	}
	return Compiled{Closed: &Closed{p.Users, p.Think, p.Pace, p.Over, p.For, p.Iterations}}, problems
}

// maxUsers bounds a closed load; each user is a goroutine with a connection.
const maxUsers = 100_000

// Start returns when user i, counted from 0, begins.
func (c Closed) Start(i int) time.Duration {
	return time.Duration(float64(c.Over) * float64(i) / float64(max(c.Users, 1)))
}

// Next returns when a user whose iteration began and ended at these offsets
// begins the next one.
func (c Closed) Next(began, ended time.Duration) time.Duration {
	if c.Pace > 0 {
		return max(ended, began+c.Pace)
	}
	return ended + c.Think
}

// Describe says the load in one line.
func (c Closed) Describe() string {
	text := fmt.Sprintf("closed, %d users", c.Users)
	if c.Think > 0 {
		text += fmt.Sprintf(" thinking %v", c.Think)
	}
	if c.Pace > 0 {
		text += fmt.Sprintf(" each %v", c.Pace)
	}
	if c.Over > 0 {
		text += fmt.Sprintf(" arriving over %v", c.Over)
	}
	if c.For > 0 {
		text += fmt.Sprintf(" for %v", c.For)
	}
	if c.Iterations > 0 {
		text += fmt.Sprintf(", %d iterations", c.Iterations)
	}
	return text
}
