package recur_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab/recur"
)

func date(t *testing.T, s string) recur.Date {
	t.Helper()
	d, err := recur.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRules(t *testing.T) {
	weekdays := []time.Weekday{time.Monday, time.Wednesday}
	for _, tc := range []struct {
		it    string
		start string
		rule  recur.Rule
		want  string
	}{
		{"comes every second day", "2026-02-27", recur.Rule{Kind: recur.Daily, Interval: 2}, "02-27 03-01 03-03 03-05"},
		{"ends on its last date", "2026-02-27", recur.Rule{Kind: recur.Daily, Interval: 1, End: recur.EndDate, Until: 20512}, "02-27 02-28"},
		{"ends after its number", "2026-02-27", recur.Rule{Kind: recur.Daily, Interval: 1, End: recur.Numbered, Count: 3}, "02-27 02-28 03-01"},
		{"comes on two days of a week", "2026-03-03", recur.Rule{Kind: recur.Weekly, Interval: 1, Days: weekdays}, "03-04 03-09 03-11 03-16"},
		{"counts weeks from Sunday", "2026-03-04", recur.Rule{Kind: recur.Weekly, Interval: 2, Days: []time.Weekday{time.Sunday, time.Wednesday}}, "03-04 03-15 03-18 03-29"},
		{"counts weeks from Monday when told", "2026-03-04", recur.Rule{Kind: recur.Weekly, Interval: 2, FirstDay: time.Monday, Days: []time.Weekday{time.Sunday, time.Wednesday}}, "03-04 03-08 03-18 03-22"},
		{"takes the last day of a short month", "2026-01-31", recur.Rule{Kind: recur.AbsoluteMonthly, Interval: 1, DayOfMonth: 31}, "01-31 02-28 03-31 04-30"},
		{"takes the second Tuesday", "2026-01-13", recur.Rule{Kind: recur.RelativeMonthly, Interval: 1, Days: []time.Weekday{time.Tuesday}, Index: 1}, "01-13 02-10 03-10 04-14"},
		{"takes the last weekday of several", "2026-01-30", recur.Rule{Kind: recur.RelativeMonthly, Interval: 1, Days: []time.Weekday{time.Thursday, time.Friday}, Index: 4}, "01-30 02-27 03-27 04-30"},
		{"comes on a day of the year", "2024-02-29", recur.Rule{Kind: recur.AbsoluteYearly, Interval: 1, Month: 2, DayOfMonth: 29}, "02-29 02-28 02-28 02-28"},
		{"comes on a weekday of the year", "2026-03-29", recur.Rule{Kind: recur.RelativeYearly, Interval: 1, Month: 3, Days: []time.Weekday{time.Sunday}, Index: 4}, "03-29 03-28 03-26 03-25"},
		{"has nothing on no day", "2026-03-03", recur.Rule{Kind: recur.Weekly, Interval: 1}, ""},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			tc.rule.Start = date(t, tc.start)
			if tc.rule.End == "" {
				tc.rule.End = recur.NoEnd
			}
			var got []string
			tc.rule.Dates(func(d recur.Date) bool {
				got = append(got, d.String()[5:])
				return len(got) < 4
			})
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("%s, want %s", s, tc.want)
			}
		})
	}
}

func TestARuleEndsAtItsHorizon(t *testing.T) {
	r := recur.Rule{Kind: recur.AbsoluteYearly, Interval: 1, Month: 1, DayOfMonth: 1, End: recur.NoEnd, Start: date(t, "2026-01-01")}
	n := 0
	r.Dates(func(recur.Date) bool { n++; return true })
	if n < 60 || n > 62 {
		t.Errorf("%d years", n)
	}
	if !r.Has(date(t, "2030-01-01")) || r.Has(date(t, "2030-01-02")) || r.Has(date(t, "2020-01-01")) {
		t.Errorf("Has is wrong")
	}
}

func TestIncompleteRules(t *testing.T) {
	ok := recur.Rule{Kind: recur.Daily, Interval: 1, End: recur.NoEnd}
	if err := ok.Check(); err != nil {
		t.Errorf("%v", err)
	}
	for it, r := range map[string]recur.Rule{
		"an interval":        {Kind: recur.Daily, End: recur.NoEnd},
		"a kind":             {Interval: 1, End: recur.NoEnd},
		"an end":             {Kind: recur.Daily, Interval: 1},
		"days of a week":     {Kind: recur.Weekly, Interval: 1, End: recur.NoEnd},
		"a day of the month": {Kind: recur.AbsoluteMonthly, Interval: 1, End: recur.NoEnd},
		"a month":            {Kind: recur.AbsoluteYearly, Interval: 1, DayOfMonth: 1, End: recur.NoEnd},
		"a month with a day": {Kind: recur.RelativeYearly, Interval: 1, Days: []time.Weekday{1}, End: recur.NoEnd},
		"a number":           {Kind: recur.Daily, Interval: 1, End: recur.Numbered},
		"an end after start": {Kind: recur.Daily, Interval: 1, End: recur.EndDate, Start: 10, Until: 9},
	} {
		if r.Check() == nil {
			t.Errorf("it does not want %s", it)
		}
	}
}

func TestDates(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no zone database")
	}
	d := date(t, "2026-03-29")
	if got := d.At(9*time.Hour+30*time.Minute, berlin).UTC(); fmt.Sprint(got) != "2026-03-29 07:30:00 +0000 UTC" {
		t.Errorf("%v", got)
	}
	if d.Weekday() != time.Sunday || recur.Date(-4).Weekday() != time.Sunday || d.String() != "2026-03-29" || recur.DateOf(d.Midnight()) != d {
		t.Errorf("%v %v", d.Weekday(), d)
	}
	if _, err := recur.ParseDate("soon"); err == nil {
		t.Errorf("soon is a date")
	}
}
