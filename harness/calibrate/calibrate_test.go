package calibrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/calibrate"
)

func TestTheTruthOfAStall(t *testing.T) {
	minute := calibrate.Stall{Rate: 100, For: time.Minute, At: 30 * time.Second, Lasting: 5 * time.Second}
	second := calibrate.Stall{Rate: 1000, For: 10 * time.Second, At: 5 * time.Second, Lasting: time.Second, Delay: time.Millisecond}
	for _, row := range []struct {
		it   string
		s    calibrate.Stall
		q    float64
		want time.Duration
	}{
		{"is the sixtieth of the longest waits: 5 s in a minute at 100/s", minute, 0.99, 4410 * time.Millisecond},
		{"is nothing in the middle", minute, 0.5, 0},
		{"is the whole stall at most", minute, 1, 5 * time.Second},
		{"counts the delay too: 1 s in 10 s at 1,000/s", second, 0.99, 902 * time.Millisecond},
		{"has a tail of its own", second, 0.999, 992 * time.Millisecond},
		{"is nothing without arrivals", calibrate.Stall{Rate: 1}, 0.5, 0},
	} {
		if got := row.s.Quantile(row.q); got > row.want+10*time.Millisecond || got < row.want-10*time.Millisecond {
			t.Errorf("it %s: %v, want %v", row.it, got, row.want)
		}
	}
}

func TestTheErrorOfAScheduleIsMeasuredAgainstItsOwnLine(t *testing.T) {
	var exact, uneven []int64
	for i := range int64(1000) {
		exact = append(exact, 70_000+1000*i)
		late := int64(0)
		if i%50 == 0 {
			late = 300
		}
		uneven = append(uneven, 1000*i+late)
	}
	for _, row := range []struct {
		it       string
		arrivals []int64
		p50, p99 float64
	}{
		{"is nothing for even arrivals, whenever they began", exact, 0, 0},
		{"shows one in fifty in its tail", uneven, 0, 300},
		{"is nothing without arrivals", nil, 0, 0},
	} {
		p50, p99 := calibrate.ScheduleError(row.arrivals, 1000, 100*time.Millisecond)
		if p50 != row.p50 || p99 != row.p99 {
			t.Errorf("it %s: %v and %v µs, want %v and %v", row.it, p50, p99, row.p50, row.p99)
		}
	}
}

func report() *calibrate.Report {
	lab := 20.063
	return &calibrate.Report{Schema: calibrate.Schema, Machine: "linux/amd64, 2 processors", TookS: 31,
		Measured: []calibrate.Measurement{
			calibrate.Judge("p50 of a fixed delay", "ms", 20, 20.4, 1, &lab),
			calibrate.Judge("p99 over a stall of 5s in 1m0s at 100/s", "ms", 4420, 4431, 88.4, nil),
		},
		Capacity: calibrate.Capacity{HeldPS: 12_345, FailedPS: 13_000, Limiting: "p99 of each path < 50ms (observed 61ms)"},
		Overload: calibrate.Overload{AskedPS: 24_690, Verdict: "inconclusive", ExitCode: 6, Reasons: []string{"the ruler bent: too late"}, Held: true},
	}
}

func TestAReportSaysWhetherTheInstrumentIsToBeBelieved(t *testing.T) {
	for _, row := range []struct {
		it   string
		edit func(*calibrate.Report)
		want []string
	}{
		{"is, when every error is within its limit", func(*calibrate.Report) {}, []string{}},
		{"is not, when a figure is off", func(r *calibrate.Report) { r.Measured[0] = calibrate.Judge("p50", "ms", 20, 21.5, 1, nil) },
			[]string{"p50: 21.5 ms instead of 20, the limit is ± 1"}},
		{"is not, when it does not notice an overload", func(r *calibrate.Report) { r.Overload.Held, r.Overload.Verdict = false, "pass" },
			[]string{"a run at 24,690/s, twice the capacity, was pass instead of inconclusive"}},
		{"is not, when its capacity is not known", func(r *calibrate.Report) { r.Capacity = calibrate.Capacity{Limiting: "not even 200/s held"} },
			[]string{"no capacity was found: not even 200/s held"}},
	} {
		r := report()
		row.edit(r)
		r.Decide()
		if diff := cmp.Diff(row.want, r.Reasons); diff != "" || r.Held != (len(row.want) == 0) {
			t.Errorf("it %s: held %v (-want +got)\n%s", row.it, r.Held, diff)
		}
	}
}

func TestAReportInWords(t *testing.T) {
	r := report()
	r.Decide()
	var out strings.Builder
	if err := r.Text(&out); err != nil {
		t.Fatal(err)
	}
	want := `The instrument, measured on linux/amd64, 2 processors in 31 s

  truth  the lab's own  measured  error   limit      what
     20           20.1      20.4   +0.4     ± 1  ms  p50 of a fixed delay
  4,420              –     4,431    +11  ± 88.4  ms  p99 over a stall of 5s in 1m0s at 100/s

Capacity: 12,345 requests/s beside a cheap target on the same machine; not 13,000/s
At 24,690/s, twice that: inconclusive, exit code 6
  · the ruler bent: too late

The instrument can be believed on this machine, up to that rate.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
