package reports_test

import (
	"math"
	"math/rand/v2"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// fixturePaired draws differences between both answers to the same question.
func fixturePaired() []result.Paired {
	random := rand.New(rand.NewPCG(11, 3))
	var out []result.Paired
	for _, sh := range shapes {
		if sh.step == result.WholeLeg {
			continue
		}
		var later, earlier hist.Histogram
		for range sh.perSecond * 30 {
			d := sh.right*math.Exp(sh.sigma*random.NormFloat64()) - sh.left*math.Exp(sh.sigma*random.NormFloat64())
			if at := time.Duration(math.Abs(d) * float64(time.Millisecond)); d > 0 {
				later.Record(at)
			} else {
				earlier.Record(at)
			}
		}
		out = append(out, result.Pair(sh.scenario, sh.step, &later, &earlier))
	}
	return out
}

// fixturePushback is a cloud that begins to throttle between 60 and 80 requests
// per second.
func fixturePushback() []result.Pushback {
	points := []result.KneePoint{
		{OfferedPS: 22.5, Seconds: 4, Requests: 90}, {OfferedPS: 44, Seconds: 6, Requests: 264},
		{OfferedPS: 61.2, Seconds: 10, Requests: 612, Throttled: 1}, {OfferedPS: 79.8, Seconds: 20, Requests: 1596, Throttled: 37},
	}
	return []result.Pushback{{
		Path: "cloud", Side: result.Right, Policy: "honour", Answers: 38, Requests: 2562,
		Buckets: map[string]uint64{result.BucketMailbox: 35, result.BucketApp: 3},
		First:   &result.FirstThrottle{Request: 1480, AtMS: 25120, Bucket: result.BucketMailbox, Scenario: "open-inbox", Step: "list", Status: 429, RetryMS: 2000},
		Waits:   38, LongestMS: 2000, Points: points, Knee: result.FindKnee(points),
	}}
}
