package conform_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"cutover/harness/conform"

	"github.com/google/go-cmp/cmp"
)

// fourShots sends n pairs, each asked twice on both sides.
func fourShots(c *conform.Comparer, n int, body func(i int, left, again bool) string) {
	for i := range n {
		la, ra := answer(body(i, true, true)), answer(body(i, false, true))
		c.Compare(conform.Pair{
			Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(i), Mailbox: "m",
			Left: answer(body(i, true, false)), Right: answer(body(i, false, false)), LeftAgain: &la, RightAgain: &ra,
		})
	}
}

func TestVolatileValuesAreLearnedAndRealDifferencesKept(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := conform.New(conform.Options{})
	fourShots(c, 40, func(i int, left, again bool) string {
		side := "R"
		if left {
			side = "L"
		}
		fresh := fmt.Sprint(r.IntN(1 << 30))
		onlyLeft := "same"
		if left {
			onlyLeft = fresh
		}
		onlyRight := "same"
		if !left {
			onlyRight = fresh
		}
		return fmt.Sprintf(`{"both":%q,"onlyLeft":%q,"onlyRight":%q,"stable":%q,"fine":"x"}`, fresh, onlyLeft, onlyRight, side)
	})
	// Pairs that were asked once show the same places; what was learned explains them.
	for i := range 100 {
		c.Compare(conform.Pair{Scenario: "s", Step: "t", Endpoint: "GET /me/messages/{id}", Arrival: uint64(100 + i), Mailbox: "m",
			Left:  answer(fmt.Sprintf(`{"both":"%d","onlyLeft":"%d","onlyRight":"same","stable":"L","fine":"x"}`, r.Int(), r.Int())),
			Right: answer(fmt.Sprintf(`{"both":"%d","onlyLeft":"same","onlyRight":"%d","stable":"R","fine":"x"}`, r.Int(), r.Int()))})
	}
	var got []string
	for _, f := range c.Report().Findings {
		got = append(got, f.ID+" "+f.Pointer+" "+f.Attribution)
	}
	want := []string{"value.string /stable neither", "volatile.left /onlyLeft left", "volatile.right /onlyRight right", "volatile.both /both both"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestVolatilitySilencesValuesOnly(t *testing.T) {
	c := conform.New(conform.Options{})
	n := 0
	fourShots(c, 20, func(i int, left, again bool) string {
		n++
		if left {
			return fmt.Sprintf(`{"unknownToken":"%d"}`, n)
		}
		return `{"unknownToken":7}`
	})
	var got []string
	for _, f := range c.Report().Findings {
		got = append(got, f.ID)
	}
	if diff := cmp.Diff([]string{"type", "volatile.left"}, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
}

func TestADifferenceThatShowsWhileNothingChangesSurvivesNoise(t *testing.T) {
	c := conform.New(conform.Options{})
	n := 0
	fourShots(c, 30, func(i int, left, again bool) string {
		n++
		if left && i%10 == 0 {
			return fmt.Sprintf(`{"subject":"%d"}`, n) // changes now and then
		}
		if left {
			return `{"subject":"left"}`
		}
		return `{"subject":"right"}`
	})
	if got := c.Report().Findings; len(got) != 1 || got[0].ID != "value.string" || got[0].Count != 27 {
		t.Errorf("findings %v, want the difference in 27 pairs", lines(got))
	}
}
