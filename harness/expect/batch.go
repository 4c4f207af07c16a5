package expect

import (
	"strconv"

	"cutover/harness/canon"
	"cutover/harness/wire"
)

// Part returns the answer to one request of a JSON batch out of the batch's answer.
// Its body is read in the same dialect. ok is false when the batch has no such answer.
func Part(batch *canon.Doc, id string) (wire.Response, *canon.Doc, bool) {
	list, found := batch.Find("$.responses")
	if !found {
		return wire.Response{}, nil, false
	}
	for one := range list.Children() {
		if got, _ := one.Get("id"); got.Text() != id {
			continue
		}
		var r wire.Response
		if status, ok := one.Get("status"); ok {
			r.Status, _ = strconv.Atoi(status.Text())
		}
		if headers, ok := one.Get("headers"); ok {
			for h := range headers.Children() {
				r.Header = append(r.Header, wire.Field{Name: h.RawKey(), Value: h.Text()})
			}
		}
		body, ok := one.Get("body")
		if !ok {
			return r, nil, true
		}
		r.Body = body.Raw()
		doc, _ := canon.Parse(r.Body, batch.Dialect(), nil)
		return r, doc, true
	}
	return wire.Response{}, nil, false
}
