package consent_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/consent"
)

// keys makes an approver's key pair in PEM form.
func keys(t *testing.T) (private, public []byte) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
}

func TestASignatureProvesTheApprover(t *testing.T) {
	private, public := keys(t)
	other, _ := keys(t)
	sign := func(text string, key []byte) []byte {
		s, err := consent.Sign([]byte(text), key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(string(sign(whole, private))))
	tests := []struct {
		name      string
		signature []byte // nil: no file
		refused   bool
	}{
		{"accepts the approver's signature", sign(whole, private), false},
		{"accepts it as OpenSSL writes it", raw, false},
		{"accepts it folded into lines", append(append(sign(whole, private)[:40:40], '\n'), sign(whole, private)[40:]...), false},
		{"refuses a file without one", nil, true},
		{"refuses an empty one", []byte{}, true},
		{"refuses somebody else's", sign(whole, other), true},
		{"refuses that of other words", sign(strings.Replace(whole, "rate: 50/s", "rate: 5/s", 1), private), true},
		{"refuses what is no signature", []byte("approved!"), true},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "consent.yaml")
			key := file + ".pub"
			write := func(name string, data []byte) {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(file, []byte(whole))
			write(key, public)
			if test.signature != nil {
				write(file+consent.SignatureSuffix, test.signature)
			}
			c, err := consent.Load(file)
			if err != nil || c.Proved() {
				t.Fatal(err, "or proved before it was")
			}
			err = c.Prove(file, key)
			r := new(consent.Refusal)
			if refused := errors.As(err, &r) && r.Rule == "signature"; refused != test.refused || c.Proved() == test.refused || !refused && err != nil {
				t.Errorf("Prove = %v, proved %v", err, c.Proved())
			}
		})
	}
}

func TestAKeyThatIsNoneIsNotQuoted(t *testing.T) {
	private, public := keys(t)
	for name, key := range map[string][]byte{"text": []byte("hunter2"), "a public key": public, "a broken key": []byte(strings.Replace(string(private), "M", "N", 1))} {
		if _, err := consent.Sign([]byte(whole), key); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	for name, key := range map[string][]byte{"text": []byte("hunter2"), "a private key": private} {
		if err := os.WriteFile(file, key, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := parse(t, whole).Prove(file, file); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
