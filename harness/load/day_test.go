package load_test

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestADayHasTwoHumpsAndItsBusinessHoursTheMeanRate(t *testing.T) {
	hours := model(t, "day: {from: \"08:00\", for: 10h, rate: 10/s, arrivals: even}", 0)
	if got, want := float64(hours.Count()), 10.0*10*3600; math.Abs(got/want-1) > 0.02 {
		t.Errorf("business hours have %v arrivals, want %v within 2 %%", got, want)
	}
	day := model(t, "day: {from: \"00:00\", for: 1d, rate: 10/s, arrivals: even}", 0)
	for _, row := range []struct {
		it   string
		at   time.Duration
		want float64
	}{
		{"sleeps at night", 2*time.Hour + 30*time.Minute, 0.3},
		{"peaks at half past nine", 9*time.Hour + 30*time.Minute, 20},
		{"stays there for an hour", 10 * time.Hour, 20},
		{"has lunch", 12*time.Hour + 30*time.Minute, 4},
		{"peaks again", 14 * time.Hour, 14},
		{"changes steadily between the middles of two hours", 9 * time.Hour, 13},
		{"begins again at midnight", 24*time.Hour - time.Nanosecond, 0.3},
	} {
		t.Run(row.it, func(t *testing.T) {
			if got := day.RateAt(row.at); math.Abs(got-row.want) > 1e-6 {
				t.Errorf("%v/s at %v, want %v/s", got, row.at, row.want)
			}
		})
	}
}

func TestAStretchOfADay(t *testing.T) {
	for _, row := range []struct {
		it, text string
		want     uint64
	}{
		{"is as long as it says", "day: {from: \"09:30\", for: 1h, rate: 1/s}", 7200},
		{"asks for a share of the rate", "day: {from: \"09:30\", for: 1h, rate: 1/s, share: 10%}", 720},
		{"is even when the curve is flat", "day: {from: \"03:00\", for: 1h, rate: 1/s, curve: flat}", 3600},
		{"follows one's own hours, past midnight too", "day: {from: \"23:30\", for: 1h, rate: 1/s, hours: [3,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}", 7200},
		{"begins at nine when it does not say", "day: {for: 1s, rate: 100/s, arrivals: even}", 131},
	} {
		t.Run(row.it, func(t *testing.T) {
			if got := model(t, row.text, 1).Count(); got != row.want {
				t.Errorf("%d arrivals, want %d", got, row.want)
			}
		})
	}
}

func TestMistakesInADay(t *testing.T) {
	for _, row := range []struct{ it, text, want string }{
		{"needs a rate", "day: {for: 1h}", "suite.yaml:2:3: day needs the mean rate of business hours: say rate: 10/s, or give the suite populations"},
		{"knows the clock", "day: {from: \"9 am\", for: 1h, rate: 1/s}", "suite.yaml:2:3: from must be a time of day such as \"09:00\", not \"9 am\""},
		{"has 24 hours", "day: {for: 1h, rate: 1/s, hours: [1, 2]}", "suite.yaml:2:3: hours needs 24 numbers, one for each hour of the day, not 2"},
		{"takes a curve or hours", "day: {for: 1h, rate: 1/s, curve: flat, hours: [1]}", "suite.yaml:2:3: curve and hours exclude each other"},
		{"has no negative hour", "day: {for: 1h, rate: 1/s, hours: [-1" + strings.Repeat(",1", 23) + "]}", "suite.yaml:2:3: hours holds -1: the load of an hour is 0 or more"},
	} {
		t.Run(row.it, func(t *testing.T) {
			if _, problems := compile(t, row.text, 0); problems.Error() != row.want {
				t.Errorf("got  %s\nwant %s", problems.Error(), row.want)
			}
		})
	}
}

func TestADayOfPeopleIsRandomAndRepeats(t *testing.T) {
	const text = "day: {for: 10m, rate: 10/s}"
	first, again, other := all(model(t, text, 1)), all(model(t, text, 1)), all(model(t, text, 2))
	same := func(a, b []time.Duration) int {
		n := 0
		for i := range min(len(a), len(b)) {
			if a[i] == b[i] {
				n++
			}
		}
		return n
	}
	if len(first) != len(other) || same(first, again) != len(first) || same(first, other) > len(first)/100 {
		t.Errorf("%d arrivals, %d of them as with the same seed, %d as with another of %d", len(first), same(first, again), same(first, other), len(other))
	}
}
