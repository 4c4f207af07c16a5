package doctor

import (
	"crypto/tls"
	"slices"
)

// What versions of TLS matter: Exchange and hybrid modern authentication need 1.2, and
// nothing in a hybrid deployment needs 1.3. A front end without 1.3 is in order; one
// that speaks it before servers that do not support it is not.
var (
	versionCheck = Check{ID: "tls.version", Title: "TLS 1.2 works", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
		Cause: "the front end offers older versions only; Entra and current clients refuse them", Remedy: "enable TLS 1.2 (Schannel and .NET strong cryptography) on every server and on the load balancer",
		Source: sourceTLS, applies: overTLS, run: (*exam).tlsVersion}
	oldVersionsCheck = Check{ID: "tls.old", Title: "TLS 1.0 and 1.1 are refused", Blocks: blocksReach, Vantage: "any", Needs: []string{"net.reach"},
		Cause: "an outdated version is still switched on: sign-ins can be pressed down to it", Remedy: "disable TLS 1.0 and 1.1 in Schannel on every server and on the load balancer; HealthChecker shows each server's settings",
		Source: sourceTLS, applies: overTLS, harmless: true, run: (*exam).tlsOld}
	newVersionCheck = Check{ID: "tls.new", Title: "TLS 1.3 is spoken only before servers that support it", Blocks: blocksReach, Vantage: "any",
		Needs: append(slices.Clone(transport), "front.preauth", "front.iis"), applies: both(onPrem, overTLS), harmless: true,
		Cause:  "TLS 1.3 is switched on where Exchange is older than 2019 CU15: not supported there, and reported by HealthChecker. Nothing in a hybrid deployment needs 1.3",
		Remedy: "switch TLS 1.3 off in Schannel on those servers, or update them; where a load balancer alone speaks it, HealthChecker on the servers tells",
		Source: "Microsoft: HealthChecker's table of TLS settings (documented); support since 2019 CU15 (release notes)", run: (*exam).tlsNew}
)

func (e *exam) tlsVersion() finding {
	if e.d.Handshake == nil || e.look().state == nil {
		return skip("no handshake was completed")
	}
	agreed := e.worstLook(versionOf)
	if !onPrem(e) || agreed.verdict != "" && agreed.verdict != pass("").verdict || e.look().state.Version <= tls.VersionTLS12 {
		return agreed
	}
	if second := e.shake(tls.VersionTLS12); second.state == nil && second.chain == nil {
		return fail("%s, and a client of TLS 1.2 was refused", agreed.evidence).because("the front end speaks TLS 1.3 alone: clients of Exchange, and servers of Exchange among each other, need 1.2",
			"enable TLS 1.2 beside 1.3 on every server and on the load balancer")
	}
	return pass("%s, and 1.2 works", agreed.evidence)
}

func versionOf(h *handshake) finding {
	if h.state == nil {
		return skip("no handshake was completed")
	}
	version := h.state.Version
	if version < tls.VersionTLS12 {
		return fail("%s was agreed", tls.VersionName(version))
	}
	return pass("%s was agreed", tls.VersionName(version))
}

func (e *exam) tlsOld() finding {
	if e.d.Handshake == nil {
		return skip("TLS cannot be looked at here")
	}
	if e.old == nil {
		e.old = e.shake(tls.VersionTLS11)
	}
	if e.old.state == nil && e.old.chain == nil {
		return pass("a client of TLS 1.1 was refused")
	}
	version := uint16(tls.VersionTLS11)
	if e.old.state != nil {
		version = e.old.state.Version
	}
	return fail("a handshake with %s was accepted", tls.VersionName(version))
}

// firstTLS13 is Exchange 2019 CU15, the first build that supports TLS 1.3.
var firstTLS13 = [4]int{15, 2, 1748, 10}

func (e *exam) tlsNew() finding {
	switch nodes := e.nodes(); {
	case e.d.Handshake == nil || e.look().state == nil:
		return skip("no handshake was completed")
	case e.look().state.Version < tls.VersionTLS13:
		return pass("it is off, and nothing needs it")
	case len(nodes) == 0:
		return skip("the answers carry no build (X-OWA-Version)")
	default:
		before := slices.DeleteFunc(slices.Clone(nodes), func(n node) bool {
			v := build(n.build)
			return slices.Compare(v[:], firstTLS13[:]) >= 0
		})
		if len(before) > 0 {
			return warn("TLS 1.3 was agreed, before %s", inventory(before))
		}
		return pass("TLS 1.3 was agreed; %s supports it", inventory(nodes))
	}
}
