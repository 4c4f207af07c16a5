package profiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// hidden is all that a Secret ever prints.
const hidden = "***"

// maxSecret bounds what a file or a program may answer: certificates with their chains
// are a few KiB.
const maxSecret = 1 << 20

// execPatience is how long a program may take to name a secret; vaults that ask a human
// for a second factor need tens of seconds.
const execPatience = 60 * time.Second

// Secret is a reference to something that must not be seen: an environment variable, a
// file or a program's output. Whatever prints it prints "***". Only Resolve gives the
// value away.
type Secret struct {
	source string
	name   string
	argv   []string
	dir    string
	// value is behind a pointer because fmt prints the unexported fields of other types
	// without asking them: it shows an address there, and never the value.
	value *string
}

// SecretValue holds a secret that exists only in memory, such as those of the lab.
func SecretValue(value string) Secret { return Secret{source: "value", value: &value} }

// IsZero reports whether no secret was referred to.
func (s Secret) IsZero() bool { return s.source == "" }

// Source says what kind of reference it is, for messages: "env", "file", "exec", "value" or "".
func (s Secret) Source() string { return s.source }

// Equal reports whether two secrets are the same reference, or the same value in memory.
func (s Secret) Equal(o Secret) bool {
	same := s.source == o.source && s.name == o.name && s.dir == o.dir && slices.Equal(s.argv, o.argv)
	if s.value == nil || o.value == nil {
		return same && s.value == o.value
	}
	return same && *s.value == *o.value
}

// Resolve fetches the secret. env is asked for environment variables. Errors name the
// reference and never hold the value.
func (s Secret) Resolve(env func(string) string) ([]byte, error) {
	switch s.source {
	case "value":
		return []byte(*s.value), nil
	case "env":
		if v := env(s.name); v != "" {
			return []byte(v), nil
		}
		return nil, fmt.Errorf("environment variable %s is not set or empty", s.name)
	case "file":
		return s.fromFile()
	case "exec":
		return s.fromProgram()
	}
	return nil, errors.New("no secret is given")
}

func (s Secret) fromFile() ([]byte, error) {
	name := s.name
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	return trimmed(data, "secret file "+name)
}

// fromProgram runs the argument list as it is, without a shell. Its error output may
// hold anything and is dropped.
func (s Secret) fromProgram() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), execPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.argv[0], s.argv[1:]...)
	cmd.Dir = s.dir
	out := &bounded{limit: maxSecret + 1}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("secret program %s: %w", s.argv[0], err)
	}
	return trimmed(out.data, "secret program "+s.argv[0])
}

// bounded keeps the first bytes that it is given and swallows the rest.
type bounded struct {
	data  []byte
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.data = append(b.data, p[:min(len(p), b.limit-len(b.data))]...)
	return len(p), nil
}

// trimmed drops the line end that editors and programs add to text.
func trimmed(data []byte, what string) ([]byte, error) {
	if !binaryWhole(data) {
		data = bytes.TrimRight(data, "\r\n")
	}
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%s is empty", what)
	case len(data) > maxSecret:
		return nil, fmt.Errorf("%s is larger than %d bytes", what, maxSecret)
	}
	return data, nil
}

// binaryWhole tells whether data is one DER value, such as a PFX, from its first byte to
// its last: its own length says so, and its last byte may well be a line end's.
func binaryWhole(data []byte) bool {
	return len(data) > 4 && data[0] == 0x30 && data[1] == 0x82 && len(data) == 4+int(data[2])<<8+int(data[3])
}

// String is "***", or "" when there is no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Format prints String whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText is String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is String.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML is String.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
