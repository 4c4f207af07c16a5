package expect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/canon"
	"cutover/harness/expect"
	"cutover/harness/vars"
	"cutover/harness/wire"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

const page = `{"value":[{"id":"A1","subject":"Hello","size":12345678901234567,"from":{"emailAddress":{"address":"ann@a.test"}},"isRead":false},
  {"id":"A2","subject":"","categories":["x","y"]}],"@odata.nextLink":"https://host/next"}`

func answer(status int, body string, header ...wire.Field) expect.Answer {
	doc, _ := canon.Parse([]byte(body), canon.Graph(), nil)
	return expect.Answer{
		Response: &wire.Response{Status: status, Header: header, Body: []byte(body)},
		Doc:      doc,
		Scope:    vars.Values{"page": "25", "first": "A1"},
	}
}

func TestJudge(t *testing.T) {
	retry := wire.Field{Name: "Retry-After", Value: "3"}
	for _, row := range []struct {
		it   string
		e    suites.Expect
		a    expect.Answer
		want string
	}{
		{"takes any 2xx when nothing is expected", suites.Expect{}, answer(204, ""), ""},
		{"rejects what is not 2xx when nothing is expected", suites.Expect{}, answer(302, ""), "status 302, expected 2xx"},
		{"takes a status of the set", suites.Expect{Status: suites.StatusSet{Codes: []int{200, 404}}}, answer(404, ""), ""},
		{"names the set that the status is not of", suites.Expect{Status: suites.StatusSet{Codes: []int{200, 404}}}, answer(500, ""), "status 500, expected 200 or 404"},
		{"counts the items of a page", suites.Expect{Items: "<= 2"}, answer(200, page), ""},
		{"says how many items there were", suites.Expect{Items: "> 2"}, answer(200, page), "2 items, expected > 2"},
		{"counts the items of a bare array", suites.Expect{Items: "3"}, answer(200, "[1,2,3]"), ""},
		{"knows fewer", suites.Expect{Items: "< 2"}, answer(200, page), "2 items, expected < 2"},
		{"knows at least", suites.Expect{Items: ">= 3"}, answer(200, page), "2 items, expected >= 3"},
		{"does not take an answer without a list for an empty one", suites.Expect{Items: "0"}, answer(200, `{"id":"A1"}`), "-1 items, expected = 0"},
		{"does not take broken JSON for a list", suites.Expect{Items: "0"}, answer(200, `{"value":[`), "-1 items, expected = 0"},
		{"finds text", suites.Expect{Contains: `"Hello"`}, answer(200, page), ""},
		{"misses text without repeating the answer", suites.Expect{Contains: "Success"}, answer(200, page), "the answer does not contain the expected text"},
		{"finds a header whatever its case", suites.Expect{Header: strictyaml.Map[string]{{Key: "retry-after", Value: "3"}}}, answer(200, "", retry), ""},
		{"misses a header", suites.Expect{Header: strictyaml.Map[string]{{Key: "ETag", Value: "W/"}}}, answer(200, "", retry), "header ETag does not contain the expected text"},
		{"evaluates a check over the answer", checks(`status == 200 && items == 2 && body.value[0].id == first && header("RETRY-AFTER") == "3" && headers["retry-after"] == "3" && text contains "Hello" && int(page) > items`), answer(200, page, retry), ""},
		{"names the check that does not hold", checks(`items == 3`), answer(200, page), "check does not hold: items == 3"},
		{"reports a check that breaks on this answer", checks(`body.value[7].id == "x"`), answer(200, page), "check body.value[7].id == \"x\": index out of range: 7 (array length is 2) (at character 11)"},
	} {
		t.Run(row.it, func(t *testing.T) {
			x, problems := expect.Compile(row.e, []string{"page", "first", "mailbox.name"})
			if len(problems) > 0 {
				t.Fatalf("Compile: %v", problems)
			}
			if got := x.Judge(row.a); got != row.want {
				t.Errorf("Judge = %q, want %q", got, row.want)
			}
		})
	}
}

func checks(texts ...string) suites.Expect {
	var e suites.Expect
	for _, text := range texts {
		e.Checks = append(e.Checks, suites.Expr{Text: text})
	}
	return e
}

func TestAMistakeInAnExpressionIsFoundWhenItIsCompiled(t *testing.T) {
	at := strictyaml.Pos{File: "s.yaml", Line: 4, Col: 9}
	for text, want := range map[string]string{
		`statsu == 200`:      `check "statsu == 200": nothing is called "statsu" here (did you mean "status"?)`,
		`frist != ""`:        `check "frist != \"\"": nothing is called "frist" here (did you mean "first"?)`,
		`items + 1`:          `check "items + 1": expected bool, but got int`,
		`status = 200`:       `check "status = 200": unexpected token Operator("=") (at character 8)`,
		`status > "two"`:     `check "status > \"two\"": invalid operation: > (mismatched types int and string) (at character 8)`,
		`header(1) == "one"`: `check "header(1) == \"one\"": cannot use int as argument (type string) to call header (at character 8)`,
	} {
		e := suites.Expect{Checks: []suites.Expr{{Pos: at, Text: text}}}
		_, problems := expect.Compile(e, []string{"first"})
		if diff := cmp.Diff(strictyaml.Problems{{Pos: at, Msg: want}}, problems); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestTheBodyIsParsedOnlyWhenSomethingLooksIntoIt(t *testing.T) {
	for text, want := range map[string]bool{
		`status == 200`: false, `text contains "a"`: false, `items > 0`: true, `body.id == "a"`: true,
	} {
		x, problems := expect.Compile(checks(text), nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := x.NeedsDoc(); got != want {
			t.Errorf("%s: NeedsDoc = %v, want %v", text, got, want)
		}
	}
	x, _ := expect.Compile(suites.Expect{Items: "> 0"}, nil)
	if !x.NeedsDoc() {
		t.Error("a bound on items does not ask for the body")
	}
}

func TestAConditionOnCapturesNeedsNoAnswer(t *testing.T) {
	c, err := expect.NewCondition(`first != "" and status == 0 and items == -1`, []string{"first"})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{"A1": true, "": false} {
		got, err := c.Holds(expect.Answer{Scope: vars.Values{"first": value}})
		if err != nil || got != want {
			t.Errorf("first %q: %v, %v; want %v", value, got, err, want)
		}
	}
	if got, err := c.Holds(expect.Answer{}); err != nil || got {
		t.Errorf("a capture that was not taken: %v, %v; want false", got, err)
	}
}

func TestCaptures(t *testing.T) {
	a := answer(200, page, wire.Field{Name: "Location", Value: "https://host/messages/A3"})
	type taken struct {
		Value string
		OK    bool
	}
	for _, row := range []struct {
		it, at string
		want   taken
	}{
		{"takes a string as it is", "$.value[0].id", taken{"A1", true}},
		{"keeps every digit of a number", "$.value[0].size", taken{"12345678901234567", true}},
		{"takes a boolean", "$.value[0].isRead", taken{"false", true}},
		{"takes an object as JSON", "$.value[0].from", taken{`{"emailAddress":{"address":"ann@a.test"}}`, true}},
		{"reads quoted names", "$['@odata.nextLink']", taken{"https://host/next", true}},
		{"evaluates a filter", "$.value[?(@.id == 'A2')].categories[1]", taken{"y", true}},
		{"takes the first of several", "$..id", taken{"A1", true}},
		{"keeps every digit behind a filter", "$.value[?(@.id == 'A1')].size", taken{"12345678901234567", true}},
		{"finds nothing in an empty text", "$.value[1].subject", taken{"", false}},
		{"finds nothing where nothing is", "$.value[9].id", taken{"", false}},
		{"finds nothing behind a filter", "$.value[?(@.id == 'A9')].id", taken{"", false}},
		{"takes a header", "header: location", taken{"https://host/messages/A3", true}},
		{"misses a header", "header: ETag", taken{"", false}},
	} {
		t.Run(row.it, func(t *testing.T) {
			c, err := expect.NewCapture("it", row.at)
			if err != nil {
				t.Fatal(err)
			}
			var got taken
			got.Value, got.OK = c.Take(a)
			if got != row.want {
				t.Errorf("Take(%s) = %+v, want %+v", row.at, got, row.want)
			}
		})
	}
}

func TestACaptureThatIsNoPathSaysWhatToWrite(t *testing.T) {
	for at, want := range map[string]string{
		"value[0].id": `capture it: "value[0].id" is not a JSONPath, which begins with $; write '$.value[0].id' or 'header: Location'`,
		"header: ":    `capture it names no header; write 'header: Location'`,
		"$.value[":    `capture it: "$.value[" is not a JSONPath`,
	} {
		_, err := expect.NewCapture("it", at)
		if err == nil || err.Error() != want && at != "$.value[" {
			t.Errorf("NewCapture(%q) = %v, want %s", at, err, want)
		}
	}
}

func TestThePartsOfABatchAreAnswersOfTheirOwn(t *testing.T) {
	body := `{"responses":[{"id":"two","status":404,"body":{"error":{"code":"ErrorItemNotFound"}}},
	  {"id":"one","status":200,"headers":{"ETag":"W/1"},"body":{"value":[{"id":"A1"}]}},{"id":"three","status":204}]}`
	doc, _ := canon.Parse([]byte(body), canon.Graph(), nil)
	r, part, ok := expect.Part(doc, "one")
	if !ok || r.Status != 200 || r.Header.Value("etag") != "W/1" {
		t.Fatalf("Part(one) = %+v, %v", r, ok)
	}
	c, err := expect.NewCapture("first", "$.value[0].id")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Take(expect.Answer{Response: &r, Doc: part}); got != "A1" || !ok {
		t.Errorf("capture from a part = %q, %v", got, ok)
	}
	if r, part, ok := expect.Part(doc, "three"); !ok || r.Status != 204 || part != nil {
		t.Errorf("Part(three) = %+v, %v, %v", r, part, ok)
	}
	if _, _, ok := expect.Part(doc, "four"); ok {
		t.Error("Part(four) was found")
	}
	other, _ := canon.Parse([]byte(page), canon.Graph(), nil)
	if _, _, ok := expect.Part(other, "one"); ok {
		t.Error("a part was found in what is no batch")
	}
}
