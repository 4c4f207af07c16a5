package doctor

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cutover/harness/result"
	"cutover/harness/wire"
)

// A name with several addresses may stand for servers of different builds,
// certificates and health. So whatever is asked through the name is also asked
// of each address: the connection goes to that address, SNI and Host stay the
// name's.

// maxAddresses bounds how many addresses are looked at one by one.
const maxAddresses = 8

// lookup resolves the client namespace, once.
func (e *exam) lookup() ([]string, error) {
	if !e.resolved {
		e.resolved = true
		e.found, e.notFound = e.d.Resolver.LookupHost(e.ctx, e.url.Hostname())
	}
	return e.found, e.notFound
}

// addresses are those behind the client namespace when there are several;
// through one alone the name leads anyhow.
func (e *exam) addresses() []string {
	if e.d.At == nil || e.d.Resolver == nil || e.literal() {
		return nil
	}
	all, err := e.lookup()
	if err != nil || len(all) < 2 {
		return nil
	}
	all = slices.Clone(all)
	slices.Sort(all)
	return all[:min(len(all), maxAddresses)]
}

// each asks every address one question. authorization "" is none.
func (e *exam) each(at, authorization, template string) (calls []*wire.Call) {
	for _, address := range e.addresses() {
		call := &wire.Call{}
		e.via[call] = address
		calls = append(calls, call)
		anonymous, _ := e.d.At(address)
		if doer := anonymous(at); doer != nil {
			doer.Do(e.ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodGet, URL: at, Authorization: authorization, Template: template}, call)
		} else {
			call.Failure = &wire.Failure{Kind: wire.Refused}
		}
	}
	return calls
}

// server names who gave an answer: the node, the address that was asked, or both.
func (e *exam) server(call *wire.Call) string {
	var node string
	if call.Failure == nil {
		node = call.Response.Header.Value("X-FEServer")
	}
	return strings.TrimSpace(node + " " + e.via[call])
}

// looks are a handshake through the name and one with each address; without
// several addresses two more through the name, which a load balancer may give
// to other servers.
func (e *exam) looks() []*handshake {
	if e.handshakes != nil {
		return e.handshakes
	}
	e.handshakes = []*handshake{e.look()}
	addresses := e.addresses()
	for _, address := range addresses {
		_, shake := e.d.At(address)
		h := e.shakeWith(shake, 0)
		h.address = address
		e.handshakes = append(e.handshakes, h)
	}
	if len(addresses) == 0 && len(e.look().chain) > 0 {
		e.handshakes = append(e.handshakes, e.shake(0), e.shake(0))
	}
	return e.handshakes
}

// worstLook judges every handshake that showed a certificate and keeps the
// worst finding.
func (e *exam) worstLook(judge func(*handshake) finding) finding {
	rank := map[result.Verdict]int{result.Skip: 0, result.Pass: 1, result.Warn: 2, result.Fail: 3}
	worst := judge(e.look())
	for _, h := range e.looks()[1:] {
		if len(h.chain) == 0 {
			continue
		}
		if f := judge(h); rank[f.verdict] > rank[worst.verdict] {
			if h.address != "" {
				f.evidence = h.address + ": " + f.evidence
			}
			worst = f
		}
	}
	return worst
}

// deaf are the addresses that accept no connection although the name does.
func (e *exam) deaf() (all []string) {
	for _, h := range e.looks()[1:] {
		if h.address != "" && h.err != nil && len(h.chain) == 0 {
			all = append(all, h.address)
		}
	}
	return all
}

func (e *exam) sameCertificate() finding {
	if f, none := e.noCertificate(); none {
		return f
	}
	seen := map[string][]string{}
	var order []string
	n := 0
	for _, h := range e.looks() {
		if len(h.chain) == 0 {
			continue
		}
		n++
		sum := sha256.Sum256(h.chain[0].Raw)
		print := strings.ToUpper(hex.EncodeToString(sum[:4]))
		if seen[print] == nil {
			order = append(order, print)
		}
		if h.address != "" && !slices.Contains(seen[print], h.address) {
			seen[print] = append(seen[print], h.address)
		} else if seen[print] == nil {
			seen[print] = []string{}
		}
	}
	if len(order) == 1 {
		return pass("%s… in %d handshakes", order[0], n)
	}
	var parts []string
	for _, print := range order {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s… %s", print, strings.Join(seen[print], ", "))))
	}
	return fail("%d certificates in %d handshakes (SHA-256): %s", len(order), n, strings.Join(parts, "; "))
}
