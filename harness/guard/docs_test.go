package guard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rulesIn are the rule names in the sources: the first argument of refuse, and
// the first field of a refusal.
var rulesIn = regexp.MustCompile(`(?:refuse\(|Refusal\{(?:Rule: )?)"([a-z ]+)"`)

func TestEveryRuleIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/consent.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, pattern := range []string{"*.go", "../consent/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range rulesIn.FindAllStringSubmatch(string(source), -1) {
				seen++
				if !strings.Contains(string(page), "`"+m[1]+"`") {
					t.Errorf("%s: rule %q is not in docs/consent.md", file, m[1])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d rules were found in the sources", seen)
	}
}
