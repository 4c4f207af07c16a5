package vars

import (
	"strings"
	"time"
)

// dateNames are midnights of the anchor's day and week in UTC, and the anchor itself.
// Each may be followed by a form (.date, .local) and then by offsets: monday.local+9h30m.
var dateNames = []string{"now", "today", "monday", "sunday"}

// Forms of a date: with its zone (2026-11-16T09:00:00Z), without one, for a property that
// names its zone beside it (2026-11-16T09:00:00), and the day alone (2026-11-16).
const (
	formInstant = "2006-01-02T15:04:05Z"
	formLocal   = "2006-01-02T15:04:05"
	formDate    = "2006-01-02"
)

// date is a parsed date name.
type date struct {
	base, form string
	offset     time.Duration
}

// maxOffset keeps sums of offsets far from overflow: about ten years.
const maxOffset = 3660 * 24 * time.Hour

// parseDate reads BASE[.FORM][±OFFSET…]. It allocates nothing.
func parseDate(name string) (d date, ok bool) {
	base := name
	if at := strings.IndexAny(name, "+-"); at >= 0 {
		base = name[:at]
		if d.offset, ok = parseOffset(name[at:]); !ok {
			return date{}, false
		}
	}
	d.form = formInstant
	if before, found := strings.CutSuffix(base, ".local"); found {
		base, d.form = before, formLocal
	} else if before, found := strings.CutSuffix(base, ".date"); found {
		base, d.form = before, formDate
	}
	for _, known := range dateNames {
		if base == known {
			d.base = known
			return d, true
		}
	}
	return date{}, false
}

// parseOffset reads one or more of ±N followed by w, d, h, m or s; a sign holds until the next.
func parseOffset(s string) (total time.Duration, ok bool) {
	sign := time.Duration(1)
	for len(s) > 0 {
		switch s[0] {
		case '+', '-':
			sign = 1
			if s[0] == '-' {
				sign = -1
			}
			s = s[1:]
		}
		digits := 0
		var n time.Duration
		for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' && digits < 9 {
			n = n*10 + time.Duration(s[digits]-'0')
			digits++
		}
		if digits == 0 || digits == len(s) {
			return 0, false
		}
		unit := unitOf(s[digits])
		if unit == 0 || n > maxOffset/unit {
			return 0, false
		}
		total += sign * n * unit
		if total > maxOffset || total < -maxOffset {
			return 0, false
		}
		s = s[digits+1:]
	}
	return total, true
}

func unitOf(c byte) time.Duration {
	switch c {
	case 'w':
		return 7 * 24 * time.Hour
	case 'd':
		return 24 * time.Hour
	case 'h':
		return time.Hour
	case 'm':
		return time.Minute
	case 's':
		return time.Second
	}
	return 0
}

// at is the instant that a date means, seen from an anchor.
func (d date) at(anchor time.Time) time.Time {
	anchor = anchor.UTC()
	midnight := time.Date(anchor.Year(), anchor.Month(), anchor.Day(), 0, 0, 0, 0, time.UTC)
	sinceMonday := (int(anchor.Weekday()) + 6) % 7
	switch d.base {
	case "today":
		anchor = midnight
	case "monday":
		anchor = midnight.AddDate(0, 0, -sinceMonday)
	case "sunday":
		anchor = midnight.AddDate(0, 0, 6-sinceMonday)
	}
	return anchor.Add(d.offset)
}
