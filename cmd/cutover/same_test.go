package main

import (
	"os"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"cutover/harness/result"
)

// same RESULT RESULT wants two results to be equal in the contract's sense:
// after times, latencies, rates, histograms, connection and token figures and
// the generator's health are taken out.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same RESULT RESULT")
	}
	var normal [2]string
	for i, name := range args {
		data, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		r, err := result.Decode(data)
		ts.Check(err)
		text, err := r.Normalised()
		ts.Check(err)
		normal[i] = string(text)
	}
	diff := cmp.Diff(normal[0], normal[1])
	if (diff == "") == neg {
		ts.Fatalf("results differ (-first +second):\n%s", diff)
	}
}
