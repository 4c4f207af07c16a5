package lab

import (
	"crypto/tls"
	"slices"
)

// firstTLS13 is Exchange 2019 CU15, the first build that supports TLS 1.3 (documented).
var firstTLS13 = [4]int{15, 2, 1748, 10}

// newestTLS is the highest version that the on-prem front end speaks: 1.2, unless every
// server behind it supports 1.3 or a misconfiguration says otherwise.
func (d *deployment) newestTLS() uint16 {
	for _, n := range d.onprem.Nodes {
		v, err := versionOf(n.Build)
		if !d.newTLS && (err != nil || slices.Compare(v[:], firstTLS13[:]) < 0) {
			return tls.VersionTLS12
		}
	}
	return tls.VersionTLS13
}
