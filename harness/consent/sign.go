package consent

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SignatureSuffix is what the name of a consent file's signature has more than its own.
const SignatureSuffix = ".sig"

// Prove holds the file FILE.sig against the file of the approver's public key (Ed25519,
// PEM, as `openssl pkey -pubout` writes it). The signature is that of the consent file's
// bytes (RFC 8032), as 64 bytes or in base64. The error is a *Refusal when the signature
// is missing or another's; after nil the approver's name is proved as far as the key is theirs.
func (c *Consent) Prove(file, publicKey string) error {
	key, err := readPublic(publicKey)
	if err != nil {
		return fmt.Errorf("approver's key %s: %w", publicKey, err)
	}
	signature, err := os.ReadFile(file + SignatureSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return &Refusal{"signature", "the profile names the approver's key, and the consent file has no signature beside it",
			"the approver signs it with `cutover consent --sign KEY " + file + "`, which writes " + file + SignatureSuffix}
	}
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	if !ed25519.Verify(key, c.text, plainSignature(signature)) {
		return &Refusal{"signature", "the consent file's signature is not that of the approver's key over these words",
			"whoever changed the file asks the approver to sign it again"}
	}
	c.proved = true
	return nil
}

// Proved tells whether Prove has held the file against its approver's key.
func (c *Consent) Proved() bool { return c.proved }

// Sign signs a consent file's content with an Ed25519 key (PKCS #8 in PEM, as `openssl
// genpkey -algorithm ed25519` writes it) and returns the content of the signature's file.
func Sign(content, privateKey []byte) ([]byte, error) {
	block, _ := pem.Decode(privateKey)
	if block == nil {
		return nil, errNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, errNoKey
	}
	return []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(key, content)) + "\n"), nil
}

// errNoKey does not quote the parser, which may quote the key.
var errNoKey = errors.New("not an Ed25519 key in PEM form: make one with `openssl genpkey -algorithm ed25519`")

func readPublic(file string) (ed25519.PublicKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errNoKey
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if key, ok := parsed.(ed25519.PublicKey); err == nil && ok {
		return key, nil
	}
	return nil, errNoKey
}

// plainSignature is a signature as its 64 bytes, whichever way its file has it.
func plainSignature(file []byte) []byte {
	if len(file) == ed25519.SignatureSize {
		return file
	}
	plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(file)), ""))
	if err != nil {
		return nil
	}
	return plain
}
