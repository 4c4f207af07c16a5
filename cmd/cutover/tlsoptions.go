package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"cutover/harness/guard"
	"cutover/profiles"
)

// tlsOptions puts whom a path trusts, and what it shows of itself, into o. The path's
// own tls block stands in place of the profile's.
func (a *App) tlsOptions(p *profiles.Profile, path profiles.Path, o *guard.Options) error {
	said := p.TLS
	if path.TLS.Pos.Line > 0 {
		said = path.TLS
	}
	o.ServerName = said.ServerName
	if said.Min == "1.3" {
		o.MinTLS = tls.VersionTLS13
	}
	pem := p.CAPEM
	if said.CA != "" && pem == nil {
		var err error
		if pem, err = os.ReadFile(p.File(said.CA)); err != nil {
			return usageError("", "path %s: tls.ca: %w", path.Name, err)
		}
	}
	if pem != nil {
		o.CA = x509.NewCertPool()
		if !o.CA.AppendCertsFromPEM(pem) {
			return usageError("the file holds certificates in PEM form", "path %s: tls.ca: no certificate in %s", path.Name, said.CA)
		}
	}
	if said.Cert == "" {
		return nil
	}
	certificate, err := os.ReadFile(p.File(said.Cert))
	if err != nil {
		return usageError("", "path %s: tls.certificate: %w", path.Name, err)
	}
	key, err := said.Key.Resolve(a.Env)
	if err != nil {
		return usageError("", "path %s: tls.key: %w", path.Name, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return usageError("certificate and key are PEM and belong together", "path %s: tls: %w", path.Name, err)
	}
	o.ClientCert = &pair
	return nil
}
