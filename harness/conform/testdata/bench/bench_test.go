// Package bench measures the comparer beside others, in a module of its own so that the program does
// not depend on them: cd harness/conform/testdata/bench && go test -bench . -benchtime 1s
package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"cutover/harness/canon"
	"cutover/harness/conform"

	jd "github.com/josephburnett/jd/v2"
	"github.com/wI2L/jsondiff"
)

// page is a list of 50 messages like Graph's, 84 KB; two seeds differ in their 300 ids only.
func page(seed uint64) []byte {
	ids := rand.New(rand.NewPCG(seed, 7))
	id := func(n int) string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[ids.IntN(64)]
		}
		return string(b) + "="
	}
	var b bytes.Buffer
	b.WriteString(`{"value":[`)
	for i := range 50 {
		if i > 0 {
			b.WriteByte(',')
		}
		key := id(40)
		fmt.Fprintf(&b, `{"@odata.etag":"W/\"%s\"","id":"%s","createdDateTime":"2026-03-04T05:%02d:07Z","lastModifiedDateTime":"2026-03-04T05:06:09Z","changeKey":"%s","categories":[],"receivedDateTime":"2026-03-04T05:%02d:07Z","sentDateTime":"2026-03-04T05:06:05Z","hasAttachments":false,"internetMessageId":"<%s@contoso.test>","subject":"Weekly report number %d of the finance team","bodyPreview":"%s","importance":"normal","parentFolderId":"folder-%d","conversationId":"%s","isRead":true,"isDraft":false,"inferenceClassification":"focused","body":{"contentType":"html","content":"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>%s</body></html>"},"sender":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"from":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"toRecipients":[{"emailAddress":{"name":"Ann","address":"ann@contoso.test"}}],"ccRecipients":[],"bccRecipients":[],"replyTo":[],"flag":{"flagStatus":"notFlagged"}}`,
			key, id(150), i%60, key, i%60, id(30), i, strings.Repeat("lorem ipsum dolor ", 5), seed, id(100), strings.Repeat("Lorem ipsum dolor sit amet. ", 12))
	}
	b.WriteString("]}")
	return b.Bytes()
}

// used is the processor time that this process has had. Beside the time on the clock it stays comparable
// on a machine that others use as well.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loop measures one body of a benchmark, with its processor time.
func loop(b *testing.B, once func() error) {
	b.ReportAllocs()
	began := used()
	for b.Loop() {
		if err := once(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((used()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func BenchmarkParse(b *testing.B) {
	body := page(1)
	run := func(name string, parse func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			loop(b, parse)
		})
	}
	dialect := canon.Graph()
	var doc *canon.Doc
	run("cutover", func() error { doc, _ = canon.Parse(body, dialect, doc); return nil })
	run("encoding-json", func() error {
		var v any
		return json.Unmarshal(body, &v)
	})
	run("json.Valid", func() error { json.Valid(body); return nil })
}

func BenchmarkCompare(b *testing.B) {
	left, right := page(1), page(2)
	run := func(name string, compare func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(left) + len(right)))
			loop(b, compare)
		})
	}
	c := conform.New(conform.Options{})
	pair := conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages", Mailbox: "m",
		Left: conform.Answer{Status: 200, Body: left}, Right: conform.Answer{Status: 200, Body: right}}
	run("cutover", func() error { c.Compare(pair); return nil })
	run("reflect.DeepEqual", func() error {
		var l, r any
		if err := json.Unmarshal(left, &l); err != nil {
			return err
		}
		if err := json.Unmarshal(right, &r); err != nil {
			return err
		}
		reflect.DeepEqual(l, r)
		return nil
	})
	run("wI2L-jsondiff", func() error { _, err := jsondiff.CompareJSON(left, right); return err })
	run("jd", func() error {
		l, err := jd.ReadJsonString(string(left))
		if err != nil {
			return err
		}
		r, err := jd.ReadJsonString(string(right))
		if err != nil {
			return err
		}
		l.Diff(r)
		return nil
	})
}
