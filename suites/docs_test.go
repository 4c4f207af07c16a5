package suites_test

import (
	"os"
	"strings"
	"testing"

	"cutover/suites"
	"cutover/suites/strictyaml"
)

const suiteDoc = "../docs/suite.md"

// fences returns the YAML fences of a Markdown text.
func fences(text string) []string {
	var out []string
	for i, part := range strings.Split(text, "```") {
		if body, isYAML := strings.CutPrefix(part, "yaml\n"); isYAML && i%2 == 1 {
			out = append(out, body)
		}
	}
	return out
}

// whole completes a fence to a suite: a list is the steps of a scenario, and keys without
// scenarios stand beside one.
func whole(fence string) string {
	if strings.HasPrefix(fence, "suite:") {
		return fence
	}
	const scenario = "suite: example\nscenarios:\n  - name: example\n    steps:\n"
	if !strings.HasPrefix(fence, "- ") {
		return scenario + "      - {name: list, get: /me/messages}\n" + fence
	}
	var out strings.Builder
	out.WriteString(scenario)
	for line := range strings.Lines(fence) {
		if strings.HasPrefix(line, "- ") || strings.HasPrefix(line, " ") {
			line = "      " + line
		}
		out.WriteString(line)
	}
	return out.String()
}

func TestTheDocumentsSuitesLoad(t *testing.T) {
	text, err := os.ReadFile(suiteDoc)
	if err != nil {
		t.Fatal(err)
	}
	found := fences(string(text))
	if len(found) < 10 {
		t.Fatalf("only %d YAML fences", len(found))
	}
	for i, fence := range found {
		if _, err := suites.Parse("testdata/good/document.yaml", []byte(whole(fence))); err != nil {
			t.Errorf("fence %d:\n%s\n%v", i+1, fence, err)
		}
	}
}

func TestTheReadmesSuitesLoad(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fence := range fences(string(text)) {
		if !strings.HasPrefix(fence, "suite:") {
			continue
		}
		if _, err := suites.Parse("testdata/good/readme.yaml", []byte(fence)); err != nil {
			t.Errorf("%s\n%v", fence, err)
		}
	}
}

func TestTheDocumentListsEveryKey(t *testing.T) {
	text, err := os.ReadFile(suiteDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), "-update -->\n")
	_, after, closed := strings.Cut(rest, "<!-- end of keys -->")
	if !found || !closed {
		t.Fatal("the document has no place for the keys")
	}
	tables, err := strictyaml.Document(suites.Schema(), "suite")
	if err != nil {
		t.Fatal(err)
	}
	want := before + "-update -->\n" + tables + "\n<!-- end of keys -->" + after
	if *update {
		if err := os.WriteFile(suiteDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("the keys in docs/suite.md are not those of the language: run go test ./suites -update")
	}
}
