package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Schedule says which requests go wrong, and how. The zero value harms none.
type Schedule struct{ rules []rule }

// rule is one kind of harm and when it strikes.
type rule struct {
	kind    string // status, stall, reset, slow, truncate
	status  int
	wait    time.Duration // Retry-After of a status, length of a stall
	rate    int           // bytes per second of slow
	pattern string        // part of "METHOD /path?query" in lower case; "" all
	when    when
}

// when picks requests by number (from 1), by chance, or by time since the start.
type when struct {
	first, last, every uint64
	chance             float64
	from, until        time.Duration
	timed              bool
}

// ParseSchedule reads faults, separated by semicolons, each HARM@WHEN with an
// optional @PATTERN, a part of "METHOD /path?query":
//
//	429:5s@100-140        requests 100 to 140 are answered 429, Retry-After 5
//	503@30s+10s           all requests for 10 seconds, from second 30 on
//	504@1%                one of a hundred, by seed
//	stall:2s@every:50     each 50th waits 2 seconds before it is answered
//	reset@7               the connection of request 7 is reset
//	slow:2000@20          the body of request 20 comes at 2,000 bytes per second
//	truncate@every:25@/messages   the JSON ends in its middle
func ParseSchedule(text string) (Schedule, error) {
	var s Schedule
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if part == "" || part == "none" {
			continue
		}
		fields := strings.SplitN(part, "@", 3)
		if len(fields) < 2 {
			return Schedule{}, fmt.Errorf("fault %q: when? (write 503@100-140, 503@every:50, 503@1%% or 503@30s+10s)", part)
		}
		r, err := parseHarm(fields[0])
		if err == nil {
			r.when, err = parseWhen(fields[1])
		}
		if err != nil {
			return Schedule{}, fmt.Errorf("fault %q: %w", part, err)
		}
		if len(fields) == 3 {
			r.pattern = strings.ToLower(fields[2])
		}
		s.rules = append(s.rules, r)
	}
	return s, nil
}

func parseHarm(text string) (rule, error) {
	name, arg, given := strings.Cut(text, ":")
	r := rule{kind: name}
	var err error
	switch name {
	case "429", "500", "502", "503", "504":
		r.kind = "status"
		r.status, err = strconv.Atoi(name)
		if given && err == nil {
			r.wait, err = duration(arg)
		}
	case "stall":
		r.wait, err = duration(arg)
	case "slow":
		r.rate, err = strconv.Atoi(arg)
		if err != nil || r.rate < 1 {
			return r, fmt.Errorf("%q is no number of bytes per second", arg)
		}
	case "reset", "truncate":
		if given {
			return r, fmt.Errorf("%s takes no value", name)
		}
	default:
		return r, fmt.Errorf("unknown harm %q (429, 500, 502, 503, 504, stall:2s, reset, slow:2000, truncate)", name)
	}
	return r, err
}

func parseWhen(text string) (when, error) {
	var w when
	bad := fmt.Errorf("%q is no time to strike (7, 100-140, every:50, 1%%, 30s+10s)", text)
	if strings.HasSuffix(text, "%") {
		f, err := share(text)
		w.chance = f
		return w, err
	}
	if n, ok := strings.CutPrefix(text, "every:"); ok {
		v, err := strconv.ParseUint(n, 10, 63)
		if err != nil || v == 0 {
			return w, bad
		}
		w.every = v
		return w, nil
	}
	if from, length, ok := strings.Cut(text, "+"); ok {
		a, err := duration(from)
		b, err2 := duration(length)
		if err != nil || err2 != nil {
			return w, bad
		}
		w.from, w.until, w.timed = a, a+b, true
		return w, nil
	}
	a, b, ranged := strings.Cut(text, "-")
	if !ranged {
		b = a
	}
	var err, err2 error
	w.first, err = strconv.ParseUint(a, 10, 63)
	w.last, err2 = strconv.ParseUint(b, 10, 63)
	if err != nil || err2 != nil || w.first == 0 || w.last < w.first {
		return w, bad
	}
	return w, nil
}

// None says whether no request is ever harmed.
func (s Schedule) None() bool { return len(s.rules) == 0 }

// strikes says whether the rule hits request number n.
func (r rule) strikes(n uint64, since time.Duration, request string, random uint64) bool {
	if r.pattern != "" && !strings.Contains(strings.ToLower(request), r.pattern) {
		return false
	}
	w := r.when
	switch {
	case w.timed:
		return since >= w.from && since < w.until
	case w.every > 0:
		return n%w.every == 0
	case w.chance > 0:
		return float64(random>>11)/(1<<53) < w.chance
	}
	return n >= w.first && n <= w.last && w.first > 0
}
