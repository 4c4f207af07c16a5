package odata_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab/odata"
)

// mail is what the filters of this test look at.
type mail struct {
	subject  string
	read     bool
	size     int
	received time.Time
	tags     []string
	rank     string
}

var march = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func lookup(path string) (odata.Field[mail], *odata.Error) {
	switch strings.ToLower(path) {
	case "subject":
		return odata.Field[mail]{Kind: odata.String, Value: func(m mail) odata.Value { return odata.Text(m.subject) }}, nil
	case "isread":
		return odata.Field[mail]{Kind: odata.Bool, Value: func(m mail) odata.Value { return odata.Flag(m.read) }}, nil
	case "size":
		return odata.Field[mail]{Kind: odata.Number, Value: func(m mail) odata.Value { return odata.Int(m.size) }}, nil
	case "received":
		return odata.Field[mail]{Kind: odata.Time, Value: func(m mail) odata.Value { return odata.Moment(m.received) }}, nil
	case "rank":
		return odata.Field[mail]{Kind: odata.Enum, Value: func(m mail) odata.Value { return odata.Word(m.rank) }}, nil
	case "body":
		return odata.Field[mail]{Kind: odata.String}, nil
	case "tags":
		return odata.Field[mail]{Elements: func(m mail) []map[string]odata.Value {
			var list []map[string]odata.Value
			for _, t := range m.tags {
				list = append(list, map[string]odata.Value{"": odata.Text(t), "name": odata.Text(t)})
			}
			return list
		}}, nil
	}
	return odata.Field[mail]{}, &odata.Error{Code: "Unknown", Message: "unknown " + path}
}

var sample = mail{subject: "Budget 'Q2'", size: 40, received: march, tags: []string{"red", "blue"}, rank: "high"}

func TestFilters(t *testing.T) {
	for filter, want := range map[string]bool{
		"subject eq 'budget ''q2'''":                      true,
		"subject ne 'x'":                                  true,
		"isRead eq false":                                 true,
		"not isRead":                                      true,
		"not (isRead eq false)":                           false,
		"isRead":                                          false,
		"size gt 39 and size le 40":                       true,
		"size lt 40 or size ge 41":                        false,
		"size eq -1":                                      false,
		"received ge 2026-03-02T09:00:00Z":                true,
		"received gt 2026-03-02T10:00:00+01:00":           false,
		"received lt 2026-03-03":                          true,
		"rank eq 'HIGH'":                                  true,
		"rank eq null":                                    false,
		"subject eq null":                                 false,
		"null ne subject":                                 true,
		"contains(subject,'q2')":                          true,
		"startswith(Subject,'bud') eq true":               true,
		"endswith(subject,'x')":                           false,
		"tolower(subject) eq 'budget ''q2'''":             true,
		"length(subject) eq 11":                           true,
		"indexof(subject,'g') eq 3":                       true,
		"concat(subject,'!') eq 'budget ''q2''!'":         true,
		"year(received) eq 2026 and month(received) eq 3": true,
		"day(received) eq 2 and hour(received) eq 9":      true,
		"minute(received) eq 0":                           true,
		"date(received) eq 2026-03-02":                    true,
		"tags/any(t:t eq 'red')":                          true,
		"tags/any(t:t/name eq 'green')":                   false,
		"tags/all(t:t ne 'green')":                        true,
		"tags/any()":                                      true,
		"size eq 1 or (isRead eq false and subject ne 'y') and size eq 40": true,
		"true": true,
	} {
		e, err := odata.ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		keep, err := odata.Compile(e, lookup)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := keep(sample); got != want {
			t.Errorf("%s is %v, want %v", filter, got, want)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	for filter, part := range map[string]string{
		"":                               "Syntax error",
		"subject eq":                     "Syntax error",
		"subject eq 'x":                  "unterminated",
		"subject eq 'x' and":             "Syntax error",
		"subject eq 'x' nonsense":        "Syntax error",
		"subject ~ 'x'":                  "character '~' is not valid at position 8",
		"(subject eq 'x'":                "Syntax error",
		"subject":                        "single boolean",
		"size eq 'x'":                    "incompatible types",
		"received gt '2026-01-01'":       "'Edm.DateTimeOffset' and 'Edm.String' for operator kind 'GreaterThan'",
		"isRead and size":                "incompatible types",
		"not size":                       "unary operator",
		"contains(subject)":              "No function signature",
		"contains(subject,1)":            "No function signature",
		"contains(received,'x')":         "No function signature",
		"year(subject) eq 1":             "No function signature",
		"nonsense(subject)":              "unknown function",
		"tags/any(t:t/name)":             "",
		"subject/any(t:t eq 'x')":        "Any/All",
		"tags/any(t)":                    "Syntax error",
		"tags/any(t:tags/any(u:u eq t))": "Any/All",
		"body eq 'x'":                    "cannot be used",
		"colour eq 'x'":                  "unknown colour",
		"size eq 12x":                    "Unrecognized literal",
		strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100): "nested too deeply",
		strings.Repeat("not ", 100) + "true":                         "nested too deeply",
		"true" + strings.Repeat(" and true", 600):                    "node count",
	} {
		e, err := odata.ParseFilter(filter)
		if err == nil {
			_, err = odata.Compile(e, lookup)
		}
		if part == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%.60q: %v, want %q", filter, err, part)
		}
	}
}

func TestQueries(t *testing.T) {
	q, err := odata.Parse("$select=id,%20subject&$TOP=5&$skip=10&$count=true&$orderby=a/b desc,c&$expand=x($select=a,b;$filter=id%20eq%20'1,2';$expand=y),z&$search=%22a b%22&startDateTime=x&$skiptoken=s&$deltatoken=d&$format=json&&top=1")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(q.Select, q.Top, q.Skip, q.Count, q.OrderBy, q.Expand[0].Path, q.Expand[0].Select, q.Expand[0].Expand[0].Path, q.Expand[1].Path, q.Search, q.HasSearch, q.Other, q.SkipToken, q.DeltaToken, len(q.Given))
	want := "[id subject] 5 10 true [{a/b true} {c false}]x[a b]yza btrue map[startdatetime:x top:1]sd12"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if p := odata.Properties(mustFilter(t, "a eq 1 and (contains(b,'x') or not c) and d/any(x:x eq 'y') and A eq 2")); fmt.Sprint(p) != "[a b c d]" {
		t.Errorf("properties %v", p)
	}
	if q, err := odata.Parse(""); err != nil || q.Top != -1 {
		t.Errorf("%+v %v", q, err)
	}
}

func mustFilter(t *testing.T, s string) odata.Expr {
	t.Helper()
	e, err := odata.ParseFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestQueriesThatAreRefused(t *testing.T) {
	for _, raw := range []string{
		"$top=0", "$top=-1", "$top=x", "$top=99999999999", "$skip=-1", "$count=maybe", "$select=a,,b", "$select=a-b", "$orderby=", "$orderby=a b c", "$orderby=a up", "$orderby=*",
		"$expand=a(", "$expand=a($select", "$expand=(x)", "$expand=a($nonsense=1)", "$expand=a($filter=()", "$filter=%zz", "%zz=1", "$top=1&$TOP=2", "$search=a:b", "$expand=" + strings.Repeat("a($expand=", 60) + "b" + strings.Repeat(")", 60),
		strings.Repeat("a=b&", 100), strings.Repeat("x", 1<<17),
	} {
		if _, err := odata.Parse(raw); err == nil {
			t.Errorf("%.80q was taken", raw)
		}
	}
	for _, raw := range []string{"$search=plain words", "$search=\"a:b\"", "$search=größe", "$select=*", "$select="} {
		if _, err := odata.Parse(strings.ReplaceAll(raw, " ", "+")); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, tc := range []struct {
		it   string
		a, b odata.Value
		n    int
		ok   bool
	}{
		{"orders text in any case", odata.Text("B"), odata.Text("a"), 1, true},
		{"takes equal text in another case as equal", odata.Text("Ä"), odata.Text("ä"), 0, true},
		{"orders numbers", odata.Int(1), odata.Int(2), -1, true},
		{"orders numbers down", odata.Int(3), odata.Int(2), 1, true},
		{"orders times", odata.Moment(march), odata.Moment(march.Add(1)), -1, true},
		{"orders claims", odata.Flag(true), odata.Flag(false), 1, true},
		{"takes null as null", odata.Moment(time.Time{}), odata.Value{}, 0, true},
		{"has no order of null and text", odata.Value{}, odata.Text("x"), 0, false},
		{"has no order of text and number", odata.Text("1"), odata.Int(1), 0, false},
	} {
		if n, ok := odata.Compare(tc.a, tc.b); n != tc.n || ok != tc.ok {
			t.Errorf("it %s: %d %v, want %d %v", tc.it, n, ok, tc.n, tc.ok)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"a eq 'b'", "contains(subject,'x') and not isRead", "tags/any(t:t eq 'x')", "received ge 2026-01-01T00:00:00Z", "((size gt -1))"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := odata.ParseFilter(s)
		if err != nil {
			return
		}
		odata.Properties(e)
		if keep, err := odata.Compile(e, lookup); err == nil {
			keep(sample)
			keep(mail{})
		}
	})
}
