package result

import "math"

// LoadBand is how many pairs of answers differed while the plan offered so many iterations a second. A
// share that rises from band to band is a difference that pressure brings out.
type LoadBand struct {
	From        float64 `json:"from_per_s"` // lowest offered rate of its pairs, iterations a second
	To          float64 `json:"to_per_s"`
	Pairs       uint64  `json:"pairs"` // compared
	Different   uint64  `json:"different"`
	Unavailable uint64  `json:"unavailable,omitempty"` // not compared, because a side did not answer or pushed back
	Share       float64 `json:"share"`                 // Different of Pairs
	ShareLow    float64 `json:"share_low"`             // Wilson's bounds of Share at 95 %
	ShareHigh   float64 `json:"share_high"`
}

// Cluster is a group of findings that appeared in the same iterations, so that they probably have one
// cause. The worst of them stands first and lends its name and its share.
type Cluster struct {
	Cause        string   `json:"cause"`        // "page.loop at list /@odata.nextLink"
	Fingerprints []string `json:"fingerprints"` // of its findings, worst first
	IDs          []string `json:"ids"`          // their rules, in the same order
	Scenario     string   `json:"scenario"`
	Count        uint64   `json:"count"`
	Share        float64  `json:"share"`
	ShareLow     float64  `json:"share_low"`
	ShareHigh    float64  `json:"share_high"`
}

// Wilson bounds a share of hits in n at 95 % confidence (E. B. Wilson, 1927). Of 0 hits in n the upper
// bound is about 3.8/n; without any n nothing is known and the bounds are 0 and 1.
func Wilson(hits, n uint64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	size, p := float64(n), float64(min(hits, n))/float64(n)
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	low, high = max(0, middle-half), min(1, middle+half)
	if hits == 0 {
		low = 0
	}
	if hits >= n {
		high = 1
	}
	return low, high
}
