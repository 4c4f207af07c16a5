package run

import (
	"encoding/binary"
	"encoding/hex"

	"cutover/harness/wire"
)

// RequestPrefix begins every client-request-id of a run, so that whoever reads a
// server's log can tell its requests from everybody else's, and stop them.
const RequestPrefix = "c0705e70-"

// requestPrefix is RequestPrefix as the first bytes of a UUID.
const requestPrefix = 0xc0705e70

// requestID is the name by which client and server find one request again: a
// UUID that begins with RequestPrefix and whose rest the seed, the side, the arrival and the place within the leg decide,
// so that the same run names the same requests.
func requestID(seed uint64, side int, arrival uint64, asked uint32) string {
	var id [16]byte
	high := mix64(seed ^ uint64(side+1)<<60)
	binary.BigEndian.PutUint64(id[:8], mix64(high^arrival))
	binary.BigEndian.PutUint64(id[8:], mix64(mix64(high+arrival)^uint64(asked)))
	binary.BigEndian.PutUint32(id[:4], requestPrefix)
	id[6] = id[6]&0x0f | 0x80 // version 8: made by our own rule (RFC 9562)
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// mix64 is the finaliser of splitmix64: every bit of x changes half the result.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// traced adds the request's name, and asks the server to repeat it. A plain
// path is asked as written.
func (w *worker) traced(v *visit) {
	w.asked++
	if w.run.plan.Sides[w.side].Profile.Dialect.Kind == "plain" {
		return
	}
	w.req.Header = append(w.req.Header,
		wire.Field{Name: "client-request-id", Value: requestID(w.run.plan.Seed, w.side, v.leg.number, w.asked)},
		wire.Field{Name: "return-client-request-id", Value: "true"})
}
