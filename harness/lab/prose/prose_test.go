package prose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"cutover/harness/lab/prose"
)

func TestEqualSeedsWriteEqualText(t *testing.T) {
	a, b, c := prose.New(1), prose.New(1), prose.New(2)
	x, y, z := a.AppendParagraph(nil, prose.English, 500), b.AppendParagraph(nil, prose.English, 500), c.AppendParagraph(nil, prose.English, 500)
	if string(x) != string(y) || string(x) == string(z) || len(x) < 500 || len(x) > 800 {
		t.Errorf("%d bytes: %s\n%s", len(x), x, z)
	}
}

func TestEveryLanguageWritesValidText(t *testing.T) {
	seen := map[prose.Language]bool{}
	src := prose.New(5)
	for range 2000 {
		l := src.Language()
		seen[l] = true
		if s := src.AppendSentence(nil, l); !utf8.Valid(s) || len(s) < 5 {
			t.Errorf("language %d: %q", l, s)
		}
		if s := src.Subject(l); s == "" || len(s) > 255 || strings.ContainsAny(s, "\r\n") {
			t.Errorf("subject %q", s)
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d languages drawn, want 9", len(seen))
	}
}

func TestNoTwoPeopleShareALogin(t *testing.T) {
	seen := map[string]bool{}
	for i := range 5000 {
		p := prose.Nth(77, i)
		if seen[p.Login] || p.Name() == "" || strings.ToLower(p.Login) != p.Login {
			t.Fatalf("person %d: %+v", i, p)
		}
		seen[p.Login] = true
	}
	if prose.Company(1) != prose.Company(9) || !strings.HasSuffix(prose.CompanyDomain(3), ".test") {
		t.Errorf("%s %s", prose.Company(1), prose.CompanyDomain(3))
	}
	src := prose.New(1)
	hits := 0
	for range 10_000 {
		if src.Percent(30) {
			hits++
		}
	}
	if hits < 2800 || hits > 3200 {
		t.Errorf("30 %% came %d times in 10,000", hits)
	}
}
