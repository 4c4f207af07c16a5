package consent_test

import (
	"os"
	"strings"
	"testing"

	"cutover/harness/consent"
)

func TestTheDocumentedConsentLoadsAndNamesEveryOperation(t *testing.T) {
	data, err := os.ReadFile("../../docs/consent.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	_, rest, _ := strings.Cut(page, "```yaml\n")
	fence, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page has no YAML")
	}
	if _, err := consent.Parse("docs/consent.md", []byte(fence)); err != nil {
		t.Error(err)
	}
	for _, o := range consent.Operations() {
		if !strings.Contains(page, "`"+string(o)+"`") {
			t.Errorf("the page does not name operation %s", o)
		}
	}
}
