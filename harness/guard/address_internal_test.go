package guard

import (
	"errors"
	"testing"
)

// A name was allowed; where it leads is judged when the connection is made.
func TestTheLabStaysOnThisMachineWhateverItsNamesResolveTo(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:443": "", "[::1]:443": "", "[::ffff:127.0.0.1]:443": "",
		"192.0.2.1:443": "address", "10.0.0.1:443": "address", "169.254.169.254:80": "address", "[fe80::1%eth0]:443": "address", "nonsense": "address",
	} {
		for _, r := range []Rules{{Simulated: true}, {}} {
			got := ""
			if refusal := new(Refusal); errors.As(r.connection(address), &refusal) {
				got = refusal.Rule
			}
			if got != want {
				t.Errorf("simulated %v: a connection to %s: rule %q, want %q", r.Simulated, address, got, want)
			}
		}
	}
}

func TestAProbeConsentCoversNoRun(t *testing.T) {
	for kind, refused := range map[string]bool{"probe": true, "run": false} {
		if err := (Rules{Consent: &Consent{Kind: kind}}).CheckLoad(); (err != nil) != refused {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
