package consent

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Windows hosts carry no time zone database
)

// Operation is a sort of action that consent can name.
type Operation string

// The operations. What mails people or lasts beyond the run has a name of its
// own, so that nobody consents to it by accident.
const (
	Read      Operation = "read"
	Create    Operation = "create"
	Change    Operation = "change"
	Delete    Operation = "delete"
	Mail      Operation = "mail"
	Rules     Operation = "inbox-rules"
	AutoReply Operation = "automatic-replies"
	Delegates Operation = "delegates"
	Sharing   Operation = "calendar-sharing"
	Webhooks  Operation = "webhooks"
	Lists     Operation = "distribution-lists"
)

// Operations are all operations, in the order of the documentation.
func Operations() []Operation {
	return []Operation{Read, Create, Change, Delete, Mail, Rules, AutoReply, Delegates, Sharing, Webhooks, Lists}
}

// UnmarshalText accepts exactly the names that Operations lists.
func (o *Operation) UnmarshalText(text []byte) error {
	if !slices.Contains(Operations(), Operation(text)) {
		return fmt.Errorf("%q is not an operation: %v are", text, Operations())
	}
	*o = Operation(text)
	return nil
}

// Network is a range of addresses, written 203.0.113.0/24 or as one address.
type Network struct{ netip.Prefix }

// UnmarshalText reads a prefix or a single address.
func (n *Network) UnmarshalText(text []byte) error {
	s := string(text)
	if addr, err := netip.ParseAddr(s); err == nil {
		n.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is neither an address nor a network such as 203.0.113.0/24", s)
	}
	n.Prefix = p
	return nil
}

// Date is a day, written 2026-12-31.
type Date struct{ day time.Time }

// UnmarshalText reads a day.
func (d *Date) UnmarshalText(text []byte) error {
	day, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day such as 2026-12-31", text)
	}
	d.day = day
	return nil
}

// IsZero tells that no day was given.
func (d Date) IsZero() bool { return d.day.IsZero() }

// String is the day as written.
func (d Date) String() string { return d.day.Format(time.DateOnly) }

// End is the first instant after the day, in zone.
func (d Date) End(zone *time.Location) time.Time {
	y, m, day := d.day.Date()
	return time.Date(y, m, day+1, 0, 0, 0, 0, zone)
}

// Window is the time of the week in which a run may send. It may cross
// midnight: from 20:00 to 06:00 on Friday ends on Saturday morning.
type Window struct {
	Days []Day `yaml:"days"` // empty: every day
	From Clock `yaml:"from"`
	To   Clock `yaml:"to"` // exclusive; equal to from: the whole day
	Zone Zone  `yaml:"zone"`
}

// String is the window as one phrase.
func (w *Window) String() string {
	days := "every day"
	if len(w.Days) > 0 {
		names := make([]string, len(w.Days))
		for i, d := range w.Days {
			names[i] = d.String()
		}
		days = strings.Join(names, ",")
	}
	return fmt.Sprintf("%s %s-%s %s", days, w.From, w.To, w.Zone)
}

// Contains tells whether t lies in the window.
func (w *Window) Contains(t time.Time) bool {
	local := t.In(w.Zone.Location())
	now := Clock(local.Hour()*60 + local.Minute())
	today := w.on(local.Weekday())
	if w.From < w.To {
		return today && now >= w.From && now < w.To
	}
	if w.From == w.To {
		return today
	}
	yesterday := w.on((local.Weekday() + 6) % 7)
	return today && now >= w.From || yesterday && now < w.To
}

func (w *Window) on(d time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, Day(d))
}

// Day is a day of the week, written mon, tue … sun.
type Day time.Weekday

var dayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// String is the day as written.
func (d Day) String() string { return dayNames[d] }

// UnmarshalText reads a day's three letters.
func (d *Day) UnmarshalText(text []byte) error {
	i := slices.Index(dayNames[:], strings.ToLower(string(text)))
	if i < 0 {
		return fmt.Errorf("%q is not a day: mon, tue, wed, thu, fri, sat and sun are", text)
	}
	*d = Day(i)
	return nil
}

// Clock is a time of day in minutes after midnight, written "20:00".
type Clock int

// String is the time as written.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// UnmarshalText reads a time of day.
func (c *Clock) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf(`%q is not a time of day such as "20:00"`, text)
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// Zone is a time zone by its IANA name; the zero value is UTC.
type Zone struct{ loc *time.Location }

var errZone = errors.New(`a zone is an IANA name such as "Europe/Berlin"`)

// UnmarshalText reads a zone's name. "Local" is refused: it means something
// else on every machine.
func (z *Zone) UnmarshalText(text []byte) error {
	name := string(text)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return fmt.Errorf("%q is no zone: %w", name, errZone)
	}
	z.loc = loc
	return nil
}

// Location is the zone for package time.
func (z Zone) Location() *time.Location {
	if z.loc == nil {
		return time.UTC
	}
	return z.loc
}

// String is the zone's name.
func (z Zone) String() string { return z.Location().String() }
