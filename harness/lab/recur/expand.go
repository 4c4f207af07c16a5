package recur

import "time"

// horizon bounds an expansion: no rule is followed further than this many days
// past its start, 60 years.
const horizon = 60 * 366

// Dates yields the dates of the rule in order until it ends, the horizon of 60
// years is reached or yield says stop.
func (r *Rule) Dates(yield func(Date) bool) {
	last := r.Start + horizon
	if r.End == EndDate && r.Until < last {
		last = r.Until
	}
	left := r.Count
	emit := func(d Date) bool {
		if d < r.Start {
			return true
		}
		if d > last {
			return false
		}
		if r.End == Numbered {
			if left == 0 {
				return false
			}
			left--
		}
		return yield(d)
	}
	interval := max(r.Interval, 1)
	switch r.Kind {
	case Daily:
		for d := r.Start; emit(d); d += Date(interval) {
		}
	case Weekly:
		r.weeks(interval, emit)
	case AbsoluteMonthly, RelativeMonthly:
		r.months(interval, emit)
	case AbsoluteYearly, RelativeYearly:
		r.months(interval*12, emit)
	}
}

func (r *Rule) weeks(interval int, emit func(Date) bool) {
	week := r.Start - Date((int(r.Start.Weekday())-int(r.FirstDay)+7)%7)
	var on [7]bool
	for _, d := range r.Days {
		on[(int(d)-int(r.FirstDay)+7)%7] = true
	}
	if on == [7]bool{} {
		return
	}
	for ; ; week += Date(7 * interval) {
		for i, yes := range on {
			if yes && !emit(week+Date(i)) {
				return
			}
		}
	}
}

func (r *Rule) months(step int, emit func(Date) bool) {
	y, m, _ := r.Start.Midnight().Date()
	if r.Kind == AbsoluteYearly || r.Kind == RelativeYearly {
		m = time.Month(r.Month)
	}
	for n := 0; ; n += step {
		first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		d, ok := r.inMonth(first)
		if ok && !emit(d) || DateOf(first) > r.Start+horizon {
			return
		}
	}
}

// inMonth is the rule's date in the month that begins with first.
func (r *Rule) inMonth(first time.Time) (Date, bool) {
	start := DateOf(first)
	end := DateOf(first.AddDate(0, 1, 0)) - 1
	if r.Kind == AbsoluteMonthly || r.Kind == AbsoluteYearly {
		return min(start+Date(r.DayOfMonth)-1, end), r.DayOfMonth > 0
	}
	match := func(d Date) bool {
		for _, w := range r.Days {
			if d.Weekday() == w {
				return true
			}
		}
		return false
	}
	if r.Index == 4 {
		for d := end; d >= start; d-- {
			if match(d) {
				return d, true
			}
		}
		return 0, false
	}
	left := r.Index
	for d := start; d <= end; d++ {
		if !match(d) {
			continue
		}
		if left == 0 {
			return d, true
		}
		left--
	}
	return 0, false
}

// Has says whether d is a date of the rule.
func (r *Rule) Has(d Date) bool {
	found := false
	r.Dates(func(x Date) bool {
		found = x == d
		return x < d
	})
	return found
}
