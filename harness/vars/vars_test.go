package vars_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cutover/harness/vars"
)

// literals is a scope whose listed names are JSON literals.
type literals struct {
	vars.Values
	bare map[string]bool
}

func (l literals) Literal(name string) bool { return l.bare[name] }

func TestTemplateExpands(t *testing.T) {
	scope := vars.Values{"id": "AAMk/A+B=", "name": `O'Brien & "Søn" <x>`, "empty": "", "nl": "a\r\nb\x01"}
	for _, row := range []struct {
		name, text string
		escape     vars.Escape
		want       string
	}{
		{"it leaves text alone", "/me/messages?$top=5", vars.Path, "/me/messages?$top=5"},
		{"it fills in a name", "/me/messages/{{id}}/x", vars.Raw, "/me/messages/AAMk/A+B=/x"},
		{"it allows blanks around a name", "{{ id }}", vars.Raw, "AAMk/A+B="},
		{"it escapes a segment, slashes too", "/me/messages/{{id}}", vars.Path, "/me/messages/AAMk%2FA%2BB%3D"},
		{"it escapes a query value", "$filter={{name}}", vars.Query, "$filter=O%27Brien%20%26%20%22S%C3%B8n%22%20%3Cx%3E"},
		{"it escapes a JSON string", `{"a": "{{name}}{{nl}}"}`, vars.JSON, `{"a": "O'Brien & \"Søn\" <x>a\r\nb\u0001"}`},
		{"it escapes XML", "<a b='{{name}}'/>", vars.XML, "<a b='O&#39;Brien &amp; &quot;Søn&quot; &lt;x&gt;'/>"},
		{"it replaces what XML cannot hold", "{{nl}}", vars.XML, "a\r\nb�"},
		{"it fills in nothing for empty values", "a{{empty}}b", vars.Path, "ab"},
		{"it fills in names next to each other", "{{id}}{{id}}", vars.Raw, "AAMk/A+B=AAMk/A+B="},
		{"it leaves single braces alone", "{a} }} {", vars.Raw, "{a} }} {"},
		{"it is empty for empty text", "", vars.Raw, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			tpl, err := vars.Parse(row.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tpl.Append([]byte("> "), scope, row.escape)
			if err != nil || string(got) != "> "+row.want {
				t.Errorf("got %q, %v; want %q", got, err, "> "+row.want)
			}
		})
	}
}

func TestTemplateMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"/me/{{id":               `"/me/{{id" opens a template with {{ and does not close it with }}`,
		"{{}}":                   `{{}} names nothing: write {{name}}`,
		"{{a b}}":                `{{a b}}: a name holds letters, digits, '.', '_' and '-' only, not ' '`,
		"{{ä}}":                  `{{ä}}: a name holds letters, digits, '.', '_' and '-' only, not 'ä'`,
		strings.Repeat("{{", 50): `"` + strings.Repeat("{{", 28) + "{…\" opens a template with {{ and does not close it with }}",
	} {
		if _, err := vars.Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
	_, err := vars.MustParse("a{{nobody}}").Append(nil, vars.Values{}, vars.Raw)
	var unknown *vars.UnknownError
	if !errors.As(err, &unknown) || unknown.Name != "nobody" || err.Error() != "no value for {{nobody}}" {
		t.Errorf("an unknown name: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustParse accepts a broken template")
		}
	}()
	vars.MustParse("{{")
}

func TestTemplateKnowsItself(t *testing.T) {
	tpl := vars.MustParse("{{b}}-{{a}}-{{b}}!")
	if diff := cmp.Diff([]string{"b", "a"}, tpl.Names()); diff != "" {
		t.Error(diff)
	}
	if got := tpl.String(); got != "{{b}}-{{a}}-{{b}}!" {
		t.Errorf("String() = %q", got)
	}
	for text, want := range map[string]string{"": "static", "a": "static", "{{a}}": "only", "{{a}}b": "", "a{{b}}": ""} {
		_, static := vars.MustParse(text).Static()
		_, only := vars.MustParse(text).Only()
		if static != (want == "static") || only != (want == "only") {
			t.Errorf("%q: static %t, only %t; want %q", text, static, only, want)
		}
	}
}

func TestJSONTemplateExpands(t *testing.T) {
	scope := literals{vars.Values{"n": "25", "s": `a"b`, "o": `{"x":[1]}`, "t": "true", "bad": "0x1F"}, map[string]bool{"bad": true, "n": true, "o": true, "t": true}}
	for _, row := range []struct{ name, body, want string }{
		{"it keeps what has no names byte for byte", `{ "a" : [1.50, "\u00e9", null ] }`, `{ "a" : [1.50, "\u00e9", null ] }`},
		{"it fills in text", `{"a":"x{{s}}y"}`, `{"a":"xa\"by"}`},
		{"it keeps quotes around text that is a whole string", `{"a":"{{s}}"}`, `{"a":"a\"b"}`},
		{"it makes a number of a literal", `{"a":"{{n}}","b":"{{t}}"}`, `{"a":25,"b":true}`},
		{"it keeps quotes around what only claims to be a literal", `["{{bad}}"]`, `["0x1F"]`},
		{"it makes an object of a literal", `["{{o}}"]`, `[{"x":[1]}]`},
		{"it escapes a literal inside of text", `["x{{o}}"]`, `["x{\"x\":[1]}"]`},
		{"it keeps a literal inside of text as text", `["{{n}} pages"]`, `["25 pages"]`},
		{"it fills in keys", `{"k{{s}}":1}`, `{"ka\"b":1}`},
		{"it does not look outside of strings", `[1,2]`, `[1,2]`},
		{"it is not fooled by escaped quotes", `["\"{{s}}\\", "{{n}}"]`, `["\"a\"b\\", 25]`},
		{"it fills in several names", `["{{n}}-{{n}}","{{n}}"]`, `["25-25",25]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			tpl, err := vars.ParseJSON([]byte(row.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := tpl.Append(nil, scope)
			if err != nil || string(got) != row.want {
				t.Errorf("got %s, %v; want %s", got, err, row.want)
			}
		})
	}
}

func TestJSONTemplateMistakes(t *testing.T) {
	for _, body := range []string{"", "{", `{"a":{{b}}}`, `["a"] x`} {
		if _, err := vars.ParseJSON([]byte(body)); !errors.Is(err, vars.ErrNotJSON) {
			t.Errorf("ParseJSON(%q): %v", body, err)
		}
	}
	if _, err := vars.ParseJSON([]byte(`["{{a"]`)); err == nil || errors.Is(err, vars.ErrNotJSON) {
		t.Errorf("an open template: %v", err)
	}
	tpl, _ := vars.ParseJSON([]byte(`["{{a}}"]`))
	if _, err := tpl.Append(nil, vars.Values{}); err == nil {
		t.Error("an unknown name expands")
	}
}

func TestJSONTemplateKnowsItself(t *testing.T) {
	tpl, _ := vars.ParseJSON([]byte(`{"{{b}}":["{{a}}","{{b}}"]}`))
	if diff := cmp.Diff([]string{"b", "a"}, tpl.Names()); diff != "" {
		t.Error(diff)
	}
	if _, static := tpl.Static(); static {
		t.Error("it has names and says that it is static")
	}
	plain, _ := vars.ParseJSON([]byte(`[1, "x"]`))
	if text, static := plain.Static(); text != `[1, "x"]` || !static {
		t.Errorf("Static() = %q, %t", text, static)
	}
}

func TestEscapesCanBeUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		expand := func(esc vars.Escape) string {
			out, err := vars.MustParse("{{v}}").Append(nil, vars.Values{"v": value}, esc)
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		if got, err := url.PathUnescape(expand(vars.Path)); got != value || err != nil {
			t.Errorf("path: %q came back as %q, %v", value, got, err)
		}
		if got, err := url.QueryUnescape(expand(vars.Query)); got != value || err != nil {
			t.Errorf("query: %q came back as %q, %v", value, got, err)
		}
		var got string
		if err := json.Unmarshal([]byte(`"`+expand(vars.JSON)+`"`), &got); got != value || err != nil {
			t.Errorf("JSON: %q came back as %q, %v", value, got, err)
		}
		if err := xml.Unmarshal([]byte("<a b='"+expand(vars.XML)+"'>"+expand(vars.XML)+"</a>"), new(struct{})); err != nil {
			t.Errorf("XML: %q: %v", value, err)
		}
	})
}

// monday is a Monday morning.
var monday = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func TestDates(t *testing.T) {
	r := vars.NewRandom(1, monday.AddDate(0, 0, 2)) // a Wednesday
	for name, want := range map[string]string{
		"now": "2026-03-04T09:30:00Z", "today": "2026-03-04T00:00:00Z", "monday": "2026-03-02T00:00:00Z", "sunday": "2026-03-08T00:00:00Z",
		"monday+7d": "2026-03-09T00:00:00Z", "today-1w": "2026-02-25T00:00:00Z", "sunday+1d": "2026-03-09T00:00:00Z",
		"monday.local+9h30m": "2026-03-02T09:30:00", "monday.date+30d": "2026-04-01", "today.date": "2026-03-04", "now-90s": "2026-03-04T09:28:30Z",
		"monday+1d-1h+5m": "2026-03-02T23:05:00Z",
	} {
		if got, ok := r.Lookup(name); got != want || !ok {
			t.Errorf("{{%s}} = %q, %t; want %q", name, got, ok, want)
		}
		if !vars.Reserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
	for _, name := range []string{"yesterday", "monday+", "monday+7", "monday+d", "monday+7x", "monday.noon", "today.date.local", "monday+99999999999d", "now+9999999d", "monday+2000d+2000d", "+1d"} {
		if got, ok := r.Lookup(name); ok {
			t.Errorf("{{%s}} = %q, want nothing", name, got)
		}
	}
	sunday := vars.NewRandom(1, time.Date(2026, 3, 8, 23, 59, 0, 0, time.FixedZone("", -3600)))
	if got, _ := sunday.Lookup("monday"); got != "2026-03-09T00:00:00Z" {
		t.Errorf("the week of an anchor is that of UTC: got %s", got)
	}
}

func TestRandomDependsOnSeedAndNameAlone(t *testing.T) {
	a, b, c := vars.NewRandom(7, monday), vars.NewRandom(7, monday), vars.NewRandom(8, monday)
	differ := 0
	for _, name := range vars.Names() {
		sort, isRandom := strings.CutPrefix(name, "random.")
		if !isRandom {
			continue
		}
		x, ok := a.Lookup(name)
		y, _ := b.Lookup(name)
		z, _ := c.Lookup(name)
		if !ok || x == "" || x != y {
			t.Errorf("{{%s}} = %q, then %q", name, x, y)
		}
		if x != z {
			differ++
		}
		if w, _ := a.Lookup(name + "#2"); sort == "guid" && w == x {
			t.Errorf("{{%s#2}} is {{%s}}: %s", name, name, x)
		}
	}
	if differ < 10 {
		t.Errorf("only %d sorts differ between two seeds", differ)
	}
	b.Reset(8)
	x, _ := b.Lookup("random.guid")
	z, _ := c.Lookup("random.guid")
	if x != z {
		t.Error("Reset does not set the seed")
	}
}

func TestRandomSizes(t *testing.T) {
	r := vars.NewRandom(3, monday)
	value := func(name string) string {
		t.Helper()
		s, ok := r.Lookup(name)
		if !ok {
			t.Fatalf("{{%s}} has no value", name)
		}
		return s
	}
	if got := len(strings.Fields(value("random.words.7"))); got != 7 {
		t.Errorf("seven words are %d", got)
	}
	if got := len(value("random.hex.9")); got != 9 {
		t.Errorf("nine digits are %d", got)
	}
	if got := len(value("random.text.2000")); got < 2000 || got > 2200 {
		t.Errorf("2000 bytes of text are %d", got)
	}
	if got := value("random.int.1"); got != "1" {
		t.Errorf("a number up to 1 is %s", got)
	}
	for _, name := range []string{"random", "random.", "random.nonsense", "random.word.5", "random.words.0", "random.words.999", "random.words.x", "random.guid#", "random.guid#x", "random.text.99999999999"} {
		if got, ok := r.Lookup(name); ok {
			t.Errorf("{{%s}} = %.40q, want nothing", name, got)
		}
		if vars.Reserved(name) {
			t.Errorf("%s is reserved", name)
		}
	}
	for name, want := range map[string]bool{"random.int": true, "random.bool#3": true, "random.word": false, "monday": false} {
		if r.Literal(name) != want {
			t.Errorf("Literal(%s) = %t", name, !want)
		}
	}
}

func TestReservedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"mailbox.smtp": true, "run.tag": true, "iteration": true, "today": true, "random.words.3": true, "random.word#2": true,
		"mailbox": false, "page": false, "todays": false,
	} {
		if vars.Reserved(name) != want {
			t.Errorf("Reserved(%s) = %t", name, !want)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	text := vars.MustParse("/me/messages/{{random.hex.40}}?after={{monday+7d}}&x={{random.word}}")
	body, err := vars.ParseJSON([]byte(`{"subject":"{{random.guid}}","size":"{{random.int.500}}","on":"{{today.local+9h}}"}`))
	if err != nil {
		t.Fatal(err)
	}
	r := vars.NewRandom(1, monday)
	buf := make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(200, func() {
		r.Reset(42)
		var err error
		if buf, err = text.Append(buf[:0], r, vars.Raw); err != nil {
			t.Fatal(err)
		}
		if buf, err = body.Append(buf[:0], r); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":"{{v}}"}`, `["\"{{v}}"]`, `"{{v}}{{v}}x"`, `{"{{v}}":{"{{v}}":[1,"\\"]}}`, `"\u007b{v}}"`} {
		f.Add([]byte(seed), "a\"b\\\n")
	}
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		tpl, err := vars.ParseJSON(body)
		if err != nil {
			return
		}
		scope := vars.Values{}
		for _, name := range tpl.Names() {
			scope[name] = value
		}
		if out, err := tpl.Append(nil, scope); err != nil || !json.Valid(out) {
			t.Errorf("%q with %q becomes %q, %v", body, value, out, err)
		}
	})
}
