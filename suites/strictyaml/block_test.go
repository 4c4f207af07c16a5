package strictyaml_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/suites/strictyaml"
)

type pan struct {
	Heat  int             `yaml:"heat,required"`
	For   time.Duration   `yaml:"for"`
	Stir  strictyaml.Rate `yaml:"stir"`
	Lid   bool            `yaml:"lid"`
	With  []string        `yaml:"with"`
	Inner struct {
		Oil string `yaml:"oil"`
	} `yaml:"inner"`
	Secret secret `yaml:"secret"`
}

// secret stands for a type that has no form in a document.
type secret struct{ value string }

func TestBlockIsDecodedLaterAndAsStrictly(t *testing.T) {
	var doc recipe
	if problems := strictyaml.Decode("r.yaml", []byte("name: a\npan: {heet: 5, for: 5}\n"), &doc); len(problems) > 0 {
		t.Fatal(problems)
	}
	var p pan
	got := doc.Heat.Decode(&p).Error()
	want := `r.yaml:2:6: "heat" is missing
r.yaml:2:7: unknown key "heet" (did you mean "heat"?)
r.yaml:2:21: "for": a duration needs its unit, such as "5s", "250ms", "1h30m" or "2d": write "5s", not 5`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBlockFromValuesInMemory(t *testing.T) {
	b := strictyaml.NewBlock("pan", strictyaml.Pos{File: "x"}, map[string]any{
		"heat": 5, "for": 90 * time.Second, "stir": "3/s", "lid": true, "with": []string{"salt"},
		"inner": map[string]any{"oil": "olive"}, "secret": secret{"hush"},
	})
	var got pan
	if problems := b.Decode(&got); len(problems) > 0 {
		t.Fatal(problems)
	}
	want := pan{Heat: 5, For: 90 * time.Second, Stir: strictyaml.Rate{PerSecond: 3, Text: "3/s"}, Lid: true, With: []string{"salt"}, Secret: secret{"hush"}}
	want.Inner.Oil = "olive"
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(secret{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if printed := fmt.Sprintf("%v %+v %#v %s", b, b, b, b); printed != "pan pan pan pan" {
		t.Errorf("a block prints its parameters: %s", printed)
	}
}

func TestBlockTakesRatesAndDurationsAsTheyAre(t *testing.T) {
	b := strictyaml.NewBlock("pan", strictyaml.Pos{}, map[string]any{
		"heat": 1, "stir": strictyaml.Rate{PerSecond: 2.5}, "for": strictyaml.Duration(time.Minute),
	})
	var got struct {
		Heat int                 `yaml:"heat"`
		Stir strictyaml.Rate     `yaml:"stir"`
		For  strictyaml.Duration `yaml:"for"`
	}
	if problems := b.Decode(&got); len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.Stir.PerSecond != 2.5 || got.For.D() != time.Minute {
		t.Errorf("got %+v", got)
	}
}

func TestBlockSaysWhenAHeldValueDoesNotFit(t *testing.T) {
	b := strictyaml.NewBlock("pan", strictyaml.Pos{File: "x", Line: 1, Col: 2}, map[string]any{"heat": secret{"hush"}})
	var p pan
	if got, want := b.Decode(&p).Error(), "x:1:2: a value in memory does not fit here"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBlockText(t *testing.T) {
	var doc recipe
	strictyaml.Decode("r.yaml", []byte("name: a\nside: {rice: {grain: long, more: [1]}}\noven: grill\n"), &doc)
	for _, row := range []struct {
		name  string
		block strictyaml.Block
		key   string
		want  string
	}{
		{"it finds a parameter", doc.Side, "grain", "long r.yaml:2:22 true"},
		{"it finds no list", doc.Side, "more", " r.yaml:2:8 false"},
		{"it finds no missing parameter", doc.Side, "salt", " r.yaml:2:8 false"},
		{"it finds the kind's own text", doc.Heat, "", "grill r.yaml:3:7 true"},
		{"it finds no parameter of a text", doc.Heat, "x", " r.yaml:3:1 false"},
		{"it finds nothing in no block", strictyaml.Block{}, "x", "  false"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, at, ok := row.block.Text(row.key)
			if got := fmt.Sprint(text, " ", at, " ", ok); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestMapAndKeys(t *testing.T) {
	m := strictyaml.Map[int]{{Key: "a", Value: 1}, {Key: "b", Value: 2}}
	if v, ok := m.Get("b"); v != 2 || !ok {
		t.Errorf("Get(b) = %d, %t", v, ok)
	}
	if _, ok := m.Get("c"); ok {
		t.Error("Get(c) found something")
	}
	if diff := cmp.Diff([]string{"a", "b"}, m.Keys()); diff != "" {
		t.Error(diff)
	}
	var doc recipe
	strictyaml.Decode("r.yaml", []byte("name: a\nserves: 3\n"), &doc)
	if got := doc.Keys.At(doc.Pos, "hot", "serves").String(); got != "r.yaml:2:9" {
		t.Errorf("Keys.At(hot, serves) = %s", got)
	}
	if got := doc.Keys.At(doc.Pos, "hot").String(); got != "r.yaml:1:1" {
		t.Errorf("Keys.At(hot) = %s", got)
	}
}
