package result

// The kinds of limit that a throttling answer can name. The answer decides: Graph
// says "MailboxConcurrency" in its message and "UploadVolume" of uploads, an
// x-ms-throttle-scope or a RateLimit-Policy names an application's own budget, and
// a 503 or an ErrorServerBusy is the server's, whoever asked.
const (
	BucketMailbox     = "mailbox"             // requests of one app in one mailbox, over a window
	BucketConcurrency = "mailbox concurrency" // requests of one app in one mailbox at the same time
	BucketUpload      = "mailbox uploads"     // bytes uploaded to one mailbox
	BucketApp         = "app"                 // everything that the application asks
	BucketServer      = "server"              // everything that the server is asked
	BucketUnnamed     = "unnamed"             // the answer does not say
)

// Pushback is how one path asked the run to slow down, and what came of it. It
// counts throttling answers over the whole run, those that a retry made good
// and those of warm-ups included.
type Pushback struct {
	Path   string `json:"path"`
	Side   string `json:"side"`
	Policy string `json:"policy"` // honour, observe or ignore
	// Answers is how many requests were throttled, out of Requests (steps, polls
	// and retries).
	Answers  uint64            `json:"answers"`
	Requests uint64            `json:"requests"`
	Buckets  map[string]uint64 `json:"by_bucket"` // Answers by the limit they name
	First    *FirstThrottle    `json:"first"`
	// Waits is how often the run kept still because the server asked for it;
	// LongestMS is the longest such wait asked for.
	Waits     uint64  `json:"honoured_waits"`
	LongestMS float64 `json:"longest_wait_ms"`
	// Violated counts requests that left within a window that a Retry-After had
	// closed before: always 0 under honour, and the whole point of ignore.
	Violated uint64 `json:"windows_violated"`
	// Points is the throttled share over the offered rate, by ascending rate:
	// the seconds of the run in classes of their rate.
	Points []KneePoint `json:"points"`
	Knee   *Knee       `json:"knee,omitempty"` // nil: no rate stands out
}

// FirstThrottle is the first throttling answer of a path.
type FirstThrottle struct {
	// Request is which request of the path it was, counted from 1 in the order
	// in which they were sent.
	Request  uint64  `json:"request"`
	AtMS     float64 `json:"at_ms"` // from the start of the run
	Bucket   string  `json:"bucket"`
	Mailbox  string  `json:"mailbox,omitempty"` // its name in the profile
	Scenario string  `json:"scenario"`
	Step     string  `json:"step"`
	Status   int     `json:"status"`
	RetryMS  float64 `json:"retry_after_ms"`     // 0: the answer does not say
	Evidence string  `json:"evidence,omitempty"` // what in the answer names the bucket
}

// KneePoint is the seconds of a run in which a path was asked at about the same
// rate.
type KneePoint struct {
	OfferedPS float64 `json:"offered_per_s"` // requests sent per second, the class's mean
	Seconds   uint64  `json:"seconds"`
	Requests  uint64  `json:"requests"`
	Throttled uint64  `json:"throttled"`
}

// Share is the part of the requests that was throttled, 0 to 1.
func (p KneePoint) Share() float64 {
	if p.Requests == 0 {
		return 0
	}
	return float64(p.Throttled) / float64(p.Requests)
}

// Knee is between which two rates a path begins to throttle: below HeldPS hardly
// anything is, from ThrottledPS on more than KneeShare of the requests.
type Knee struct {
	HeldPS      float64 `json:"held_per_s"` // 0: the lowest rate was throttled already
	ThrottledPS float64 `json:"throttled_per_s"`
}

// KneeShare is the share of throttled requests from which a rate counts as
// throttled: below it, single answers are accidents of one mailbox.
const KneeShare = 0.01

// FindKnee looks for the knee in points of ascending rate: the last rate below
// which no class exceeds KneeShare, and the next one, provided that it and all
// that follow exceed it together. Nil: nothing is throttled, or not by rate.
func FindKnee(points []KneePoint) *Knee {
	for i, p := range points {
		if p.Share() <= KneeShare {
			continue
		}
		var rest KneePoint
		for _, q := range points[i:] {
			rest.Requests += q.Requests
			rest.Throttled += q.Throttled
		}
		if rest.Share() <= KneeShare {
			return nil
		}
		k := &Knee{ThrottledPS: p.OfferedPS}
		if i > 0 {
			k.HeldPS = points[i-1].OfferedPS
		}
		return k
	}
	return nil
}
