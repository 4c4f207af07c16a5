package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cutover/harness/guard"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/suites"
)

// victims are the control mailbox of the profile on each side of the plan. The
// session opens its deployment before the first is asked.
func (s *session) victims() []guard.Victim {
	if s.plan.Control == nil {
		return nil
	}
	var out []guard.Victim
	for _, side := range s.plan.Sides {
		out = append(out, guard.Victim{Path: side.Path, Ask: func(ctx context.Context) (time.Duration, error) { return s.askControl(ctx, side) }})
	}
	return out
}

// askControl asks the control mailbox the cheapest question of its path and says how
// long the answer took from the moment it was sent.
func (s *session) askControl(ctx context.Context, side plan.Side) (time.Duration, error) {
	call := s.probe(ctx, side.Path, suites.Operation{Method: http.MethodGet, URL: probeURL(side.Profile)}, *s.plan.Control)
	switch {
	case call.Failure != nil:
		return 0, call.Failure
	case call.Response.Status/100 != 2:
		return 0, fmt.Errorf("the control mailbox answered %d", call.Response.Status)
	}
	return call.Timing.Done.Sub(call.Timing.Sent), nil
}

// baseline measures the control mailbox before the load.
func (s *session) baseline(ctx context.Context) error {
	err := s.brake.Baseline(ctx)
	var refused *guard.Refusal
	switch {
	case err == nil, ctx.Err() != nil:
		return nil // a run that was stopped says so itself
	case errors.As(err, &refused):
		return err
	}
	return notReady("name another mailbox as `control` in the profile, or none", err)
}

// account writes down how far the run went, with whose consent, and where its record
// ended.
func (s *session) account(r *result.Result, rules guard.Rules) {
	o := s.deployment.door.Observed()
	r.Observed = &result.Observed{
		Rate: o.Rate, Concurrency: o.Concurrency, MailboxRate: o.MailboxRate, MailboxConcurrency: o.MailboxConcurrency,
		Items: o.Items, MailboxItems: o.MailboxItems, Mails: o.Mails, Bytes: o.Bytes, MailboxBytes: o.MailboxBytes, Slowdowns: s.brake.Slowdowns(), Control: s.brake.Suffered(),
	}
	if c := rules.Consent; c != nil {
		r.Consent = &result.Consent{SHA256: c.Hash(), Approver: c.Approver, Proved: c.Proved()}
	}
	r.Audit = &result.Audit{Head: s.trail.Head(), Keyed: len(s.key) > 0}
}
