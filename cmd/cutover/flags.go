package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"cutover/harness/plan"
	"cutover/suites/strictyaml"
)

// target says which deployment a command speaks to. The words are the same on
// every command.
type target struct {
	profile string
	set     []string
	resolve []string
	consent string
}

func (t *target) register(flags *pflag.FlagSet) {
	flags.StringVarP(&t.profile, "profile", "p", "lab", "deployment: a built-in profile or a file")
	flags.StringArrayVar(&t.set, "set", nil, "setting as key=value: lab.* for the lab, var.* for the suite (repeatable)")
	flags.StringArrayVar(&t.resolve, "resolve", nil, "connect to ADDR where a URL says HOST:PORT, as HOST:PORT:ADDR (repeatable)")
	flags.StringVar(&t.consent, "consent", "", "consent file for a deployment that is not on this machine")
}

// settings splits --set into those of the lab and those of the suite.
func (t *target) settings() (labs, vars map[string]string, err error) {
	labs, vars = map[string]string{}, map[string]string{}
	for _, pair := range t.set {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, nil, usageError("write it as --set key=value", "--set %s: there is no =", pair)
		}
		if name, ok := strings.CutPrefix(key, "lab."); ok {
			labs[name] = value
		} else if name, ok := strings.CutPrefix(key, "var."); ok {
			vars[name] = value
		} else {
			return nil, nil, usageError("lab.* sets the lab, var.* a variable of the suite", "--set %s: unknown setting %q", pair, key)
		}
	}
	return labs, vars, nil
}

// resolved reads --resolve HOST:PORT:ADDR into HOST:PORT → ADDR.
func (t *target) resolved() (map[string]string, error) {
	if len(t.resolve) == 0 {
		return nil, nil
	}
	all := map[string]string{}
	for _, text := range t.resolve {
		host, rest, ok := strings.Cut(text, ":")
		port, addr, ok2 := strings.Cut(rest, ":")
		if !ok || !ok2 || host == "" || port == "" || addr == "" {
			return nil, usageError("for example --resolve mail.contoso.com:443:127.0.0.1", "--resolve %s: expected HOST:PORT:ADDR", text)
		}
		all[strings.ToLower(host)+":"+port] = addr
	}
	return all, nil
}

// load are the flags that shape what is asked, shared by run and plan.
type loadFlags struct {
	left, right, only string
	rate              string
	users             int
	duration          string
	iterations        uint64
	seed              uint64
	gates             []string
	allowWrite        bool
}

func (l *loadFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&l.left, "left", "", "path of the profile on the left, on-premises side")
	flags.StringVar(&l.right, "right", "", "path of the profile on the right, cloud side")
	flags.StringVar(&l.only, "only", "", "ask one side alone: left or right")
	flags.StringVar(&l.rate, "rate", "", "iterations per second in place of the suite's load, such as 50/s")
	flags.IntVar(&l.users, "users", 0, "users in a closed loop in place of the suite's load")
	flags.StringVar(&l.duration, "duration", "", "how long to measure, such as 30s")
	flags.Uint64Var(&l.iterations, "iterations", 0, "end after so many iterations")
	flags.Uint64Var(&l.seed, "seed", plan.DefaultSeed, "seed of everything random")
	flags.StringArrayVar(&l.gates, "gate", nil, "a gate besides the suite's, such as 'p95 of right < 800ms' (repeatable)")
	flags.BoolVar(&l.allowWrite, "allow-write", false, "allow steps that change mailboxes (the lab needs no permission)")
}

// options turns the flags into plan options; every mistake in them is named at once.
func (l *loadFlags) options(flags *pflag.FlagSet, vars map[string]string) (plan.Options, error) {
	o := plan.Options{
		Left: l.left, Right: l.right, Only: l.only, Users: l.users, Iterations: l.iterations,
		Vars: vars, Gates: l.gates, AllowWrite: l.allowWrite,
	}
	var wrong []string
	if l.rate != "" {
		if err := o.Rate.UnmarshalText([]byte(l.rate)); err != nil {
			wrong = append(wrong, "--rate: "+err.Error())
		}
	}
	if l.duration != "" {
		var d strictyaml.Duration
		if err := d.UnmarshalText([]byte(l.duration)); err != nil {
			wrong = append(wrong, "--duration: "+err.Error())
		}
		o.Duration = time.Duration(d)
	}
	if l.only != "" && l.only != plan.Left && l.only != plan.Right {
		wrong = append(wrong, fmt.Sprintf("--only: expected left or right, got %q", l.only))
	}
	if flags.Changed("users") && l.users < 1 {
		wrong = append(wrong, fmt.Sprintf("--users: expected 1 or more, got %d", l.users))
	}
	if flags.Changed("iterations") && l.iterations < 1 {
		wrong = append(wrong, "--iterations: expected 1 or more, got 0")
	}
	if flags.Changed("seed") {
		o.Seed = &l.seed
	}
	if len(wrong) > 0 {
		return o, usageError("`cutover run --help` lists the flags", "%s", strings.Join(wrong, "\n"))
	}
	return o, nil
}

// days is a flag with a duration, as the suites write it: Go's plus d.
type days time.Duration

func (d *days) Set(text string) error {
	value, err := strictyaml.ParseDuration(text)
	*d = days(value)
	return err
}

func (d *days) String() string {
	switch day := 24 * time.Hour; {
	case *d == 0:
		return ""
	case time.Duration(*d)%day == 0:
		return fmt.Sprintf("%dd", time.Duration(*d)/day)
	}
	return time.Duration(*d).String()
}

func (d *days) Type() string { return "duration" }

// sorted lists the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
