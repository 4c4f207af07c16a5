package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cutover/suites/strictyaml"
)

// envPrefix begins the name of every environment variable that stands for a flag.
const envPrefix = "CUTOVER_"

func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnv says whether the environment may set a flag: not those that only print something.
func fromEnv(f *pflag.Flag) bool { return f.Name != "help" && f.Name != "version" }

// flagsFromEnv lets CUTOVER_RATE=50/s stand for --rate 50/s where the flag was
// not given: environment beats suite and profile, a flag beats both.
func (a *App) flagsFromEnv(flags *pflag.FlagSet) error {
	var wrong []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || !fromEnv(f) {
			return
		}
		value := a.Env(envName(f.Name))
		if value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			wrong = append(wrong, expected(envName(f.Name), f, value, err))
			return
		}
		a.set = append(a.set, f.Name)
	})
	if len(wrong) == 0 {
		return nil
	}
	return usageError("", "%s", strings.Join(wrong, "\n"))
}

// expected says what is wrong with the value of a flag, which the user knows by the name given.
func expected(name string, f *pflag.Flag, value string, err error) string {
	switch f.Value.Type() {
	case "int":
		return fmt.Sprintf("%s: expected a whole number, got %q", name, value)
	case "uint", "uint64":
		return fmt.Sprintf("%s: expected a whole number from 0 on, got %q", name, value)
	case "bool":
		return fmt.Sprintf("%s: expected true or false, got %q", name, value)
	case "duration":
		return fmt.Sprintf("%s: expected a duration with its unit, such as 90s, 24h or 2d, got %q", name, value)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		err = invalid.Unwrap()
	}
	return fmt.Sprintf("%s: %v", name, err)
}

// flagError says what is wrong with a flag as it was given, and which one was meant.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := strictyaml.Nearest(unknown.GetSpecifiedName(), known); near != "" {
			return usageError(hint, "%w (did you mean --%s?)", err, near)
		}
	case errors.As(err, &invalid):
		return usageError(hint, "%s", expected("--"+invalid.GetFlag().Name, invalid.GetFlag(), invalid.GetValue(), err))
	}
	return usageError(hint, "%w", err)
}

// asSet names in a message the variables that set what it calls flags: nobody finds
// a flag that was never written.
func (a *App) asSet(message string) string {
	for _, name := range a.set {
		flag := regexp.MustCompile(`--` + regexp.QuoteMeta(name) + `\b([^-]|$)`)
		message = flag.ReplaceAllString(message, envName(name)+"$1")
	}
	return message
}

// strangers warns of each CUTOVER_ variable that stands for no flag: a misspelt one
// would otherwise be overlooked for as long as the run takes. One that is referred to,
// on the command line or in the profile, is a secret's.
func (a *App) strangers(cmd *cobra.Command) {
	if a.Environ == nil || strings.HasPrefix(cmd.Name(), "__") || isSet(cmd, "quiet") {
		return
	}
	known := variables(cmd.Root())
	words := make([]string, 0, len(known)) // without the prefix, whose letters would make any two names alike
	for _, name := range known {
		words = append(words, strings.TrimPrefix(name, envPrefix))
	}
	var w io.Writer = a.Stderr
	if f := cmd.Flags().Lookup("log-format"); f != nil && f.Value.String() == "json" {
		w = newJSONLog(a.Stderr, a.Clock)
	}
	for _, entry := range slices.Sorted(slices.Values(a.Environ())) {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, envPrefix) || contains(known, name) || referredTo(cmd, name) {
			continue
		}
		hint := ""
		if near := strictyaml.Nearest(strings.TrimPrefix(name, envPrefix), words); near != "" {
			hint = " (did you mean " + envPrefix + near + "?)"
		}
		fmt.Fprintf(w, "cutover: %s is ignored: it stands for no flag%s\n", name, hint)
	}
}

// variables are the names of all that some command takes from the environment.
func variables(root *cobra.Command) []string {
	var names []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if name := envName(f.Name); fromEnv(f) && !contains(names, name) {
				names = append(names, name)
			}
		})
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(root)
	return names
}

// referredTo says whether a variable is named by a flag's value, as env:NAME, or in the profile's text.
func referredTo(cmd *cobra.Command, name string) bool {
	found := false
	cmd.Flags().Visit(func(f *pflag.Flag) { found = found || strings.Contains(f.Value.String(), name) })
	if f := cmd.Flags().Lookup("profile"); f != nil && !found {
		if text, err := os.ReadFile(f.Value.String()); err == nil {
			found = strings.Contains(string(text), name)
		}
	}
	return found
}

func isSet(cmd *cobra.Command, name string) bool {
	f := cmd.Flags().Lookup(name)
	return f != nil && f.Value.String() == "true"
}
