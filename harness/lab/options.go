package lab

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
	"cutover/harness/lab/quirks"
)

// Options say which deployment to simulate. The zero value is the deployment of
// the built-in profile: 50 twin pairs, exchange-2016-cu12, no quirks.
type Options struct {
	Seed          uint64
	Mailboxes     int      // twin pairs; 0 means 50
	Preset        string   // one of Presets; "" means exchange-2016-cu12
	Proxy         string   // off2016, preview, writesBroken, retired; "" means the preset's
	Quirks        []string // ids of the ledger, or the single word all or none; nil means none
	Misconfigure  []string // switches of Misconfigurations
	LatencyOnPrem string   // latency model of the on-prem services; "" means a small log-normal
	LatencyCloud  string   // the same for Graph
	Fault         string   // faults of package faults; "" means none
	Throttle      string   // published, none, or requests per app and mailbox in a window as 20/1s; "" means published
	ThrottlePrem  string   // Exchange's own policy: none, 27, 600/5m or 27,600/5m per user; "" means none
	Nodes         string   // servers of the array as NAME:BUILD,…; "" means the preset's
	Era           int      // year whose shapes Graph of today has, 2016 to 2026; 0 means the preset's
	Items         []int    // messages of the mailboxes of a pair, by its number in turn; nil means 200 each
	Folders       string   // usual or zipf: how many folders mail is spread over, and how; "" means usual
	Dir           string   // where ca.pem goes; "" writes no file
	Clock         clock.Clock

	TokenLifetime string // lifetime of access tokens as a Go duration; "" means 1h
	MoveIDs       string // kept or new: whether a move renews ids (inferred); "" means new
	MoveDelta     string // kept or reset: whether a move ends delta tokens (inferred); "" means reset
	MoveLag       string // how long Autodiscover answers as before a move (inferred), as a Go duration; "" means not at all
	Volatile      string // properties that change with every answer, as "cloud:jobTitle,both:companyName"; "" means none
	UnknownSelect string // refuse or ignore: on-prem answer to an unknown $select name (inferred); "" means refuse
}

// DefaultMailboxes is the number of twin pairs of a lab that was not told.
const DefaultMailboxes = 50

// MaxMailboxes bounds the pairs of one lab.
const MaxMailboxes = 100_000

// setters is the table of settings: what --set lab.KEY=VALUE reaches.
var setters = map[string]func(*Options, string) error{
	"seed": func(o *Options, v string) (err error) {
		o.Seed, err = strconv.ParseUint(v, 10, 64)
		return wrong(err, "a whole number")
	},
	"mailboxes": func(o *Options, v string) (err error) {
		o.Mailboxes, err = strconv.Atoi(v)
		if err == nil && (o.Mailboxes < 1 || o.Mailboxes > MaxMailboxes) {
			err = strconv.ErrRange
		}
		return wrong(err, fmt.Sprintf("a number of pairs from 1 to %d", MaxMailboxes))
	},
	"items":   func(o *Options, v string) (err error) { o.Items, err = items(v); return err },
	"folders": func(o *Options, v string) error { return choose(&o.Folders, v, []string{"usual", "zipf"}) },
	"preset":  func(o *Options, v string) error { return choose(&o.Preset, v, presetNames()) },
	"proxy":   func(o *Options, v string) error { return choose(&o.Proxy, v, ProxyModes()) },
	"quirks": func(o *Options, v string) (err error) {
		o.Quirks, err = quirks.Expand(strings.Split(v, ","))
		return err
	},
	"misconfigure": func(o *Options, v string) error {
		for name := range strings.SplitSeq(v, ",") {
			var one string
			if err := choose(&one, strings.TrimSpace(name), misconfigurationNames()); err != nil {
				return err
			}
			o.Misconfigure = append(o.Misconfigure, one)
		}
		return nil
	},
	"latency.onprem": func(o *Options, v string) error { o.LatencyOnPrem = v; return checkLatency(v) },
	"latency.cloud":  func(o *Options, v string) error { o.LatencyCloud = v; return checkLatency(v) },
	"fault":          func(o *Options, v string) error { o.Fault = v; return checkFault(v) },
	"throttle.onprem": func(o *Options, v string) error {
		o.ThrottlePrem = v
		_, err := policyOf(v)
		return err
	},
	"nodes": func(o *Options, v string) error {
		o.Nodes = v
		_, err := nodesOf(v)
		return err
	},
	"era": func(o *Options, v string) (err error) { o.Era, err = eraOf(v); return err },
	"throttle": func(o *Options, v string) error {
		o.Throttle = v
		_, err := faults.ParseLimits(v)
		return err
	},
	"token.lifetime": func(o *Options, v string) error {
		o.TokenLifetime = v
		_, err := lifetime(v)
		return err
	},
	"volatile": func(o *Options, v string) error {
		o.Volatile = v
		_, err := parseVolatile(v)
		return err
	},
	"move.ids":   func(o *Options, v string) error { return choose(&o.MoveIDs, v, []string{"kept", "new"}) },
	"move.delta": func(o *Options, v string) error { return choose(&o.MoveDelta, v, []string{"kept", "reset"}) },
	"move.lag": func(o *Options, v string) error {
		o.MoveLag = v
		_, err := lagOf(v)
		return err
	},
	"unknown.select": func(o *Options, v string) error { return choose(&o.UnknownSelect, v, []string{"refuse", "ignore"}) },
}

// ParseSettings reads settings whose keys stand without their "lab." prefix. An
// unknown key or value is an error that names the nearest known one. Keys are
// read in order, so that the same wrong settings always give the same error.
func ParseSettings(settings map[string]string) (Options, error) {
	var o Options
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		set, ok := setters[key]
		if !ok {
			return Options{}, fmt.Errorf("lab.%s: unknown setting%s", key, suggestion(key, slices.Sorted(maps.Keys(setters))))
		}
		if err := set(&o, settings[key]); err != nil {
			return Options{}, fmt.Errorf("lab.%s: %w", key, err)
		}
	}
	return o, nil
}

// Settings lists the keys that ParseSettings knows.
func Settings() []string { return slices.Sorted(maps.Keys(setters)) }

// MaxItems bounds the messages of one mailbox.
const MaxItems = 100_000

// items reads sizes of mailboxes: numbers with commas between them.
func items(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > MaxItems {
			return nil, fmt.Errorf("want numbers of messages from 1 to %d, with commas between them", MaxItems)
		}
		out = append(out, n)
	}
	return out, nil
}

func wrong(err error, want string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("want %s", want)
}

func choose(into *string, value string, known []string) error {
	if slices.Contains(known, value) {
		*into = value
		return nil
	}
	return fmt.Errorf("unknown value %q%s; known: %s", value, suggestion(value, known), strings.Join(known, ", "))
}

// suggestion is ` (did you mean "x"?)` when a known word is near, "" otherwise.
func suggestion(word string, known []string) string {
	best, distance := "", 1+len(word)/3
	for _, k := range known {
		if d := edits(word, k); d <= distance {
			best, distance = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// edits is the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
