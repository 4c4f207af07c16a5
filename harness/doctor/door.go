package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

// The names under which the doctor's own traffic passes the door: list the hosts
// that may be asked in guard.Rules as Hosts[Probes] and SignIn[Handshakes].
const (
	Probes     = "doctor"
	Handshakes = "doctor-tls"
)

// Through makes the senders of an examination from an open door. options says
// how to reach the host of a URL; ok is false for a host that the rules do not
// name. Every question gets a connection of its own, so that a load balancer may
// choose another server each time.
func Through(door *guard.Door, options func(url string) (o guard.Options, ok bool)) (anonymous func(url string) wire.Doer, shake Handshake) {
	return ThroughAddress(door, options, "")
}

// ThroughAddress makes senders that connect to one address behind a name. The
// door judges the address like any other; a proxy is not used, because it would
// look the name up itself. "" is Through.
func ThroughAddress(door *guard.Door, options func(url string) (o guard.Options, ok bool), address string) (anonymous func(url string) wire.Doer, shake Handshake) {
	var mu sync.Mutex
	doers := map[string]wire.Doer{}
	anonymous = func(at string) wire.Doer {
		host, err := guard.HostPort(at)
		if err != nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if d, ok := doers[host]; ok {
			return d
		}
		o, ok := options(at)
		if !ok {
			return nil
		}
		o.Connections, o.Login, o.Address, o.Proxy = "new", nil, address, o.Proxy && address == ""
		d, err := door.Path(Probes, o)
		if err != nil {
			return nil
		}
		doers[host] = d
		return d
	}
	shake = func(ctx context.Context, at string, most uint16) (*tls.ConnectionState, error) {
		o, ok := options(at)
		if !ok {
			return nil, &wire.Failure{Kind: wire.Refused}
		}
		o.Login, o.Protocol, o.MaxTLS, o.Address, o.Proxy = nil, "http/1.1", most, address, o.Proxy && address == ""
		if most != 0 {
			o.MinTLS = tls.VersionTLS10
		}
		h, err := door.HTTP(Handshakes, wire.Probe, o)
		if err != nil {
			return nil, err
		}
		defer h.CloseIdleConnections()
		return handshakeOf(ctx, h, at)
	}
	return anonymous, shake
}

// handshakeOf asks for the root of a host, for the sake of the connection.
func handshakeOf(ctx context.Context, h *guard.HTTP, at string) (*tls.ConnectionState, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+"/", nil)
	if err != nil {
		return nil, err
	}
	response, err := h.Do(request)
	if err != nil {
		return nil, stage(err)
	}
	defer response.Body.Close()
	return response.TLS, nil
}

// stage says in which stage a connection failed.
func stage(err error) *wire.Failure {
	var refused *guard.Refusal
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	kind := wire.Connect
	switch {
	case errors.As(err, &refused):
		kind = wire.Refused
	case errors.As(err, &dns):
		kind = wire.DNS
	case errors.As(err, &certificate):
		kind = wire.TLS
	case errors.As(err, &timeout) && timeout.Timeout():
		kind = wire.Timeout
	}
	return &wire.Failure{Kind: kind, Err: err}
}
