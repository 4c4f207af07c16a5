package conform_test

import (
	"strings"
	"testing"
	"time"

	"cutover/harness/conform"
	"cutover/harness/result"

	"github.com/google/go-cmp/cmp"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func steps(repeated uint64, places ...result.NoisePlace) []result.NoiseStep {
	return []result.NoiseStep{{Scenario: "s", Step: "t", Repeated: repeated, Places: places}}
}

// told is what a file of noise says, one line a place.
func told(n *conform.NoiseFile) []string {
	var out []string
	for line := range strings.Lines(n.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "- {") || strings.HasPrefix(line, "kind:") {
			out = append(out, line)
		}
	}
	return out
}

func TestNoiseIsLearnedCountedOnAndUnlearned(t *testing.T) {
	n := &conform.NoiseFile{}
	n.Learn(steps(40, result.NoisePlace{Pointer: "/a", Kind: result.VolatileLeft, Left: 38}, result.NoisePlace{Pointer: "/b", Kind: result.StableDiff, Differed: 40}), today)
	n.Learn(steps(10, result.NoisePlace{Pointer: "/a", Kind: result.VolatileLeft, Left: 9}), today.AddDate(0, 0, 5))
	want := []string{
		`- {scenario: "s", step: "t", pointer: "/a",`, `kind: volatile-left, repeated: 50, left: 47, right: 0, differed: 0, learned: 2026-11-27, expires: 2026-12-27}`,
		`- {scenario: "s", step: "t", pointer: "/b",`, `kind: stable-diff, repeated: 40, left: 0, right: 0, differed: 40, learned: 2026-11-22, expires: 2026-12-22}`,
	}
	if diff := cmp.Diff(want, told(n)); diff != "" {
		t.Errorf("counted on (-want +got)\n%s", diff)
	}
	n.Learn(steps(30), today)
	if got := told(n); len(got) != 0 {
		t.Errorf("30 quiet pairs later the file still says %q", got)
	}
	if again, err := conform.ParseNoise("noise.yaml", []byte(n.String())); err != nil || len(again.Noise) != 0 {
		t.Errorf("an empty file: %v, %v", again, err)
	}
}

func TestAFileOfNoiseIsReadAsWrittenAndStrictly(t *testing.T) {
	n := &conform.NoiseFile{}
	n.Learn(steps(40, result.NoisePlace{Pointer: `/a "b"/*/c`, Kind: result.VolatileBoth, Left: 38, Right: 1, Differed: 2}), today)
	again, err := conform.ParseNoise("noise.yaml", []byte(n.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told(n), told(again)); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
	for day, want := range map[time.Time][2]int{today.AddDate(0, 0, 30): {1, 0}, today.AddDate(0, 0, 31): {0, 1}} {
		if believed, expired := again.At(day); len(believed) != want[0] || len(expired) != want[1] {
			t.Errorf("on %s %d are believed and %d expired, want %v", day.Format(time.DateOnly), len(believed), len(expired), want)
		}
	}
	for _, wrong := range []string{"noise: [{scenario: s}]", strings.Replace(n.String(), "volatile-both", "loud", 1), strings.Replace(n.String(), "2026-12-22", "soon", 1)} {
		if _, err := conform.ParseNoise("noise.yaml", []byte(wrong)); err == nil {
			t.Errorf("it is accepted: %s", wrong)
		}
	}
}

// TestLearnedNoiseSilencesValuesUntilARunContradictsIt holds one place against what was learned of it.
func TestLearnedNoiseSilencesValuesUntilARunContradictsIt(t *testing.T) {
	learned := []conform.Learned{{Scenario: "s", Step: "t", Pointer: "/subject", Kind: result.VolatileLeft, Repeated: 40, Left: 40}}
	for _, row := range []struct {
		name, left, right string
		repeated          int
		want              []string
	}{
		{"it silences a value", `{"subject":"a"}`, `{"subject":"b"}`, 0, []string{"volatile.left /subject"}},
		{"it silences no absence", `{"subject":"a"}`, `{}`, 0, []string{"field.missing /subject"}},
		{"it silences no type", `{"subject":"a"}`, `{"subject":true}`, 0, []string{"type /subject"}},
		{"it silences no other place", `{"unknownName":"a"}`, `{"unknownName":"b"}`, 0, []string{"value.string /unknownName"}},
		{"it gives way to this run's repetitions", `{"subject":"a"}`, `{"subject":"b"}`, 8, []string{"value.string /subject"}},
	} {
		c := conform.New(conform.Options{Learned: learned})
		for i := range 8 {
			p := conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(i), Mailbox: "m", Left: answer(row.left), Right: answer(row.right)}
			if i < row.repeated {
				l, r := p.Left, p.Right
				p.LeftAgain, p.RightAgain = &l, &r
			}
			c.Compare(p)
		}
		var got []string
		for _, f := range c.Report().Findings {
			got = append(got, f.ID+" "+f.Pointer)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", row.name, diff)
		}
	}
}
