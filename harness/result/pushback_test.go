package result_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
)

// point is ten seconds at a rate.
func point(rate float64, throttled uint64) result.KneePoint {
	return result.KneePoint{OfferedPS: rate, Seconds: 10, Requests: uint64(10 * rate), Throttled: throttled}
}

func TestTheKnee(t *testing.T) {
	for _, row := range []struct {
		it     string
		points []result.KneePoint
		want   *result.Knee
	}{
		{"is between the last rate that held and the next", []result.KneePoint{point(10, 0), point(20, 1), point(40, 30), point(80, 300)}, &result.Knee{HeldPS: 20, ThrottledPS: 40}},
		{"lies below everything that was asked", []result.KneePoint{point(10, 5), point(20, 20)}, &result.Knee{ThrottledPS: 10}},
		{"is not there when nothing is throttled", []result.KneePoint{point(10, 0), point(20, 0)}, nil},
		{"is not an accident of a low rate", []result.KneePoint{point(1, 1), point(200, 0), point(400, 0)}, nil},
		{"is not there without points", nil, nil},
	} {
		if diff := cmp.Diff(row.want, result.FindKnee(row.points)); diff != "" {
			t.Errorf("it %s (-want +got)\n%s", row.it, diff)
		}
	}
	if got := (result.KneePoint{}).Share(); got != 0 {
		t.Errorf("the share of nothing is %v", got)
	}
}
