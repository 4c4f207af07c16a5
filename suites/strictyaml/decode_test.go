package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cutover/suites/strictyaml"
)

// recipe is a document with one field of every sort.
type recipe struct {
	Pos    strictyaml.Pos      `yaml:"-"`
	Keys   strictyaml.Keys     `yaml:"-"`
	Name   string              `yaml:"name,required" doc:"Name of the dish."`
	Serves int                 `yaml:"serves" min:"1" max:"12"`
	Hot    bool                `yaml:"hot"`
	Weight float64             `yaml:"weight"`
	Total  uint64              `yaml:"total"`
	Taste  string              `yaml:"taste" enum:"sweet,sour,salty"`
	Bake   time.Duration       `yaml:"bake"`
	Stir   strictyaml.Rate     `yaml:"stir"`
	Rest   *strictyaml.Percent `yaml:"rest"`
	Tags   []string            `yaml:"tags"`
	Parts  []part              `yaml:"parts"`
	Spices strictyaml.Map[int] `yaml:"spices"`
	Note   strictyaml.Scalar   `yaml:"note"`
	Extra  strictyaml.Value    `yaml:"extra"`
	Side   strictyaml.Block    `yaml:"side" kinds:"rice,bread"`
	Heat   strictyaml.Block    `yaml:",block" kinds:"oven,pan"`
}

type part struct {
	Pos  strictyaml.Pos `yaml:"-"`
	Name string         `yaml:"name,required"`
	Amount
}

// Amount is embedded: its keys stand beside those of the part.
type Amount struct {
	Grams int `yaml:"grams"`
}

// ignore leaves out what other rows look at.
var ignore = cmp.Options{
	cmpopts.IgnoreTypes(strictyaml.Pos{}, strictyaml.Keys{}),
	cmpopts.IgnoreUnexported(strictyaml.Value{}, strictyaml.Block{}),
	cmpopts.EquateEmpty(),
}

func TestDecodeReads(t *testing.T) {
	half := strictyaml.Percent(0.5)
	for _, row := range []struct {
		name, yaml string
		want       recipe
	}{
		{"it reads every sort of value", `
name: soup
serves: 4
hot: true
weight: 1.5
total: 18446744073709551615
taste: sour
bake: 1d2h
stir: 30/m
rest: 50%
tags: [a, b]
spices: {salt: 1, pepper: 2}
note: 7
`, recipe{Name: "soup", Serves: 4, Hot: true, Weight: 1.5, Total: 1<<64 - 1, Taste: "sour", Bake: 26 * time.Hour,
			Stir: strictyaml.Rate{PerSecond: 0.5, Text: "30/m"}, Rest: &half, Tags: []string{"a", "b"},
			Spices: strictyaml.Map[int]{{Key: "salt", Value: 1}, {Key: "pepper", Value: 2}},
			Note:   strictyaml.Scalar{Kind: strictyaml.Number, Text: "7"}}},
		{"it keeps text that looks like a number as it was written", "name: 012", recipe{Name: "012"}},
		{"it keeps text that looks like a truth as it was written", "name: no", recipe{Name: "no"}},
		{"it keeps dates as text", "name: 2026-11-22", recipe{Name: "2026-11-22"}},
		{"it reads Windows line ends and a byte order mark", "\ufeffname: a\r\nserves: 2\r\n", recipe{Name: "a", Serves: 2}},
		{"it follows aliases", "name: &n soup\ntags: [*n, *n]", recipe{Name: "soup", Tags: []string{"soup", "soup"}}},
		{"it lets a key win over a merged one", "name: a\nparts:\n  - &p {name: x, grams: 1}\n  - {<<: *p, name: y}",
			recipe{Name: "a", Parts: []part{{Name: "x", Amount: Amount{1}}, {Name: "y", Amount: Amount{1}}}}},
		{"it merges several mappings, the first wins", "name: a\nspices:\n  <<: [{s: 1, p: 2}, {s: 3, q: 4}]",
			recipe{Name: "a", Spices: strictyaml.Map[int]{{Key: "s", Value: 1}, {Key: "p", Value: 2}, {Key: "q", Value: 4}}}},
		{"it reads an inline block", "name: a\npan: {}", recipe{Name: "a", Heat: strictyaml.Block{Kind: "pan"}}},
		{"it reads a block without parameters", "name: a\nside: rice", recipe{Name: "a", Side: strictyaml.Block{Kind: "rice"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got recipe
			if problems := strictyaml.Decode("r.yaml", []byte(row.yaml), &got); len(problems) > 0 {
				t.Fatalf("%s\nproblems: %v", row.yaml, problems)
			}
			if diff := cmp.Diff(row.want, got, ignore); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", row.yaml, diff)
			}
		})
	}
}

func TestDecodeReports(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"it names an unknown key and the one that was meant", "name: a\nsevres: 2", `r.yaml:2:1: unknown key "sevres" (did you mean "serves"?)`},
		{"it names a key that stands twice, with both lines", "name: a\nhot: true\nname: b", `r.yaml:3:1: duplicate key "name" (it stands in line 1 already)`},
		{"it refuses a second document", "name: a\n---\nname: b", `r.yaml:2:1: a second document starts here: a file holds one (split it in two)`},
		{"it refuses an empty second document", "name: a\n---\n", `r.yaml:2:1: a second document starts here: a file holds one (split it in two)`},
		{"it refuses an empty file", "", `r.yaml:1:1: the file is empty`},
		{"it refuses a file of comments", "# nothing\n", `r.yaml:1:1: the file is empty`},
		{"it refuses a list for the whole file", "- a", `r.yaml:1:1: the file must be a mapping, not a list`},
		{"it names what is missing", "hot: true", `r.yaml:1:1: "name" is missing`},
		{"it names a value that is empty", "name:", `r.yaml:1:6: "name" has no value`},
		{"it names text that is blank", `name: " "`, `r.yaml:1:7: "name" must not be empty`},
		{"it wants a whole number", "name: a\nserves: many", `r.yaml:2:9: "serves" must be a whole number, not "many"`},
		{"it wants a number", "name: a\nweight: heavy", `r.yaml:2:9: "weight" must be a number, not "heavy"`},
		{"it wants a truth", "name: a\nhot: 1", `r.yaml:2:6: "hot" must be true or false, not "1"`},
		{"it wants text, not a list", "name: [a]", `r.yaml:1:7: "name" must be text, not a list`},
		{"it wants a list", "name: a\ntags: b", `r.yaml:2:7: "tags" must be a list, not "b"`},
		{"it wants a mapping", "name: a\nparts: [b]", `r.yaml:2:9: "parts" must be a mapping, not "b"`},
		{"it wants a mapping where keys are free", "name: a\nspices: 3", `r.yaml:2:9: "spices" must be a mapping, not "3"`},
		{"it wants a single value", "name: a\nnote: {b: c}", `r.yaml:2:7: "note" must be a single value, not a mapping`},
		{"it bounds numbers below", "name: a\nserves: 0", `r.yaml:2:9: "serves" must be at least 1, not 0`},
		{"it bounds numbers above", "name: a\nserves: 13", `r.yaml:2:9: "serves" must be at most 12, not 13`},
		{"it lists the words that are allowed", "name: a\ntaste: bitter", `r.yaml:2:8: "taste" cannot be "bitter": it is one of sweet, sour, salty`},
		{"it guesses the word that was meant", "name: a\ntaste: swet", `r.yaml:2:8: "taste" cannot be "swet" (did you mean "sweet"?): it is one of sweet, sour, salty`},
		{"it wants a unit for a duration", "name: a\nbake: 5", `r.yaml:2:7: "bake": a duration needs its unit, such as "5s", "250ms", "1h30m" or "2d": write "5s", not 5`},
		{"it wants a unit for a rate", "name: a\nstir: 5", `r.yaml:2:7: "stir": a rate needs its unit, such as "50/s", "120/m" or "60/h": write "5/s", not 5`},
		{"it wants a sign for a share", "name: a\nrest: 5", `r.yaml:2:7: "rest": a share needs its %, such as "0.5%" or "100%": write "5%", not 5`},
		{"it refuses two blocks", "name: a\npan: {}\noven: {}", `r.yaml:3:1: "pan" and "oven" exclude each other: write one of oven, pan`},
		{"it refuses an unknown kind of block", "name: a\nside: {noodels: {}}", `r.yaml:2:8: "side" cannot be "noodels": it is one of rice, bread`},
		{"it refuses a block of two kinds", "name: a\nside: {rice: {}, bread: {}}", `r.yaml:2:7: "side" must have exactly one key, its kind; it has 2`},
		{"it refuses a template without quotes", "name: a\nextra: {{page}}", `r.yaml:2:9: a key must be plain text, not a template without quotes (write "{{name}}")`},
		{"it refuses a list as a key", "name: a\nextra: {? [b] : c}", `r.yaml:2:11: a key must be plain text, not a list`},
		{"it refuses tags", "name: !!binary aGk=", `r.yaml:1:7: the tag !!binary is not understood here`},
		{"it refuses tags of its own", "name: !held 0", `r.yaml:1:7: the tag !held is not understood here`},
		{"it refuses infinity in JSON", "name: a\nextra: [.inf]", `r.yaml:2:9: .inf is a number that JSON cannot hold`},
		{"it refuses to merge text", "name: a\n<<: b", `r.yaml:2:5: "<<" must name a mapping, not "b"`},
		{"it names a tab in the indentation", "name: a\nspices:\n\tsalt: 1", `r.yaml:3:1: a tab in the indentation: YAML wants spaces`},
		{"it says where YAML breaks off", "name: [a", `r.yaml:1:1: not valid YAML from this line on: did not find expected ',' or ']' (text that holds any of [ ] { } , ? & * # : may need quotes)`},
		{"it says that an anchor is unknown", "name: *a", `r.yaml:1:1: not valid YAML from this line on: unknown anchor 'a' referenced (text that holds any of [ ] { } , ? & * # : may need quotes)`},
		{"it finds the line that broke the file", "name: a\nspices:\n  salt: 1\n   pepper: 2\nhot: true", `r.yaml:4:1: not valid YAML from this line on: mapping values are not allowed in this context (text that holds any of [ ] { } , ? & * # : may need quotes)`},
		{"it finds that line behind values of many lines", "name: a\nspices: {\n  salt: 1,\n  pepper: 2}\ntags: [a\nhot: true", `r.yaml:5:1: not valid YAML from this line on: did not find expected ',' or ']' (text that holds any of [ ] { } , ? & * # : may need quotes)`},
		{"it refuses NUL bytes", "name: a\nta\x00gs: b", `r.yaml:2:3: a NUL byte: this is not a text file`},
		{"it refuses control characters", "name: a\x07", `r.yaml:1:8: control character U+0007 is not allowed`},
		{"it refuses what is not UTF-8", "name: caf\xe9", `r.yaml:1:10: the file is not UTF-8 here: save it as UTF-8`},
		{"it recognises UTF-16", "\xff\xfen\x00a\x00", `r.yaml:1:1: the file is UTF-16: save it as UTF-8`},
		{"it reports everything at once, in order", "hto: true\nserves: x\nbake: 5\n", strings.Join([]string{
			`r.yaml:1:1: "name" is missing`,
			`r.yaml:1:1: unknown key "hto" (did you mean "hot"?)`,
			`r.yaml:2:9: "serves" must be a whole number, not "x"`,
			`r.yaml:3:7: "bake": a duration needs its unit, such as "5s", "250ms", "1h30m" or "2d": write "5s", not 5`,
		}, "\n")},
	} {
		t.Run(row.name, func(t *testing.T) {
			var r recipe
			got := strictyaml.Decode("r.yaml", []byte(row.yaml), &r).Error()
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", row.yaml, diff)
			}
		})
	}
}

func TestDecodeReportsAHundredProblemsAndNoMore(t *testing.T) {
	var r recipe
	got := strictyaml.Decode("r.yaml", []byte("name: a\n"+strings.Repeat("k: b\n", 50_000)), &r)
	if n := len(got); n != strictyaml.MaxProblems+1 {
		t.Fatalf("%d problems", n)
	}
	last := got[len(got)-1]
	if want := "r.yaml:103:1: more than 100 problems: the rest is not shown"; last.String() != want {
		t.Errorf("the last is %s, want %s", last, want)
	}
}

func TestDecodeStaysInItsBounds(t *testing.T) {
	bomb := "name: a\nextra:\n  a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		p := string(c - 1)
		bomb += "  " + string(c) + ": &" + string(c) + " [*" + strings.Repeat(p+",*", 8) + p + "]\n"
	}
	for _, row := range []struct{ name, yaml, want string }{
		{"it stops at an alias bomb", bomb, "more than 1000000 values once its aliases are followed"},
		{"it stops at an alias bomb in a block", strings.Replace(bomb, "extra", "pan", 1), "more than 1000000 values once its aliases are followed"},
		{"it stops at an alias that holds itself", "name: a\nextra: &e [*e]", "nested deeper than 64 levels"},
		{"it stops at a merge that holds itself", "name: a\nextra: &e {<<: *e}", "nested deeper than 64 levels"},
		{"it stops at deep nesting", "name: a\nextra: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "nested deeper than 64 levels"},
		{"it stops at very deep nesting", "name: a\nextra: " + strings.Repeat("[", 200_000), "not valid YAML"},
		{"it stops at very deep indentation", "name: a\nextra: " + strings.Repeat("- ", 20_000), "not valid YAML"},
		{"it stops at large files", "name: " + strings.Repeat("a", 10<<20), "the file is larger than 4 MiB (10485766 bytes)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var r recipe
			got := strictyaml.Decode("r.yaml", []byte(row.yaml), &r)
			if len(got) != 1 || !strings.Contains(got[0].Msg, row.want) {
				t.Errorf("got %d problems, %.300v; want one with %q", len(got), got, row.want)
			}
		})
	}
}

func TestValueKeepsJSON(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"it keeps the order of keys", "{b: 1, a: 2}", `{"b":1,"a":2}`},
		{"it keeps the digits of numbers", "[9007199254740993, 1.50, 1e3, -0]", `[9007199254740993,1.50,1e3,-0]`},
		{"it spells YAML's own numbers in JSON", "[0x1F, 0o17, 1_000, +5, .5]", `[31,15,1000,5,0.5]`},
		{"it keeps dates as text", "[2026-11-22, 2026-11-22T10:00:00Z]", `["2026-11-22","2026-11-22T10:00:00Z"]`},
		{"it knows null and truths", "[null, ~, true, False]", `[null,null,true,false]`},
		{"it escapes text", `["a\"\\\n<é>"]`, `["a\"\\\n<é>"]`},
		{"it follows aliases and merges", "{a: &a {x: 1}, b: {<<: *a, y: 2}}", `{"a":{"x":1},"b":{"y":2,"x":1}}`},
		{"it spells keys as text", "{1: a, true: b}", `{"1":"a","true":"b"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var doc struct {
				V strictyaml.Value `yaml:"v"`
			}
			if problems := strictyaml.Decode("v.yaml", []byte("v: "+row.yaml), &doc); len(problems) > 0 {
				t.Fatal(problems)
			}
			if got := string(doc.V.JSON()); got != row.want {
				t.Errorf("%s: got %s, want %s", row.yaml, got, row.want)
			}
		})
	}
}

func TestValueKnowsWhereItsTextsStand(t *testing.T) {
	var doc struct {
		V strictyaml.Value `yaml:"v"`
	}
	strictyaml.Decode("v.yaml", []byte("v:\n  a: x\n  b: [y]\n"), &doc)
	var got []string
	for _, s := range doc.V.Texts() {
		got = append(got, s.Pos.String()+" "+s.Text)
	}
	want := []string{"v.yaml:2:3 a", "v.yaml:2:6 x", "v.yaml:3:3 b", "v.yaml:3:7 y"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: a\nserves: 2\nparts: [{name: b, grams: 1}]\nspices: {a: 1}\nextra: {a: [1, {b: c}]}\npan: {x: 1}",
		"name: &n a\ntags: [*n]\nparts: [{<<: *n}]", "<<: [{? [a] : b}]", "a: &a [*a]", "- - - a", "? {a: b}\n: c",
		"name: |\n  text\n---\n...", "%YAML 1.2\n---\nname: !!str a", "name: \"\\u0000\"", "\t", "{{a}}", "name: !!float x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r recipe
		problems := strictyaml.Decode("f.yaml", data, &r)
		for _, b := range []strictyaml.Block{r.Side, r.Heat} {
			var inner recipe
			problems = append(problems, b.Decode(&inner)...)
		}
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Col < 1 || p.Msg == "" {
				t.Errorf("%q: a problem without a place or words: %+v", data, p)
			}
		}
	})
}
