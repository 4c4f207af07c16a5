package strictyaml_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"cutover/suites/strictyaml"
)

func TestParseDuration(t *testing.T) {
	for _, row := range []struct {
		text string
		want time.Duration
	}{
		{"0", 0}, {"250ms", 250 * time.Millisecond}, {"1h30m", 90 * time.Minute}, {"2d", 48 * time.Hour},
		{"1d12h", 36 * time.Hour}, {"0.5d", 12 * time.Hour}, {" 3s ", 3 * time.Second}, {"1µs", time.Microsecond},
	} {
		if got, err := strictyaml.ParseDuration(row.text); err != nil || got != row.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", row.text, got, err, row.want)
		}
	}
	for _, text := range []string{"", "5", "1.5", "s", "-1s", "1d-5h", "5 minutes", "d", "99999d", "1d1d", "1e9h", "NaNd", "Infd", "1w"} {
		if got, err := strictyaml.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseRate(t *testing.T) {
	for _, row := range []struct {
		text string
		want float64
	}{{"50/s", 50}, {"120/m", 2}, {"60/h", 1. / 60}, {"0.5/s", 0.5}, {"7 / m", 7. / 60}} {
		if got, err := strictyaml.ParseRate(row.text); err != nil || got.PerSecond != row.want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", row.text, got.PerSecond, err, row.want)
		}
	}
	for _, text := range []string{"", "50", "0/s", "-1/s", "5/d", "5/", "/s", "NaN/s", "Inf/s", "5/s/s"} {
		if got, err := strictyaml.ParseRate(text); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", text, got)
		}
	}
}

func TestParsePercent(t *testing.T) {
	for _, row := range []struct {
		text string
		want strictyaml.Percent
	}{{"0%", 0}, {"0.5%", 0.005}, {"100 %", 1}} {
		if got, err := strictyaml.ParsePercent(row.text); err != nil || got != row.want {
			t.Errorf("ParsePercent(%q) = %v, %v; want %v", row.text, got, err, row.want)
		}
	}
	for _, text := range []string{"", "5", "-1%", "101%", "%", "NaN%"} {
		if got, err := strictyaml.ParsePercent(text); err == nil {
			t.Errorf("ParsePercent(%q) = %v, want an error", text, got)
		}
	}
}

func TestQuantitiesSurvivePrinting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := strictyaml.Duration(rapid.Int64Range(0, int64(1000*24*time.Hour)).Draw(t, "duration"))
		r := strictyaml.Rate{PerSecond: rapid.Float64Range(1e-9, 1e9).Draw(t, "rate")}
		p := strictyaml.Percent(float64(rapid.IntRange(0, 10000).Draw(t, "percent")) / 10000)
		var d2 strictyaml.Duration
		var r2 strictyaml.Rate
		var p2 strictyaml.Percent
		for _, one := range []struct {
			text interface{ MarshalText() ([]byte, error) }
			into interface{ UnmarshalText([]byte) error }
		}{{d, &d2}, {r, &r2}, {p, &p2}} {
			text, _ := one.text.MarshalText()
			if err := one.into.UnmarshalText(text); err != nil {
				t.Fatalf("%s is not read back: %v", text, err)
			}
		}
		if d2 != d || r2.PerSecond != r.PerSecond || p2-p > 1e-12 || p-p2 > 1e-12 {
			t.Errorf("%v %v %v came back as %v %v %v", d, r, p, d2, r2, p2)
		}
	})
}

func TestSuggest(t *testing.T) {
	known := []string{"wait", "weight", "while", "serves", "p95", "p99.9"}
	for _, row := range []struct{ word, want string }{
		{"wiat", "wait"}, {"wieght", "weight"}, {"WEIGHT", "weight"}, {"severs", "serves"}, {"p96", "p95"},
		{"completely", ""}, {"x", ""}, {"", ""},
	} {
		if got := strictyaml.Nearest(row.word, known); got != row.want {
			t.Errorf("Nearest(%q) = %q, want %q", row.word, got, row.want)
		}
	}
}

func TestProblemsAsAnError(t *testing.T) {
	var ps strictyaml.Problems
	if ps.Err() != nil {
		t.Error("no problems are an error")
	}
	at := func(file string, line, col int) strictyaml.Pos {
		return strictyaml.Pos{File: file, Line: line, Col: col}
	}
	ps.Add(at("b", 1, 1), "x")
	ps.Add(at("a", 10, 1), "x")
	ps.Add(at("a", 2, 9), "x")
	ps.Add(at("a", 2, 9), "x")
	ps.Add(strictyaml.Pos{}, "no place")
	ps.Add(strictyaml.Pos{File: "--rate"}, "y")
	want := "no place\n--rate: y\na:2:9: x\na:10:1: x\nb:1:1: x"
	if got := ps.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
