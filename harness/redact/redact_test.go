package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"cutover/harness/redact"

	"pgregory.net/rapid"
)

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

func TestASecretIsFoundInItsClothes(t *testing.T) {
	const secret = `pä ss&<w>"o\rd+/%1`
	var set redact.Set
	set.Add(secret)
	std, raw := base64.StdEncoding, base64.RawURLEncoding
	tests := []struct{ name, text, want string }{
		{"hides it as it is", "password " + secret + "!", "password ***!"},
		{"hides it in a query", "?p=" + url.QueryEscape(secret) + "&x", "?p=***&x"},
		{"hides it in a path", "/a/" + url.PathEscape(secret) + "/b", "/a/***/b"},
		{"hides it with lower-case escapes", strings.ToLower(url.QueryEscape(secret)), "***"},
		{"hides it in JSON", `{"p":` + quoted(secret) + `}`, `{"p":"***"}`},
		{"hides it in HTML", "<b>" + html.EscapeString(secret) + "</b>", "<b>***</b>"},
		{"hides it twice", secret + secret, "******"},
		{"leaves other text alone", "nothing to see", "nothing to see"},
		{"leaves a part of it alone", secret[:8], secret[:8]},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			if got := set.Redact(test.text); got != test.want {
				t.Errorf("Redact(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
	for offset := range 6 {
		before := strings.Repeat("u", offset) + ":"
		for _, text := range []string{std.EncodeToString([]byte(before + secret + "more")), raw.EncodeToString([]byte(before + secret))} {
			got := set.Redact(text)
			decoded, _ := std.DecodeString(got)
			if !strings.Contains(got, redact.Hidden) || strings.Contains(string(decoded), "w>") {
				t.Errorf("behind %d bytes: Redact(%q) = %q", len(before), text, got)
			}
		}
	}
}

func TestLongTokensGoAsAWhole(t *testing.T) {
	var set redact.Set
	for i := range 1000 {
		set.Add(token(i))
	}
	for _, text := range []string{"Authorization: Bearer " + token(7) + "\n", `{"access_token":"` + token(500) + `","x":1}`, base64.StdEncoding.EncodeToString([]byte("token=" + token(3)))} {
		got := set.Redact(text)
		if strings.Contains(got, "head") || !strings.Contains(got, redact.Hidden) || len(got) > 60 {
			t.Errorf("Redact = %q", got)
		}
	}
}

func token(i int) string {
	return "eyJhead." + strings.Repeat(fmt.Sprintf("body%04d", i), 100) + "." + strings.Repeat(fmt.Sprintf("sig%05d", i), 10)
}

func TestShortSecretsAndMarkersAreNotRedactedByValue(t *testing.T) {
	var set redact.Set
	set.Add("admin")
	set.Add("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----\n")
	set.Add("")
	got := set.Redact("admin -----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkq")
	if want := "admin -----BEGIN PRIVATE KEY----- ***"; got != want {
		t.Errorf("Redact = %q, want %q", got, want)
	}
}

func TestAWriterFindsWhatComesInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set redact.Set
		set.Add("canary-secret")
		text := strings.Repeat("log: canary-secret and more\n", 5) + "canary-secret"
		var out bytes.Buffer
		w := set.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(text, "canary-secret", redact.Hidden); out.String() != want {
			t.Fatalf("written %q, want %q", out.String(), want)
		}
	})
}

func TestNoKnownSecretSurvivesWhateverSurroundsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[!-~]{8,40}`).Draw(t, "secret")
		before := rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "before")
		after := rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "after")
		var set redact.Set
		set.Add(secret)
		for _, text := range []string{before + secret + after, before + url.QueryEscape(secret) + after, before + quoted(secret) + after, html.EscapeString(before + secret + after)} {
			if got := set.Redact(text); strings.Contains(got, secret) && !strings.Contains(before+after+redact.Hidden+before, secret) && !strings.Contains(before+redact.Hidden+after, secret) {
				t.Fatalf("Redact(%q) = %q still holds %q", text, got, secret)
			}
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	var set redact.Set
	for i := range 1000 {
		set.Add(token(i))
	}
	text := strings.Repeat("an ordinary line of a log with 1234 numbers in it\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		set.Redact(text)
	}
}
