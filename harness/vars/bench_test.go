package vars_test

import (
	"testing"

	"cutover/harness/vars"
)

func BenchmarkAppend(b *testing.B) {
	url := vars.MustParse("/me/messages/{{id}}?$filter=receivedDateTime%20ge%20{{today-7d}}")
	body, err := vars.ParseJSON([]byte(`{"subject":"{{random.subject}}","body":{"contentType":"text","content":"{{random.text}}"},"importance":"high"}`))
	if err != nil {
		b.Fatal(err)
	}
	r := vars.NewRandom(1, monday)
	scope := vars.Values{"id": "AAMkADRmOGM5NTU4LTAzNjItNDE3Yy1iMzdmLTdiYzBhOTFiNDlmOQBGAAAAAMicZAMqNh9Z", "today-7d": "2026-02-23T00:00:00Z"}
	buf := make([]byte, 0, 4096)
	b.Run("url", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = url.Append(buf[:0], scope, vars.Path); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("body with random text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Reset(42)
			if buf, err = body.Append(buf[:0], r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
