package main

import (
	"errors"

	"cutover/harness/result"
)

// judged decides the verdict and writes the run, held against earlier nights
// when there is a history. Judging comes before recording: a night that fails
// is no reference for the next.
func (s *session) judged(r *result.Result) (err error) {
	if s.options.history == "" {
		result.Decide(r)
		return s.write(r)
	}
	h, err := openHistory(s.options.history, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	gates, err := h.Judge(r, s.options.baseline)
	if err != nil {
		return err
	}
	r.Gates = append(r.Gates, gates...)
	result.Decide(r)
	was, err := h.State(r)
	if err != nil {
		return err
	}
	if err := s.write(r); err != nil {
		return err
	}
	if err := h.Record(r, s.folder.Dir()); err != nil {
		return err
	}
	s.alertAbout(was, r)
	return nil
}
