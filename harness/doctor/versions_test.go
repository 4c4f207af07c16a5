package doctor_test

import (
	"crypto/tls"
	"testing"

	"cutover/harness/result"
)

func onlyTLS13(w *world) { w.version, w.lowest = tls.VersionTLS13, tls.VersionTLS13 }

func TestTLS13IsNoGoodBeforeOldServers(t *testing.T) {
	speaks := func(version uint16, build string) func(*world) {
		return func(w *world) {
			w.trusted(t)
			w.version = version
			for _, part := range []string{"/EWS/Exchange.asmx", "/api/v2.0/me"} {
				w.answers[part] = unauthorized("X-FEServer", "EX01", "X-OWA-Version", build, "WWW-Authenticate", bearerChallenge)
			}
		}
	}
	for _, r := range []row{
		{"it is off: nothing is missed", speaks(tls.VersionTLS12, "15.1.2507.6"), "onprem", "tls.new", result.Pass, "off"},
		{"it stands before Exchange 2016: it warns", speaks(tls.VersionTLS13, "15.1.2507.6"), "onprem", "tls.new", result.Warn, "EX01 15.1.2507.6"},
		{"it stands before Exchange 2019 CU14: it warns", speaks(tls.VersionTLS13, "15.2.1544.4"), "onprem", "tls.new", result.Warn, "15.2.1544.4"},
		{"it stands before Exchange 2019 CU15: it passes", speaks(tls.VersionTLS13, "15.2.1748.10"), "onprem", "tls.new", result.Pass, "supports it"},
		{"the servers tell no build: it is not probed", speaks(tls.VersionTLS13, ""), "onprem", "tls.new", result.Skip, "no build"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, true) })
	}
}
