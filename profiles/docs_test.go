package profiles_test

import (
	"os"
	"strings"
	"testing"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

const profileDoc = "../docs/profile.md"

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

// whole completes a fence to a profile.
func whole(fence string) string {
	if strings.HasPrefix(fence, "profile:") {
		return fence
	}
	return "profile: example\n" + fence
}

func TestTheDocumentsProfilesLoad(t *testing.T) {
	text, err := os.ReadFile(profileDoc)
	if err != nil {
		t.Fatal(err)
	}
	found := fences(string(text))
	if len(found) < 5 {
		t.Fatalf("only %d YAML fences", len(found))
	}
	for i, fence := range found {
		if _, err := profiles.Parse("examples/document.yaml", []byte(whole(fence))); err != nil {
			t.Errorf("fence %d:\n%s\n%v", i+1, fence, err)
		}
	}
}

func TestTheDocumentListsEveryKey(t *testing.T) {
	text, err := os.ReadFile(profileDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), "-update -->\n")
	_, after, closed := strings.Cut(rest, "<!-- end of keys -->")
	if !found || !closed {
		t.Fatal("the document has no place for the keys")
	}
	tables, err := strictyaml.Document(profiles.Schema(), "profile")
	if err != nil {
		t.Fatal(err)
	}
	want := before + "-update -->\n" + tables + "\n<!-- end of keys -->" + after
	if *update {
		if err := os.WriteFile(profileDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("the keys in docs/profile.md are not those of the language: run go test ./profiles -update")
	}
}
