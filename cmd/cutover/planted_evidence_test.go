package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"cutover/harness/result"
)

var update = flag.Bool("update", false, "write testdata/planted.txt: where each planted difference shows, and with which values")

// plantedFile says of each row of the ledger that the lab can plant where it shows and what the two sides say
// there; * stands for what follows from the lab's content.
const plantedFile = "testdata/planted.txt"

// evidence lists where a difference was found, with both values.
func evidence(findings []result.Finding, id string) []string {
	var out []string
	for _, f := range findings {
		if f.ID == id && f.Left != f.Right && f.Left != "" && f.Right != "" {
			out = append(out, fmt.Sprintf("%s/%s %s: %s → %s", f.Scenario, f.Step, or(f.Pointer, "(answer)"), f.Left, f.Right))
		}
	}
	slices.Sort(out)
	return out
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// plantedEvidence reads the file: the id, then the evidence.
func plantedEvidence(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(plantedFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if id, evidence, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.HasPrefix(line, "#") {
			want[id] = strings.TrimSpace(evidence)
		}
	}
	return want
}

// writeEvidence rewrites the file after a wanted change, keeping its lines that still hold.
func writeEvidence(t *testing.T, learned *sync.Map) {
	t.Helper()
	have := plantedEvidence(t)
	learned.Range(func(id, seen any) bool {
		if list := seen.([]string); len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return globbed(have[id.(string)], s) }) {
			have[id.(string)] = list[0]
		}
		return true
	})
	var b bytes.Buffer
	b.WriteString("# Where each difference that the lab can plant shows, when it is planted alone: scenario/step pointer: left → right.\n# * stands for what follows from the lab's content. Written by go test ./cmd/cutover -run Planted -update.\n")
	for _, id := range sorted(have) {
		fmt.Fprintf(&b, "%-20s  %s\n", id, have[id])
	}
	if err := os.WriteFile(plantedFile, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// globbed matches a text in which * stands for any text.
func globbed(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, first)
	if !ok || !star {
		return ok && s == ""
	}
	for i := range len(s) + 1 {
		if globbed(rest, s[i:]) {
			return true
		}
	}
	return false
}
