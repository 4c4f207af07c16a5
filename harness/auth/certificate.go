package auth

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"software.sslmate.com/src/go-pkcs12"
)

// certificate makes the credential of an application that proves itself with a
// key: PEM with certificate and key, or a PFX, raw or in base64 as vaults give it.
func (k *entra) certificate() (cred confidential.Credential, err error) {
	text, err := k.source.resolve(k.params.Certificate, k.params.Client)
	if err != nil {
		return cred, err
	}
	var password string
	if !k.params.Password.IsZero() {
		if password, err = k.source.resolve(k.params.Password, k.params.Client); err != nil {
			return cred, err
		}
	}
	certs, key, wrong := keyPair([]byte(text), password)
	if wrong != nil {
		wrong.Path, wrong.Who, wrong.Reason, wrong.Final = k.source.path.Name, k.params.Client, Secret, true
		return cred, wrong
	}
	return confidential.NewCredFromCert(certs, key)
}

// keyPair reads a certificate with its chain and key. What a library says of
// it is dropped: it could quote the file.
func keyPair(data []byte, password string) ([]*x509.Certificate, crypto.PrivateKey, *Error) {
	var certs []*x509.Certificate
	var key crypto.PrivateKey
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		var err error
		if certs, key, err = confidential.CertFromPEM(data, password); err != nil {
			return nil, nil, &Error{What: "the certificate is not PEM with a certificate and an unencrypted RSA key", Remedy: "name the PFX itself with its password, or convert it: openssl pkcs12 -in app.pfx -nodes -out app.pem"}
		}
	} else {
		var err *Error
		if certs, key, err = fromPFX(data, password); err != nil {
			return nil, nil, err
		}
	}
	if _, ok := key.(*rsa.PrivateKey); !ok {
		return nil, nil, &Error{What: "the certificate's key is not RSA", Remedy: "Entra takes RSA keys only: make a new certificate for the application"}
	}
	return certs, key, nil
}

func fromPFX(data []byte, password string) ([]*x509.Certificate, crypto.PrivateKey, *Error) {
	const sequence = 0x30 // how every PFX begins
	if len(data) > 0 && data[0] != sequence {
		if raw, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(data), nil))); err == nil {
			data = raw
		}
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && password == "":
		return nil, nil, &Error{What: "the PFX is protected by a password", Remedy: "add password: {env: NAME} beside certificate"}
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, &Error{What: "the PFX's password is wrong", Remedy: "correct the password beside certificate"}
	case err != nil:
		return nil, nil, &Error{What: "the certificate is neither PEM nor a PFX with one certificate and its key", Remedy: "export it again with its private key (Export-PfxCertificate)"}
	}
	return append([]*x509.Certificate{leaf}, chain...), key, nil
}
