package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"cutover/harness/run"
	"cutover/harness/wire"
)

// requestName is a client-request-id: a UUID that begins as those of every run do, so
// that a server's log shows who sent a request. seed decides the rest.
func requestName(seed []byte) string {
	sum := sha256.Sum256(seed)
	sum[2] = sum[2]&0x0f | 0x80 // version 8: made by our own rule (RFC 9562)
	sum[4] = sum[4]&0x3f | 0x80
	text := hex.EncodeToString(sum[:12])
	return run.RequestPrefix + text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// naming gives a name to every request that has none: those of preflight, fixtures,
// pages and cleaning. A run's steps bring their own.
type naming struct{ next wire.Doer }

// Do sends req with a name.
func (n naming) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	if req.Kind == wire.Step || req.Kind == wire.Retry || req.Kind == wire.Poll || req.Header.Has("client-request-id") {
		n.next.Do(ctx, req, into)
		return
	}
	seed := make([]byte, 16)
	rand.Read(seed) // never fails
	named := *req
	named.Header = append(slices.Clip(req.Header), wire.Field{Name: "client-request-id", Value: requestName(seed)})
	n.next.Do(ctx, &named, into)
}
