package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/pflag"

	"cutover/harness/plan"
	"cutover/harness/record"
)

// before are the flags that hold one side's answers now against the other side's earlier ones.
type before struct {
	record, against string
}

func (b *before) register(flags *pflag.FlagSet) {
	flags.StringVar(&b.record, "record", "", "with --only, write the answers there as structures and pseudonyms, for --against after the move")
	flags.StringVar(&b.against, "against", "", "with --only, compare the answers with what --record wrote of the other side")
}

// check judges the flags before anything is loaded.
func (b *before) check(only string, suites int) error {
	flag := "--record"
	switch {
	case b.record == "" && b.against == "":
		return nil
	case b.record != "" && b.against != "":
		return usageError("record one side before the move, compare the other one after it", "--record and --against exclude each other")
	case b.against != "":
		flag = "--against"
	}
	if only == "" {
		return usageError("for example: cutover run --only left --record before.cut", "%s asks one side alone: it needs --only left or --only right", flag)
	}
	if suites != 1 {
		return usageError("run each suite by itself, with a file of its own", "%s takes one suite", flag)
	}
	return nil
}

// startRecord opens what the run writes its answers to, or is held against. The key is the campaign's: two
// runs with different keys have nothing in common.
func (s *session) startRecord() error {
	b := &s.options.before
	if b.record == "" && b.against == "" {
		return nil
	}
	var err error
	if s.key, err = s.app.campaignKey(s.options.campaign); err != nil {
		return err
	}
	key := s.pseudonyms()
	if key == nil {
		return usageError("make one with `openssl rand -hex 32`, keep it until after the move, and name it with --campaign env:NAME",
			"pseudonyms that are to outlive a run need a campaign's secret")
	}
	if b.record != "" {
		return s.record(b.record, key)
	}
	return s.hold(b.against, key)
}

func (s *session) record(name string, key []byte) (err error) {
	side := s.plan.Sides[0]
	h := record.Header{
		Suite: s.plan.Suite.Name, Questions: s.plan.Questions(), Seed: s.plan.Seed, Side: side.Side, Path: side.Path, Dialect: *side.Adapter.Dialect(),
		RunID: s.id, Made: s.started, Mailboxes: len(s.plan.Mailboxes), Simulated: s.plan.Profile.Simulated,
	}
	for i := range s.plan.Phases {
		h.Planned += s.plan.Phases[i].Count()
	}
	s.keeper, err = record.Create(name, h, key)
	switch {
	case errors.Is(err, record.ErrExists):
		return usageError("choose another name; a record is not made again once the mailboxes have moved", "--record: %w", err)
	case err != nil:
		return usageError("", "--record: %w", err)
	}
	return nil
}

// hold opens a record and refuses one that this run cannot be held against.
func (s *session) hold(name string, key []byte) (err error) {
	s.against, err = record.Open(name, key)
	var path *fs.PathError
	switch {
	case errors.Is(err, record.ErrKey):
		return usageError("use the --campaign secret, or in the lab the --seed, with which it was recorded", "--against %w", err)
	case errors.As(err, &path):
		return usageError("a run that was killed leaves its record under NAME.partial", "--against: %w", err)
	case err != nil:
		return usageError("", "--against %w", err)
	}
	h := s.against.Header
	switch {
	case h.Suite != s.plan.Suite.Name:
		return usageError("run that suite", "--against %s: it was recorded with the suite %s", name, h.Suite)
	case h.Seed != s.plan.Seed:
		return usageError(fmt.Sprintf("--seed %d", h.Seed), "--against %s: it was recorded with another seed", name)
	case h.Side == s.plan.Sides[0].Side:
		return usageError("--only "+other(h.Side), "--against %s: it was recorded of the %s side too", name, h.Side)
	case h.Questions != s.plan.Questions():
		return usageError("use the suite, --set, --rate, --duration, --iterations and mailboxes of the run "+h.RunID,
			"--against %s: it was recorded with other questions", name)
	}
	return nil
}

func other(side string) string {
	if side == plan.Left {
		return plan.Right
	}
	return plan.Left
}

// endRecord closes the record of a run, and says what became of it. A record of nothing is thrown away.
func (s *session) endRecord() error {
	if s.keeper == nil {
		return nil
	}
	if s.asked == nil {
		return s.keeper.Discard()
	}
	why := ""
	if s.asked.Stop != nil {
		why = s.asked.Stop.Why
	}
	if err := s.keeper.Close(why); err != nil {
		return err
	}
	if !s.options.quiet {
		fmt.Fprintf(s.app.Stderr, "cutover: recorded the %s side in %s%s\n", s.plan.Sides[0].Side, s.options.before.record, incomplete(why))
	}
	return nil
}

func incomplete(why string) string {
	if why == "" {
		return ""
	}
	return ", not complete: " + why
}

// pseudonyms is the key of whatever stands for a value, nil for one that nobody keeps.
func (s *session) pseudonyms() []byte {
	if s.plan.Profile.Simulated {
		return fmt.Appendf(nil, "lab-%d", s.plan.Seed)
	}
	return s.key
}
