package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

const (
	sourceTLS   = "Microsoft: HealthChecker and the requirements of hybrid modern authentication (documented)"
	sourceNeeds = "Microsoft: requirements of REST in hybrid deployments (documented)"
)

// networkChecks are about names, certificates and clocks.
func networkChecks() []Check {
	return []Check{
		{ID: "dns.client", Title: "the client namespace resolves", Blocks: blocksReach, Vantage: "internet",
			Cause: "the name has no record where this machine asks", Remedy: "publish an A or AAAA record of the client namespace in Internet DNS; or map it with --resolve for a test",
			Source: sourceNeeds, run: (*exam).dnsClient},
		{ID: "dns.autodiscover", Title: "autodiscover of the mail domain leads on premises", Blocks: blocksDiscovery, Vantage: "internet",
			Cause: "clients and Graph find mailboxes on premises through this name", Remedy: "publish autodiscover.DOMAIN in Internet DNS, leading to the Exchange servers",
			Source: sourceNeeds, applies: onPrem, harmless: true, run: (*exam).dnsAutodiscover},
		{ID: "dns.srv", Title: "no SRV record leads discovery elsewhere", Blocks: blocksDiscovery, Vantage: "internet",
			Cause: "an SRV record of Autodiscover names another host than the client namespace", Remedy: "remove _autodiscover._tcp.DOMAIN, or let it name autodiscover.DOMAIN or the client namespace",
			Source: sourceNeeds, applies: onPrem, harmless: true, run: (*exam).dnsSRV},
		{ID: "dns.rootweb", Title: "no web server of the bare mail domain answers for Autodiscover", Blocks: blocksDiscovery, Vantage: "internet",
			Cause:  "clients ask https://DOMAIN before https://autodiscover.DOMAIN: a web site that answers makes discovery slow or wrong",
			Remedy: "let the web site of the bare domain answer 404 to /autodiscover, or nothing at all", Source: sourceNeeds, applies: onPrem, harmless: true, run: (*exam).rootWeb},
		{ID: "net.reach", Title: "the service accepts a connection", Blocks: blocksReach, Vantage: "any",
			Cause: "nothing listens there, or a firewall is in between", Remedy: "check the path's url; open its port (443 as a rule) for this machine",
			Source: "observed", run: (*exam).reach},
		{ID: "tls.chain", Title: "the certificate comes from a trusted authority", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
			Cause:  "the certificate is self-signed, its authority is not trusted here, or the server does not send the certificates in between",
			Remedy: "hybrid needs a certificate of a public authority (Get-ExchangeCertificate, Enable-ExchangeCertificate -Services IIS); an internal one must be named as tls: {ca: FILE}",
			Source: sourceTLS, applies: overTLS, run: (*exam).tlsChain},
		{ID: "tls.san", Title: "the certificate is for the namespace", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
			Cause: "the certificate names other hosts", Remedy: "issue a certificate with the client namespace and autodiscover.DOMAIN among its subject alternative names",
			Source: sourceTLS, applies: overTLS, run: (*exam).tlsSAN},
		{ID: "tls.expiry", Title: "the certificate is valid for more than 60 days", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
			Cause: "the certificate was not renewed", Remedy: "renew it (New-ExchangeCertificate -GenerateRequest) and bind it on every server and on the load balancer",
			Source: sourceTLS, applies: overTLS, run: (*exam).tlsExpiry},
		{ID: "tls.samecert", Title: "every server shows the same certificate", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
			Cause:  "a certificate was renewed on some servers or devices only: Windows sign-in with Extended Protection fails where a device in front and a server differ, and the oldest one will end unnoticed",
			Remedy: "bind the same certificate on every server and on the load balancer (Get-ExchangeCertificate on each server, Enable-ExchangeCertificate -Services IIS)",
			Source: sourceTLS, applies: overTLS, harmless: true, run: (*exam).sameCertificate},
		versionCheck, oldVersionsCheck,
		{ID: "net.clock", Title: "the servers' clock agrees with this machine's", Blocks: blocksSignIn, Vantage: "any",
			Needs:  []string{"net.reach", "tls.chain", "tls.san", "tls.expiry", "tls.version"},
			Cause:  "tokens begin and end by the clock: more than five minutes apart, servers refuse new ones (2000002)",
			Remedy: "compare both with a time server (w32tm /query /status on the servers)", Source: "token libraries' usual tolerance, 300 s", run: (*exam).clock},
	}
}

// literal tells whether the path's host is an address, which nobody looks up.
func (e *exam) literal() bool {
	_, err := netip.ParseAddr(e.url.Hostname())
	return err == nil || e.url.Hostname() == "localhost"
}

func (e *exam) dnsClient() finding {
	switch {
	case e.literal():
		return skip("%s is an address, not a name", e.url.Hostname())
	case e.d.Resolver == nil:
		return skip("names are not looked up here")
	}
	addresses, err := e.lookup()
	if err != nil || len(addresses) == 0 {
		return fail("%s has no address", e.url.Hostname())
	}
	return pass("%s: %s", e.url.Hostname(), strings.Join(addresses, ", "))
}

func (e *exam) dnsAutodiscover() finding {
	_, domain, ok := strings.Cut(e.address(e.first()), "@")
	switch {
	case !ok:
		return skip("no mailbox names a mail domain")
	case e.literal():
		return skip("%s is an address, not a name", e.url.Hostname())
	case e.d.Resolver == nil:
		return skip("names are not looked up here")
	}
	name := "autodiscover." + domain
	addresses, err := e.d.Resolver.LookupHost(e.ctx, name)
	var refused *guard.Refusal
	if errors.As(err, &refused) {
		return skip("the consent does not name %s", name)
	}
	if canonical, err := e.d.Resolver.LookupCNAME(e.ctx, name); err == nil && strings.EqualFold(strings.TrimSuffix(canonical, "."), "autodiscover.outlook.com") {
		return warn("%s is an alias of autodiscover.outlook.com", name).because("clients ask the cloud first and are sent back for mailboxes on premises: slower, and wrong while the two ends disagree",
			"lead the name to Exchange on premises as long as mailboxes live there")
	}
	if err != nil || len(addresses) == 0 {
		return fail("%s has no address", name)
	}
	return pass("%s: %s", name, strings.Join(addresses, ", "))
}

// look shakes hands once.
func (e *exam) look() *handshake {
	if e.shaken == nil {
		e.shaken = e.shake(0)
	}
	return e.shaken
}

func (e *exam) shake(most uint16) *handshake { return e.shakeWith(e.d.Handshake, most) }

func (e *exam) shakeWith(shake Handshake, most uint16) *handshake {
	h := &handshake{}
	h.state, h.err = shake(e.ctx, e.origin(), most)
	var refused *tls.CertificateVerificationError
	switch {
	case h.state != nil:
		h.chain = h.state.PeerCertificates
	case errors.As(h.err, &refused):
		h.chain = refused.UnverifiedCertificates
	}
	return h
}

func (e *exam) reach() finding {
	if e.d.Handshake == nil || e.url.Scheme != "https" {
		call := e.ask(e.origin() + "/")
		if call.Failure != nil {
			return fail("%s: %v", e.url.Host, call.Failure)
		}
		return pass("answered %d", call.Response.Status)
	}
	h := e.look()
	if h.err != nil && h.chain == nil {
		return e.unreachable(h.err)
	}
	if deaf := e.deaf(); len(deaf) > 0 {
		return warn("%s answers, %s of its addresses does not", e.url.Host, strings.Join(deaf, ", ")).because("an address in DNS leads to a server that is gone or closed off: a share of the clients waits or fails",
			"take the address out of DNS, or bring its server back")
	}
	return pass("connected to %s", e.url.Host)
}

// unreachable says in which stage a connection ended.
func (e *exam) unreachable(err error) finding {
	var f *wire.Failure
	if !errors.As(err, &f) {
		return fail("%s: %v", e.url.Host, err)
	}
	switch f.Kind {
	case wire.Refused:
		return skip("a safety rule does not let %s be asked", e.url.Host)
	case wire.DNS:
		return fail("the name %s does not resolve", e.url.Hostname()).because("the name has no record where this machine asks", "publish the name, or map it with --resolve")
	case wire.Timeout:
		return fail("%s did not answer in time", e.url.Host).because("a firewall drops packets, or the service hangs", "open its port (443 as a rule) for this machine")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fail("%s refuses connections", e.url.Host)
	}
	return fail("%s: %v", e.url.Host, f)
}

func (e *exam) noCertificate() (finding, bool) {
	if e.d.Handshake == nil {
		return skip("TLS cannot be looked at here"), true
	}
	if len(e.look().chain) == 0 {
		return skip("no certificate was seen"), true
	}
	return finding{}, false
}

func (e *exam) tlsChain() finding {
	if f, none := e.noCertificate(); none {
		return f
	}
	return e.worstLook(e.chainOf)
}

func (e *exam) chainOf(h *handshake) finding {
	chain := h.chain
	leaf := chain[0]
	o := x509.VerifyOptions{Intermediates: x509.NewCertPool(), CurrentTime: leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)}
	if now := e.d.Clock.Now(); now.After(leaf.NotBefore) && now.Before(leaf.NotAfter) {
		o.CurrentTime = now
	} else {
		o.CurrentTime = leaf.NotAfter.Add(-time.Second)
	}
	if e.d.Roots != nil {
		o.Roots = e.d.Roots(e.path.Name)
	}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(o); err != nil {
		who := leaf.Issuer.CommonName
		if leaf.Issuer.String() == leaf.Subject.String() {
			return fail("self-signed: %s", who)
		}
		return fail("issued by %s, which is not trusted here", orElse(who, leaf.Issuer.String()))
	}
	return pass("issued by %s", orElse(leaf.Issuer.CommonName, leaf.Issuer.String()))
}

func (e *exam) tlsSAN() finding {
	if f, none := e.noCertificate(); none {
		return f
	}
	return e.worstLook(e.namesOf)
}

func (e *exam) namesOf(h *handshake) finding {
	leaf := h.chain[0]
	host := e.url.Hostname()
	if e.path.TLS.ServerName != "" {
		host = e.path.TLS.ServerName
	}
	if err := leaf.VerifyHostname(host); err != nil {
		return fail("it is for %s, not for %s", strings.Join(leaf.DNSNames, ", "), host)
	}
	return pass("it covers %s", host)
}

// soon is the window in which HealthChecker warns.
const soon = 60 * 24 * time.Hour

func (e *exam) tlsExpiry() finding {
	if f, none := e.noCertificate(); none {
		return f
	}
	return e.worstLook(e.lifeOf)
}

func (e *exam) lifeOf(h *handshake) finding {
	leaf := h.chain[0]
	now, day := e.d.Clock.Now(), leaf.NotAfter.UTC().Format(time.DateOnly)
	switch left := leaf.NotAfter.Sub(now); {
	case left <= 0:
		return fail("it ended on %s", day)
	case now.Before(leaf.NotBefore):
		return fail("it begins on %s", leaf.NotBefore.UTC().Format(time.DateOnly)).because("the certificate is not valid yet, or a clock is wrong", "")
	case left <= soon:
		return warn("it ends on %s, in %d days", day, int(left.Hours()/24))
	}
	return pass("it is valid until %s", day)
}

// skew is how far clocks may differ: the usual tolerance for tokens.
const skew = 5 * time.Minute

func (e *exam) clock() finding {
	call := e.ask(e.origin() + "/")
	if call.Failure != nil {
		return skip("the service did not answer: %s", call.Failure.Kind)
	}
	date, err := http.ParseTime(call.Response.Header.Value("Date"))
	if err != nil {
		return skip("the answer has no date")
	}
	off := date.Sub(e.d.Clock.Now()).Round(time.Second)
	way := "ahead"
	if off < 0 {
		way = "behind"
	}
	text := fmt.Sprintf("%s %s of this machine", off.Abs(), way)
	switch {
	case off.Abs() > skew:
		return fail("%s", text)
	case off.Abs() > time.Minute:
		return warn("%s", text)
	case off.Abs() <= 2*time.Second:
		return pass("the same within 2 s")
	}
	return pass("%s", text)
}
