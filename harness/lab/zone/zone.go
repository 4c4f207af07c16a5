// Package zone resolves the time zone names that Exchange and Graph accept:
// Windows names, a documented list of IANA names, and the two tzone:// names of
// the legacy calendar.
package zone

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a Windows host has no IANA database of its own
)

// Custom is the name that stands for a zone which has none.
const Custom = "tzone://Microsoft/Custom"

// loaded caches locations by database name, *time.Location. Bounded by the tables.
var loaded sync.Map

// Load returns the location of an accepted zone name, in any case. "" is UTC. ok
// is false for a name that Graph refuses.
func Load(name string) (loc *time.Location, ok bool) {
	if name == "" || name == "UTC" {
		return time.UTC, true
	}
	target, known := lookup(name)
	if !known {
		return nil, false
	}
	if l, hit := loaded.Load(target); hit {
		return l.(*time.Location), true
	}
	loc, err := time.LoadLocation(target)
	if err != nil {
		return nil, false
	}
	loaded.Store(target, loc)
	return loc, true
}

func lookup(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "utc", "tzone://microsoft/utc", "etc/utc":
		return "UTC", true
	case strings.ToLower(Custom), "customized time zone":
		return "UTC", true
	}
	n := canonical(name)
	if t, ok := windows[n]; ok {
		return t, true
	}
	t, ok := iana[n]
	return t, ok
}

// canonical is the table's spelling of a name, or the name itself.
func canonical(name string) string {
	if _, ok := windows[name]; ok {
		return name
	}
	if _, ok := iana[name]; ok {
		return name
	}
	if n, ok := folded()[strings.ToLower(name)]; ok {
		return n
	}
	return name
}

var folded = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, len(windows)+len(iana))
	for n := range windows {
		m[strings.ToLower(n)] = n
	}
	for n := range iana {
		m[strings.ToLower(n)] = n
	}
	return m
})

// Windows lists the accepted Windows names, unordered.
func Windows() []string {
	names := make([]string, 0, len(windows)+1)
	for n := range windows {
		names = append(names, n)
	}
	return names
}

// IANA lists the accepted IANA names, unordered.
func IANA() []string {
	names := make([]string, 0, len(iana))
	for n := range iana {
		names = append(names, n)
	}
	return names
}
