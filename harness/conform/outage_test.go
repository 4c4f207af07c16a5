package conform_test

import (
	"testing"

	"cutover/harness/conform"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

func TestOutagesAndPushbackAreNamedByWhatWasAsked(t *testing.T) {
	ok := conform.Answer{Status: 200, Body: []byte(`{"value":[]}`)}
	busy := conform.Answer{Status: 503, Throttled: true, Body: []byte(`{"error":{"code":"ErrorServerBusy","message":""}}`)}
	fraction := conform.Answer{Status: 429, Throttled: true, Header: wire.Header{{Name: "Retry-After", Value: "2.128"}}}
	seconds := conform.Answer{Status: 429, Throttled: true, Header: wire.Header{{Name: "Retry-After", Value: "10"}}}
	series := conform.Answer{Status: 201, Body: []byte(`{"recurrence":{"pattern":{},"range":{}}}`)}
	single := conform.Answer{Status: 201, Body: []byte(`{"recurrence":null}`)}
	invalid := conform.Answer{Status: 400, Body: []byte(`{"error":{"code":"ErrorPropertyValidationFailure","message":""}}`)}
	found := conform.Answer{Status: 200, Body: []byte(`{"value":[{"id":"a","subject":"one"},{"id":"b","subject":"two"}]}`)}
	for _, row := range []struct {
		name  string
		pairs []conform.Pair
		want  []string
	}{
		{"a timeout of raw content it calls slow content", []conform.Pair{{Endpoint: "GET /me/messages/{id}/$value", OwnWords: true, Left: ok, Right: conform.Answer{Status: 504}}}, []string{"size.slow: 200 → 504"}},
		{"an empty 503 of a round it calls a big page", []conform.Pair{{Endpoint: "GET /me/events/delta", Left: ok, Right: conform.Answer{Status: 503, Throttled: true}}}, []string{"delta.bigpage: 200 → 503"}},
		{"another outage in own words it does not report", []conform.Pair{{Endpoint: "GET /me/events", OwnWords: true, Left: ok, Right: conform.Answer{Status: 504}}}, nil},
		{"pushback of one side it calls availability", []conform.Pair{{Endpoint: "GET /me/events", Left: busy, Right: ok}}, []string{"availability: throttled → 200"}},
		{"pushback in one manner it does not tell apart", []conform.Pair{{Endpoint: "GET /me/events", Left: seconds, Right: seconds}}, nil},
		{"pushback in two manners it tells apart", []conform.Pair{{Endpoint: "GET /me/events", Left: busy, Right: fraction}}, []string{"throttle.shape: 503 ErrorServerBusy, no Retry-After → 429, Retry-After in fractions"}},
		{"a refused series it knows by the one that was made", []conform.Pair{{Endpoint: "POST /me/events", Left: series, Right: invalid}}, []string{"recur.inexpressible: 201 → 400 ErrorPropertyValidationFailure"}},
		{"another refused event it does not", []conform.Pair{{Endpoint: "POST /me/events", Left: single, Right: invalid}}, []string{"status.class: 201 → 400 ErrorPropertyValidationFailure"}},
		{"a search that finds less it calls a late index", []conform.Pair{{Endpoint: "GET /me/messages", Search: true, Left: found, Right: ok}}, []string{`index.lag: "one", "two" → not among 0`}},
		{"a list that has less it calls a loss", []conform.Pair{{Endpoint: "GET /me/messages", Left: found, Right: ok}}, []string{`item.missing: "one", "two" → not among 0`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := conform.New(conform.Options{ShowValues: true})
			for i, p := range row.pairs {
				p.Scenario, p.Step, p.Arrival = "s", "t", uint64(i)
				c.Compare(p)
			}
			var got []string
			for _, f := range c.Report().Findings {
				got = append(got, f.ID+": "+f.Left+" → "+f.Right)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
