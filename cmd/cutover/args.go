package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"cutover/suites/strictyaml"
)

// givenFlags spells the flags that were given, for a command line that can be
// pasted.
func givenFlags(flags *pflag.FlagSet) []string {
	var words []string
	flags.Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, value := range list.GetSlice() {
				words = append(words, "--"+f.Name, quoteArg(value))
			}
			return
		}
		if f.Value.Type() == "bool" {
			words = append(words, "--"+f.Name)
			return
		}
		words = append(words, "--"+f.Name, quoteArg(f.Value.String()))
	})
	return words
}

// quoteArg quotes a word for a POSIX shell when it needs it.
func quoteArg(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// mergeProblems joins what is wrong with several files into one list.
func mergeProblems(errs []error) error {
	var all strictyaml.Problems
	for _, err := range errs {
		var problems strictyaml.Problems
		if !errors.As(err, &problems) {
			return errors.Join(errs...)
		}
		all = append(all, problems...)
	}
	return all.Sorted()
}

func contains(words []string, word string) bool { return slices.Contains(words, word) }
