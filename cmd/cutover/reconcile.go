package main

import (
	"fmt"

	"cutover/harness/result"
)

// reconcile holds what the door says was sent against what the lab says it
// served. A difference means that one of the two counts wrongly; after a broken
// connection or an interrupt it can also be a request that never arrived.
func (s *session) reconcile(r *result.Result) []result.Check {
	if s.lab == nil {
		return nil
	}
	var sent, served uint64
	for _, traffic := range r.Traffic {
		sent += traffic.Sum()
	}
	for _, n := range s.lab.Stats().Services {
		served += n
	}
	check := result.Check{
		ID: "reconcile", Title: "every request that was sent was served once", Verdict: result.Pass,
		Evidence: fmt.Sprintf("sent = served: %t", sent == served),
	}
	if sent != served {
		check.Verdict = result.Warn
		check.Evidence = fmt.Sprintf("%d requests sent, %d served", sent, served)
	}
	return append([]result.Check{check}, s.windows(r)...)
}

// windows holds what the run says of throttling against what the lab saw: under the
// policy honour nothing may come before the time that the lab asked for.
func (s *session) windows(r *result.Result) []result.Check {
	if len(r.Pushback) == 0 || r.Pushback[0].Policy != "honour" {
		return nil
	}
	seen := s.lab.Stats().Throttling
	check := result.Check{
		ID: "windows", Title: "nothing came while a Retry-After had closed a mailbox", Verdict: result.Pass,
		Evidence: "the lab saw none",
	}
	if seen.Early > 0 {
		check.Verdict = result.Warn
		check.Evidence = fmt.Sprintf("the lab saw %d of %d requests too many come too early", seen.Early, seen.Refused)
	}
	return []result.Check{check}
}
