package zone_test

import (
	"testing"
	"time"

	"cutover/harness/lab/zone"
)

func TestEveryNameOfTheTablesLoads(t *testing.T) {
	for _, name := range append(zone.Windows(), zone.IANA()...) {
		if _, ok := zone.Load(name); !ok {
			t.Errorf("%s does not load", name)
		}
	}
}

func TestNames(t *testing.T) {
	summer := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name   string
		offset int
		ok     bool
	}{
		{"", 0, true}, {"UTC", 0, true}, {"utc", 0, true}, {"tzone://Microsoft/Utc", 0, true}, {zone.Custom, 0, true}, {"Customized Time Zone", 0, true},
		{"W. Europe Standard Time", 2, true}, {"w. europe standard time", 2, true}, {"Europe/Berlin", 2, true}, {"europe/kiev", 3, true}, {"Pacific Standard Time", -7, true},
		{"Mars", 0, false}, {"Europe/Vaduz", 0, false}, {"../../etc/passwd", 0, false},
	} {
		loc, ok := zone.Load(tc.name)
		if ok != tc.ok {
			t.Errorf("%q: %v, want %v", tc.name, ok, tc.ok)
			continue
		}
		if ok {
			if _, offset := summer.In(loc).Zone(); offset != tc.offset*3600 {
				t.Errorf("%q: %d h from UTC, want %d", tc.name, offset/3600, tc.offset)
			}
		}
	}
}
