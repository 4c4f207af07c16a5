package conform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"cutover/harness/conform"
)

// page is a list of messages like Graph's: 1.7 KB an item, ids of the store that seed stands for.
func page(items int, seed uint64, order []int) []byte {
	ids := rand.New(rand.NewPCG(seed, 7))
	id := func(n int) string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[ids.IntN(64)]
		}
		return string(b) + "="
	}
	list := make([]string, items)
	for i := range items {
		key := id(40)
		list[i] = fmt.Sprintf(`{"@odata.etag":"W/\"%s\"","id":"%s","createdDateTime":"2026-03-04T05:%02d:07Z","lastModifiedDateTime":"2026-03-04T05:06:09Z","changeKey":"%s","categories":[],"receivedDateTime":"2026-03-04T05:%02d:07Z","sentDateTime":"2026-03-04T05:06:05Z","hasAttachments":false,"internetMessageId":"<%s@contoso.test>","subject":"Weekly report number %d of the finance team","bodyPreview":"%s","importance":"normal","parentFolderId":"folder-%d","conversationId":"%s","isDeliveryReceiptRequested":null,"isReadReceiptRequested":false,"isRead":true,"isDraft":false,"webLink":"https://outlook.office365.com/owa/?ItemID=%s&exvsurl=1","inferenceClassification":"focused","body":{"contentType":"html","content":"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>%s</body></html>"},"sender":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"from":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"toRecipients":[{"emailAddress":{"name":"Ann","address":"ann@contoso.test"}}],"ccRecipients":[],"bccRecipients":[],"replyTo":[],"flag":{"flagStatus":"notFlagged"}}`,
			key, id(150), i%60, key, i%60, id(30), i, strings.Repeat("lorem ipsum dolor ", 5), seed, "conv"+id(100), id(60), strings.Repeat("Lorem ipsum dolor sit amet. ", 10))
	}
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('x')/messages","value":[`)
	for n := range items {
		if n > 0 {
			b.WriteByte(',')
		}
		i := n
		if order != nil {
			i = order[n]
		}
		b.WriteString(list[i])
	}
	b.WriteString("]}")
	return b.Bytes()
}

func pagePair(items int, order []int) conform.Pair {
	return conform.Pair{
		Scenario: "s", Step: "t", Endpoint: "GET /me/messages", Mailbox: "m",
		Left: conform.Answer{Status: 200, Body: page(items, 1, nil)}, Right: conform.Answer{Status: 200, Body: page(items, 2, order)},
	}
}

func benchmarkPair(b *testing.B, p conform.Pair) {
	b.Helper()
	c := conform.New(conform.Options{})
	c.Compare(p)
	if r := c.Report(); r.Comparison.Different > 0 {
		b.Fatalf("the pair differs: %v", lines(r.Findings))
	}
	b.SetBytes(int64(len(p.Left.Body) + len(p.Right.Body)))
	b.ReportAllocs()
	for b.Loop() {
		c.Compare(p)
	}
}

// BenchmarkPage84KB compares two pages of 50 messages whose 300 ids all differ.
func BenchmarkPage84KB(b *testing.B) {
	p := pagePair(50, nil)
	b.Run("conform", func(b *testing.B) { benchmarkPair(b, p) })
	b.Run("json-reflect", func(b *testing.B) {
		b.SetBytes(int64(len(p.Left.Body) + len(p.Right.Body)))
		b.ReportAllocs()
		for b.Loop() {
			var l, r any
			if json.Unmarshal(p.Left.Body, &l) != nil || json.Unmarshal(p.Right.Body, &r) != nil || reflect.DeepEqual(l, r) {
				b.Fatal("the pages are equal")
			}
		}
	})
}

// BenchmarkMessage compares two messages of 1.7 KB.
func BenchmarkMessage(b *testing.B) {
	p := pagePair(1, nil)
	cut := func(body []byte) []byte {
		start := bytes.Index(body, []byte("[{"))
		return body[start+1 : len(body)-2]
	}
	p.Endpoint, p.Left.Body, p.Right.Body = "GET /me/messages/{id}", cut(p.Left.Body), cut(p.Right.Body)
	benchmarkPair(b, p)
}

// BenchmarkShuffled aligns keyed lists that are shuffled: the time of 10,000 items against that of
// 1,000 shows whether it is linear.
func BenchmarkShuffled(b *testing.B) {
	for _, items := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			thing := func(i int) string { return fmt.Sprintf(`{"id":"%d","subject":"s%d","isRead":%v}`, i, i, i%2 == 0) }
			var left, right []string
			for i := range items {
				left = append(left, thing(i))
			}
			for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(items) {
				right = append(right, thing(i+0))
			}
			p := conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages", Mailbox: "m",
				Left: answer(`{"value":[` + strings.Join(left, ",") + `]}`), Right: answer(`{"value":[` + strings.Join(right, ",") + `]}`)}
			c := conform.New(conform.Options{})
			c.Compare(p) // takes the memory that the others use again
			b.ReportAllocs()
			for b.Loop() {
				c.Compare(p)
			}
		})
	}
}

// BenchmarkThousandPairs is a second of load at 1,000 pairs of 4 KB messages, compared on one core: ns/op
// divided by a second is the share of a core that comparing every pair takes. The goal is 25 %.
func BenchmarkThousandPairs(b *testing.B) {
	p := pagePair(1, nil)
	grown := func(body []byte) []byte { // 4 KB, as a message with a body of some paragraphs
		start := bytes.Index(body, []byte("[{"))
		one := body[start+1 : len(body)-2]
		text := strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit. ", 1+(4096-len(one))/57)
		return bytes.Replace(one, []byte("</body>"), []byte(text+"</body>"), 1)
	}
	p.Endpoint, p.Left.Body, p.Right.Body = "GET /me/messages/{id}", grown(p.Left.Body), grown(p.Right.Body)
	if n := len(p.Left.Body); n < 4000 || n > 4300 {
		b.Fatalf("the message has %d bytes, want 4 KB", n)
	}
	c := conform.New(conform.Options{})
	b.ReportAllocs()
	for b.Loop() {
		for i := range uint64(1000) {
			p.Arrival = i
			c.Compare(p)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*100, "%core")
}
