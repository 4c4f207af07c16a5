package canon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"cutover/harness/canon"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, d *canon.Dialect, body string) *canon.Doc {
	t.Helper()
	doc, problems := canon.Parse([]byte(body), d, nil)
	if len(problems) > 0 {
		t.Fatalf("Parse(%s): %v", body, problems)
	}
	return doc
}

func TestParseRefusesWhatIsNotStrictJSON(t *testing.T) {
	for _, c := range []struct{ name, body, kind string }{
		{"it refuses nothing at all", "", canon.ProblemEmpty},
		{"it refuses white space alone", " \n", canon.ProblemEmpty},
		{"it refuses a second value", "{} {}", canon.ProblemTrailing},
		{"it refuses a leading zero", "01", canon.ProblemMalformed},
		{"it refuses NaN", "NaN", canon.ProblemMalformed},
		{"it refuses a bare point", "1.", canon.ProblemMalformed},
		{"it refuses a plus sign", "+1", canon.ProblemMalformed},
		{"it refuses an empty exponent", "1e", canon.ProblemMalformed},
		{"it refuses a lone minus", "-", canon.ProblemMalformed},
		{"it refuses a trailing comma", "[1,]", canon.ProblemMalformed},
		{"it refuses a name without quotes", "{a:1}", canon.ProblemMalformed},
		{"it refuses a missing colon", `{"a" 1}`, canon.ProblemMalformed},
		{"it refuses a control character in a string", "\"a\x01\"", canon.ProblemMalformed},
		{"it refuses a raw line end in a string", "\"a\n\"", canon.ProblemMalformed},
		{"it refuses an unknown escape", `"\x"`, canon.ProblemMalformed},
		{"it refuses a short \\u", `"\u12"`, canon.ProblemMalformed},
		{"it refuses a string that does not end", `"a`, canon.ProblemMalformed},
		{"it refuses an array that does not end", `[1`, canon.ProblemMalformed},
		{"it refuses a misspelt word", `nul`, canon.ProblemMalformed},
		{"it refuses a byte order mark", "\xef\xbb\xbf{}", canon.ProblemMalformed},
		{"it refuses what is nested deeper than 512", strings.Repeat("[", 513) + strings.Repeat("]", 513), canon.ProblemDepth},
		{"it refuses more than 8 MiB", `"` + strings.Repeat("a", canon.MaxBytes) + `"`, canon.ProblemTooLarge},
	} {
		doc, problems := canon.Parse([]byte(c.body), canon.Graph(), nil)
		if len(problems) != 1 || problems[0].Kind != c.kind || !problems[0].Fatal || doc.Root().Exists() {
			t.Errorf("%s: problems %+v, root %v; want one fatal %s", c.name, problems, doc.Root().Kind(), c.kind)
		}
	}
}

func TestParseNotesWhatDecodersDisagreeAbout(t *testing.T) {
	rest := canon.Rest("v2.0")
	for _, c := range []struct {
		name, body string
		dialect    *canon.Dialect
		kind       string
	}{
		{"it notes a name that stands twice", `{"a":1,"b":2,"a":3}`, nil, canon.ProblemDuplicateName},
		{"it notes a name that stands twice around a nested one", `{"a":{"a":1},"a":3}`, nil, canon.ProblemDuplicateName},
		{"it notes a name written once with an escape", `{"a":1,"\u0061":3}`, nil, canon.ProblemDuplicateName},
		{"it notes two names that fold to one", `{"Id":"x","id":"y"}`, rest, canon.ProblemCollision},
		{"it notes a renamed property beside its new name", `{"MobilePhone1":"x","MobilePhone":"y"}`, rest, canon.ProblemCollision},
		{"it notes bytes that are not UTF-8", "\"\xff\"", nil, canon.ProblemUTF8},
		{"it notes a lone high surrogate", `"\ud83d"`, nil, canon.ProblemSurrogate},
		{"it notes a lone low surrogate", `"\ude00"`, nil, canon.ProblemSurrogate},
		{"it notes a high surrogate before a letter", `"\ud83d\u0041"`, nil, canon.ProblemSurrogate},
	} {
		doc, problems := canon.Parse([]byte(c.body), c.dialect, nil)
		if len(problems) != 1 || problems[0].Kind != c.kind || problems[0].Fatal || !doc.Root().Exists() {
			t.Errorf("%s: problems %+v; want one %s", c.name, problems, c.kind)
		}
	}
}

func TestParseLeavesEqualNamesOfDifferentObjectsAlone(t *testing.T) {
	_, problems := canon.Parse([]byte(`{"a":{"a":1,"b":{"a":2}},"b":[{"a":1},{"a":1}]}`), nil, nil)
	if len(problems) != 0 {
		t.Errorf("problems %+v, want none", problems)
	}
}

func TestDialectsSpellTheSameThingAlike(t *testing.T) {
	graph := parse(t, canon.Graph(), `{"id":"1","importance":"normal","mobilePhone":"7","iCalUId":"u","body":{"contentType":"html"},"@odata.type":"#microsoft.graph.eventMessage"}`)
	doc, problems := canon.Parse([]byte(`{"@odata.type":"#Microsoft.OutlookServices.EventMessage","Body":{"ContentType":"HTML"},"Id":"2","iCalUID":"v","Importance":"Normal","MobilePhone1":"7"}`), canon.Rest("v2.0"), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff(map[string]any{
		"id": "2", "importance": "normal", "mobilePhone": "7", "iCalUId": "v", "@odata.type": "#microsoft.graph.eventMessage",
		"body": map[string]any{"contentType": "html"},
	}, doc.Root().Any()); diff != "" {
		t.Errorf("canonical form (-want +got)\n%s", diff)
	}
	if graph.Root().Hash() != doc.Root().Hash() {
		t.Error("the hashes differ although only spelling and ids do")
	}
	if got, want := [4]int{doc.Folded, doc.Renamed, doc.FoldedEnums, doc.FoldedTypes}, [4]int{4, 2, 2, 1}; got != want {
		t.Errorf("folded, renamed, enums, types = %v, want %v", got, want)
	}
}

func TestHashSeparatesWhatIsDifferent(t *testing.T) {
	distinct := []string{
		`1`, `-1`, `1.0`, `"1"`, `true`, `false`, `null`, `""`, `[]`, `{}`, `[[]]`, `[{}]`, `{"a":null}`, `{"a":[]}`, `{"a":{}}`,
		`["a","a","b"]`, `["a","b","b"]`, `["b","a","a"]`, `["ab"]`, `["a","b"]`, `[["a"],"b"]`, `[["a","b"]]`,
		`{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":1,"b":1}`, `{"a":{"b":1}}`, `{"b":{"a":1}}`, `[false]`, `[null]`, `["0"]`, `[0]`,
		`9007199254740993`, `9007199254740992`, `"abcdefgh"`, `"abcdefghi"`, `"abcdefghabcdefgh"`, `"abcdefghabcdefghi"`, `[{"a":1},{"a":2}]`, `[{"a":3},{"a":4}]`,
		`{"a":"b","c":"d"}`, `{"a":"d","c":"b"}`,
	}
	seen := map[canon.Hash]string{}
	for _, body := range distinct {
		h := parse(t, canon.Plain(), body).Root().Hash()
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s hash alike", body, other)
		}
		seen[h] = body
	}
}

func TestHashIgnoresOrderOfMembersAndIdentities(t *testing.T) {
	for _, c := range [][3]string{
		{"it ignores the order of members", `{"a":1,"b":[{"c":2,"d":3}]}`, `{"b":[{"d":3,"c":2}],"a":1}`},
		{"it ignores white space", `{"a":[1,2]}`, " { \"a\" : [ 1 ,\t2 ] } \n"},
		{"it ignores ids and versions", `{"id":"1","changeKey":"a","@odata.etag":"W/\"a\"","subject":"s"}`, `{"id":"2","changeKey":"b","@odata.etag":"W/\"b\"","subject":"s"}`},
		{"it ignores contexts and links", `{"@odata.context":"x","value":[{"@odata.id":"y"}]}`, `{"value":[{}]}`},
		{"it ignores when a store wrote", `{"createdDateTime":"2020-01-01T00:00:00Z"}`, `{"createdDateTime":"2021-01-01T00:00:00Z"}`},
		{"it reads escapes", `{"subject":"\u00e9\n"}`, "{\"subject\":\"é\\n\"}"},
	} {
		l, r := parse(t, nil, c[1]).Root(), parse(t, nil, c[2]).Root()
		if l.Hash() != r.Hash() {
			t.Errorf("%s: %s and %s hash differently", c[0], c[1], c[2])
		}
	}
	if n := parse(t, nil, `{"value":[{"id":"1","subject":"a"}]}`).Root(); !n.Slots() {
		t.Error("an answer with ids says that nothing is left out of its hash")
	}
	if n := parse(t, nil, `{"value":[{"subject":"a"}]}`).Root(); n.Slots() {
		t.Error("an answer without ids says that something is left out of its hash")
	}
}

func TestFindWalksSimplePaths(t *testing.T) {
	doc := parse(t, canon.Rest("v2.0"), `{"@odata.count":2,"Value":[{"Id":"A","From":{"EmailAddress":{"Address":"a@x"}}},{"Id":"B","odd.name":"z"}]}`)
	for path, want := range map[string]string{
		"$.value[0].id": "A", "$.value[-1].id": "B", "$['value'][1]['id']": "B", `$.value[0].from["emailAddress"].address`: "a@x",
		"$['@odata.count']": "2", "$.@odata.count": "2", "$.value[1]['odd.name']": "z",
		"$.value[2].id": "", "$.value[*].id": "", "$..id": "", "$.value.id": "", "$.nothing": "", "$.value[x]": "", "$.": "", "$[": "", "$.value[-3]": "",
	} {
		n, ok := doc.Find(path)
		if n.Text() != want || ok != (want != "") {
			t.Errorf("Find(%s) = %q, %v; want %q", path, n.Text(), ok, want)
		}
	}
	if n, ok := doc.Find("$"); !ok || n.Kind() != canon.Object {
		t.Error("$ is not the root")
	}
	for path, want := range map[string]bool{"$.a[0]['b']": true, "$": true, "$.a[*]": false, "$..a": false, "a": false, "$.a[?(@.b)]": false} {
		if got := canon.Simple(path); got != want {
			t.Errorf("Simple(%s) = %v, want %v", path, got, want)
		}
	}
}

func TestPointerNamesTheWay(t *testing.T) {
	doc := parse(t, nil, `{"a":[1,{"b/c":{"d~e":true}}]}`)
	n, _ := doc.Find("$.a[1]['b/c']['d~e']")
	if got, want := n.Pointer(), "/a/1/b~1c/d~0e"; got != want {
		t.Errorf("pointer %s, want %s", got, want)
	}
}

func TestNodeReadsValues(t *testing.T) {
	doc := parse(t, nil, `{"s":"a\u00e9\ud83d\ude00\/","n":1.50,"b":true,"z":null,"l":[1,2],"big":123456789012345678901,"i":9007199254740993}`)
	if diff := cmp.Diff(map[string]any{
		"s": "aé😀/", "n": 1.5, "b": true, "z": nil, "l": []any{int64(1), int64(2)}, "big": 123456789012345678901.0, "i": int64(9007199254740993),
	}, doc.Root().Any()); diff != "" {
		t.Errorf("Any (-want +got)\n%s", diff)
	}
	n, _ := doc.Root().Get("n")
	if n.Text() != "1.50" || n.Kind() != canon.Number {
		t.Errorf("number reads %q", n.Text())
	}
	var none canon.Node
	if none.Exists() || none.Text() != "" || none.Len() != 0 || none.Any() != nil || none.Pointer() != "" || none.Property() != nil || none.Key() != "" || none.Bool() {
		t.Error("a node that does not exist says something")
	}
	if _, ok := n.Get("x"); ok {
		t.Error("a number has a member")
	}
	if _, ok := n.At(0); ok {
		t.Error("a number has an element")
	}
}

func TestReuseForgetsTheLastBody(t *testing.T) {
	d := canon.Rest("v2.0")
	doc, _ := canon.Parse([]byte(`{"Subject":"a","Id":"1"}`), d, nil)
	doc, _ = canon.Parse([]byte(`{`), d, doc)
	if doc.Root().Exists() {
		t.Error("a broken body has a root")
	}
	doc, problems := canon.Parse([]byte(`{"subject":"b"}`), canon.Graph(), doc)
	if len(problems) != 0 || doc.Folded != 0 {
		t.Errorf("problems %v, folded %d after another dialect", problems, doc.Folded)
	}
	if n, _ := doc.Find("$.subject"); n.Text() != "b" {
		t.Errorf("subject is %q", n.Text())
	}
}

func TestParseOfAKnownShapeAllocatesNothing(t *testing.T) {
	page, d := page(50, 1), canon.Graph()
	doc, _ := canon.Parse(page, d, nil)
	if n := testing.AllocsPerRun(10, func() { doc, _ = canon.Parse(page, d, doc) }); n > 0 {
		t.Errorf("%v allocations a page, want 0", n)
	}
}

func TestCanonicalNumberIsTheExactValue(t *testing.T) {
	for _, c := range [][2]string{
		{"0", "0"}, {"-0", "0"}, {"0.0", "0"}, {"0e9", "0"}, {"1", "1e0"}, {"1.0", "1e0"}, {"10e-1", "1e0"}, {"100", "1e2"}, {"1E2", "1e2"},
		{"-1.50", "-15e-1"}, {"0.001", "1e-3"}, {"9007199254740993", "9007199254740993e0"}, {"1e99999999999999999999", "1e99999999999999999999"},
	} {
		if got := canon.CanonicalNumber(c[0]); got != c[1] {
			t.Errorf("CanonicalNumber(%s) = %s, want %s", c[0], got, c[1])
		}
	}
}

func TestSchemaKnowsTheVocabulary(t *testing.T) {
	for _, c := range []struct {
		typ, name string
		want      canon.Property
	}{
		{"message", "importance", canon.Property{Type: "message", Name: "importance", Form: canon.FormEnum, Enum: []string{"low", "normal", "high"}}},
		{"message", "flag", canon.Property{Type: "message", Name: "flag", Form: canon.FormObject, Object: "followupFlag", Newer: true}},
		{"contact", "mobilePhone", canon.Property{Type: "contact", Name: "mobilePhone", Form: canon.FormString}},
		{"event", "start", canon.Property{Type: "event", Name: "start", Form: canon.FormObject, Object: "zoned"}},
		{"mailFolder", "id", canon.Property{Type: "mailFolder", Name: "id", Form: canon.FormID, Sort: "folder", NonNull: true}},
		{"item", "id", canon.Property{Type: "item", Name: "id", Form: canon.FormID, Sort: "item"}},
	} {
		got, ok := canon.Lookup(c.typ, c.name)
		opt := cmp.FilterPath(func(p cmp.Path) bool {
			f, ok := p.Last().(cmp.StructField)
			return ok && f.Name()[0] >= 'a' && f.Name()[0] <= 'z'
		}, cmp.Ignore())
		if diff := cmp.Diff(c.want, got, opt); !ok || diff != "" {
			t.Errorf("%s.%s (-want +got)\n%s", c.typ, c.name, diff)
		}
	}
	if _, ok := canon.Lookup("message", "nothing"); ok {
		t.Error("a property that does not exist was found")
	}
	count := 0
	for _, e := range canon.Entities() {
		count += len(canon.Properties(e))
	}
	if count < 150 {
		t.Errorf("the schema has %d properties of entities, want 150 and more", count)
	}
}

// page makes a list of messages like Graph's, about 1.7 KB each.
func page(items int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	id := func(n int) string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(64)]
		}
		return string(b) + "="
	}
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('x')/messages","@odata.nextLink":"https://graph.microsoft.com/v1.0/me/messages?$skip=50","value":[`)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		key := id(40)
		fmt.Fprintf(&b, `{"@odata.etag":"W/\"%s\"","id":"%s","createdDateTime":"2026-03-04T05:%02d:07Z","lastModifiedDateTime":"2026-03-04T05:06:09Z","changeKey":"%s","categories":[],"receivedDateTime":"2026-03-04T05:%02d:07Z","sentDateTime":"2026-03-04T05:06:05Z","hasAttachments":false,"internetMessageId":"<%s@contoso.test>","subject":"Weekly report number %d of the finance team","bodyPreview":"%s","importance":"normal","parentFolderId":"%s","conversationId":"%s","isDeliveryReceiptRequested":null,"isReadReceiptRequested":false,"isRead":true,"isDraft":false,"webLink":"https://outlook.office365.com/owa/?ItemID=%s&exvsurl=1","inferenceClassification":"focused","body":{"contentType":"html","content":"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>%s</body></html>"},"sender":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"from":{"emailAddress":{"name":"Bob Builder","address":"bob@contoso.test"}},"toRecipients":[{"emailAddress":{"name":"Ann","address":"ann@contoso.test"}}],"ccRecipients":[],"bccRecipients":[],"replyTo":[],"flag":{"flagStatus":"notFlagged"}}`,
			key, id(150), i%60, key, i%60, id(30), i, strings.Repeat("lorem ipsum dolor ", 5), "folder"+id(114)[:20], "conv"+id(100), id(60), strings.Repeat("Lorem ipsum dolor sit amet. ", 10))
	}
	b.WriteString("]}")
	return b.Bytes()
}

func BenchmarkPage84KB(b *testing.B) {
	body := page(50, 1)
	b.Run("canon", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		d := canon.Graph()
		var doc *canon.Doc
		for b.Loop() {
			doc, _ = canon.Parse(body, d, doc)
		}
	})
	b.Run("json-any", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json-valid", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if !json.Valid(body) {
				b.Fatal("not valid")
			}
		}
	})
}

func FuzzParseAgreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,"x\u00e9",true,null]}`, `[[[]]]`, `"\ud83d\ude00"`, `-0`, `{"a":{"a":1}}`, "\"\xff\"", `{"id":"x","value":[{"subject":"a"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, problems := canon.Parse(body, canon.Plain(), nil)
		fatal := false
		for _, p := range problems {
			fatal = fatal || p.Fatal
		}
		if valid := json.Valid(body); valid != !fatal {
			deep := len(problems) > 0 && problems[len(problems)-1].Kind == canon.ProblemDepth
			if !deep {
				t.Fatalf("json.Valid says %v, problems are %+v", valid, problems)
			}
		}
		if fatal || len(problems) > 0 {
			return
		}
		var want any
		if err := json.Unmarshal(body, &want); err != nil {
			return // a number that no float64 holds
		}
		if got := floats(doc.Root().Any()); !reflect.DeepEqual(got, want) {
			t.Fatalf("read %#v, want %#v", got, want)
		}
	})
}

// floats turns the integers of Any into what encoding/json makes of them.
func floats(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}
