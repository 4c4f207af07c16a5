package load_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"cutover/harness/load"
)

// A closed load has no schedule, but its users have one: they arrive in their order,
// within the time given for it, and none asks again before its answer has come.
func TestUsersArriveInOrderAndWaitForTheirAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := func(name string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		c := load.Closed{Users: rapid.IntRange(1, 500).Draw(t, "users"), Over: span("over", time.Minute)}
		if rapid.Bool().Draw(t, "paced") {
			c.Pace = span("pace", time.Minute)
		} else {
			c.Think = span("think", time.Minute)
		}
		before := time.Duration(0)
		for i := range c.Users {
			at := c.Start(i)
			if at < before || at > c.Over || i == 0 && at != 0 {
				t.Fatalf("%s: user %d starts at %v, the one before at %v", c.Describe(), i, at, before)
			}
			before = at
		}
		began := span("began", time.Hour)
		ended := began + span("took", time.Minute)
		if next := c.Next(began, ended); next < ended || next > ended+max(c.Think, c.Pace) {
			t.Fatalf("%s: an iteration from %v to %v is followed at %v", c.Describe(), began, ended, next)
		}
	})
}
