package reports

import (
	"math"
	"strconv"
	"strings"
)

// absent stands where too few samples carry a value.
const absent = "–"

// sig3 writes v with three significant digits and no exponent: 0.512, 51.2,
// 512, 51,200.
func sig3(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	rounded := strconv.FormatFloat(v, 'e', 2, 64)
	exponent, _ := strconv.Atoi(rounded[strings.IndexByte(rounded, 'e')+1:])
	r, _ := strconv.ParseFloat(rounded, 64)
	return grouped(strconv.FormatFloat(r, 'f', max(0, min(6, 2-exponent)), 64))
}

// grouped puts commas between the thousands of a plain decimal number.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	return sign + b.String()
}

// count writes a number of things in full.
func count(n uint64) string { return grouped(strconv.FormatUint(n, 10)) }

// plural writes a number with its noun: "1 leg", "2,000 legs".
func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// ms writes milliseconds without their unit: columns carry it.
func ms(v *float64) string {
	if v == nil {
		return absent
	}
	return sig3(*v)
}

// signed writes a shift with its sign.
func signed(v *float64) string {
	switch {
	case v == nil:
		return absent
	case *v > 0:
		return "+" + sig3(*v)
	case *v < 0:
		return "−" + sig3(-*v)
	}
	return "0"
}

// withUnit writes a duration in milliseconds with the unit a reader expects:
// "250 µs", "41.2 ms", "1.2 s".
func withUnit(millis float64) string {
	switch a := math.Abs(millis); {
	case a == 0:
		return "0 ms"
	case a < 1:
		return trimmed(millis*1000) + " µs"
	case a < 1000:
		return trimmed(millis) + " ms"
	}
	return trimmed(millis/1000) + " s"
}

// trimmed is sig3 without zeros that say nothing: 10, not 10.0.
func trimmed(v float64) string {
	s := sig3(v)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// share writes a part of one in per cent; what is not quite nothing or not
// quite everything never rounds to it.
func share(v float64) string {
	switch {
	case v <= 0:
		return "0 %"
	case v < 0.001:
		return "<0.1 %"
	case v >= 1:
		return "100 %"
	case v > 0.999:
		return ">99.9 %"
	}
	return trimmed(v*100) + " %"
}

// size writes bytes in powers of ten.
func size(bytes uint64) string {
	v := float64(bytes)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if v < 1000 {
			return trimmed(v) + " " + unit
		}
		v /= 1000
	}
	return trimmed(v) + " TB"
}

// seconds writes a length of time given in seconds: "30 s", "10 min", "2 h".
func seconds(v float64) string {
	switch {
	case v < 120:
		return trimmed(v) + " s"
	case v < 7200:
		return trimmed(v/60) + " min"
	}
	return trimmed(v/3600) + " h"
}
