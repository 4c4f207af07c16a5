package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as the suite and profile languages write it: Go's
// syntax plus d for 24 hours ("500ms", "1m30s", "1d12h"). A bare number is refused.
type Duration time.Duration

// Rate is how often something happens: "50/s", "120/m", "60/h".
type Rate struct {
	// PerSecond is the rate in events per second.
	PerSecond float64
	// Text is the rate as it was written, for messages.
	Text string
}

// Percent is a share: "0.5%" is 0.005.
type Percent float64

var (
	errBareDuration = errors.New(`a duration needs its unit, such as "5s", "250ms", "1h30m" or "2d"`)
	errRateUnit     = errors.New(`a rate needs its unit, such as "50/s", "120/m" or "60/h"`)
	errPercentUnit  = errors.New(`a share needs its %, such as "0.5%" or "100%"`)
)

// maxDays keeps the sum of all parts far from overflow: ten years.
const maxDays = 3660

// ParseDuration reads Go's duration syntax plus d for days, which come first. Negative
// durations are refused: nothing in the languages runs backwards.
func ParseDuration(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if s == "0" {
		return 0, nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, bare(s, errBareDuration, "s")
	}
	if strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("%q is negative: a duration cannot be", text)
	}
	var days time.Duration
	if count, rest, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseFloat(count, 64)
		if err != nil || !(n >= 0 && n <= maxDays) {
			return 0, fmt.Errorf("%q is not a duration: %w", text, errBareDuration)
		}
		days = time.Duration(n * 24 * float64(time.Hour))
		if rest == "" {
			return days, nil
		}
		s = rest
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxDays*24*time.Hour {
		return 0, fmt.Errorf("%q is not a duration: %w", text, errBareDuration)
	}
	return days + d, nil
}

func bare(number string, what error, unit string) error {
	return fmt.Errorf("%w: write %q, not %s", what, number+unit, number)
}

// ParseRate reads "N/s", "N/m" or "N/h" with N above zero.
func ParseRate(text string) (Rate, error) {
	s := strings.TrimSpace(text)
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return Rate{}, bare(s, errRateUnit, "/s")
	}
	count, unit, found := strings.Cut(s, "/")
	n, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
	if !found || err != nil {
		return Rate{}, fmt.Errorf("%q is not a rate: %w", text, errRateUnit)
	}
	if !(n > 0) || math.IsInf(n, 0) {
		return Rate{}, fmt.Errorf("%q is not above zero, as a rate must be", text)
	}
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if seconds == 0 {
		return Rate{}, fmt.Errorf("%q is not a rate: %w", text, errRateUnit)
	}
	return Rate{PerSecond: n / seconds, Text: s}, nil
}

// ParsePercent reads "N%" with N between 0 and 100 and returns the share.
func ParsePercent(text string) (Percent, error) {
	s := strings.TrimSpace(text)
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, bare(s, errPercentUnit, "%")
	}
	count, found := strings.CutSuffix(s, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
	if !found || err != nil {
		return 0, fmt.Errorf("%q is not a share: %w", text, errPercentUnit)
	}
	if !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf("%q is not between 0%% and 100%%", text)
	}
	return Percent(n / 100), nil
}

// D returns the duration as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is Go's spelling.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// IsZero reports whether no rate was given.
func (r Rate) IsZero() bool { return r.PerSecond == 0 }

// String is the rate as it was written, or in events per second.
func (r Rate) String() string {
	if r.Text != "" {
		return r.Text
	}
	return strconv.FormatFloat(r.PerSecond, 'g', -1, 64) + "/s"
}

// UnmarshalText reads what ParseRate reads.
func (r *Rate) UnmarshalText(text []byte) error {
	v, err := ParseRate(string(text))
	*r = v
	return err
}

// MarshalText is the inverse of UnmarshalText.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is the share in percent.
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)*100, 'g', 12, 64) + "%"
}

// UnmarshalText reads what ParsePercent reads.
func (p *Percent) UnmarshalText(text []byte) error {
	v, err := ParsePercent(string(text))
	*p = v
	return err
}

// MarshalText is the inverse of UnmarshalText.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
