// Package recur expands recurrence rules into dates. It knows calendar dates
// only: what time of day a date means, and in which zone, is its caller's.
// The semantics are those of Outlook's patterned recurrence.
package recur

import (
	"errors"
	"time"
)

// Date is a day, counted from 1970-01-01.
type Date int32

// DateOf is the day that t shows in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Day(y, m, d)
}

// Day is the date of a year, month and day; overflowing days are carried on.
func Day(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Midnight is the beginning of the day in UTC.
func (d Date) Midnight() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// At is the wall clock's hour, minute, … of the day in loc. A time that a change
// of the clocks skips is moved as package time does.
func (d Date) At(sinceMidnight time.Duration, loc *time.Location) time.Time {
	y, m, day := d.Midnight().Date()
	h := int(sinceMidnight / time.Hour)
	min := int(sinceMidnight % time.Hour / time.Minute)
	sec := int(sinceMidnight % time.Minute / time.Second)
	return time.Date(y, m, day, h, min, sec, 0, loc)
}

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// String is the date as yyyy-MM-dd.
func (d Date) String() string { return d.Midnight().Format(time.DateOnly) }

// ParseDate reads yyyy-MM-dd.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, err
	}
	return DateOf(t), nil
}

// Kind is how the dates of a rule follow each other.
type Kind string

// The kinds, in the words of Graph v1.0.
const (
	Daily           Kind = "daily"
	Weekly          Kind = "weekly"
	AbsoluteMonthly Kind = "absoluteMonthly"
	RelativeMonthly Kind = "relativeMonthly"
	AbsoluteYearly  Kind = "absoluteYearly"
	RelativeYearly  Kind = "relativeYearly"
)

// End is how a rule ends.
type End string

// The ends, in the words of Graph v1.0.
const (
	EndDate  End = "endDate"
	NoEnd    End = "noEnd"
	Numbered End = "numbered"
)

// Rule is a recurrence: a pattern and its range.
type Rule struct {
	Kind       Kind
	Interval   int            // every n-th day, week, month, year
	Month      int            // 1–12 for the yearly kinds, else 0
	DayOfMonth int            // 1–31 for the absolute kinds, else 0; in a shorter month its last day
	Days       []time.Weekday // weekly and relative kinds
	FirstDay   time.Weekday   // where a week begins, for weekly rules with an interval
	Index      int            // 0 first … 3 fourth, 4 last; relative kinds
	End        End
	Start      Date
	Until      Date   // inclusive; of EndDate
	Count      int    // of Numbered
	Zone       string // recurrence time zone as given
}

// ErrRule says that a rule lacks what its kind requires.
var ErrRule = errors.New("incomplete recurrence")

// Check says whether the rule has what its kind requires.
func (r *Rule) Check() error {
	ok := r.Interval > 0 && r.Interval <= 999
	switch r.Kind {
	case Daily:
	case Weekly, RelativeMonthly:
		ok = ok && len(r.Days) > 0
	case AbsoluteMonthly:
		ok = ok && r.DayOfMonth >= 1 && r.DayOfMonth <= 31
	case AbsoluteYearly:
		ok = ok && r.DayOfMonth >= 1 && r.DayOfMonth <= 31 && r.Month >= 1 && r.Month <= 12
	case RelativeYearly:
		ok = ok && len(r.Days) > 0 && r.Month >= 1 && r.Month <= 12
	default:
		ok = false
	}
	switch r.End {
	case NoEnd:
	case EndDate:
		ok = ok && r.Until >= r.Start
	case Numbered:
		ok = ok && r.Count > 0 && r.Count <= 999
	default:
		ok = false
	}
	if !ok {
		return ErrRule
	}
	return nil
}
