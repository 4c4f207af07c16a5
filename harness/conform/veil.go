package conform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"cutover/harness/canon"
	"cutover/harness/wire"
)

// Veil turns an answer into one that can be kept: it has the same structure, statuses, property names,
// JSON kinds, enums and spellings, and nothing of a mailbox's content. Texts, addresses, ids, numbers,
// bodies and moments are keyed pseudonyms of what they mean, so that
//
//   - two answers that mean the same are still equal after both were veiled, and
//   - two veiled answers can be handed to a Comparer with the option Veiled, which finds between them
//     what it would have found between the originals, as far as pseudonyms tell.
//
// What a veil cannot carry over: how far two values are apart, and which of two moments is earlier.
// Two moments that differ fall together once in fifty million. A Veil is safe for concurrent use.
type Veil struct {
	key     []byte
	dialect *canon.Dialect
	since   time.Time
	own     renaming
	neutral *strings.Replacer
}

// VeilOptions say what a veil needs to know of a run.
type VeilOptions struct {
	// Key is the key of the pseudonyms: answers that were veiled with different keys have nothing in common.
	Key []byte
	// Dialect is how the answers are spelt; nil for Graph's.
	Dialect *canon.Dialect
	// Since is when the run began: later moments were made by the run itself and are all alike.
	Since time.Time
	// Own are addresses with the name of the mailbox that they belong to: address, name. They mean the
	// mailbox, whatever it is called on which side.
	Own [][2]string
	// Marks are texts that belong to one run alone (its id, its tag); they are all alike.
	Marks []string
}

// NewVeil makes a Veil.
func NewVeil(o VeilOptions) *Veil {
	v := &Veil{key: o.Key, dialect: o.Dialect, since: o.Since}
	if v.dialect == nil {
		v.dialect = canon.Graph()
	}
	var pairs [][2]string
	for _, own := range o.Own {
		pairs = append(pairs, [2]string{own[0], v.mark("mailbox", own[1]) + ownDomain})
	}
	v.own = newRenaming(pairs)
	var marks []string
	for _, m := range o.Marks {
		if m != "" {
			marks = append(marks, m, "(this run)")
		}
	}
	v.neutral = strings.NewReplacer(marks...)
	return v
}

// ownDomain marks addresses of the mailboxes that the run asks.
const ownDomain = "@own.veiled"

// VeilCheck names a key without telling it, so that a record can say which key it needs.
func VeilCheck(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("cutover veil 1"))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// keyed is the pseudonym of a text in one role: the same text in another role has another one.
func (v *Veil) keyed(role, s string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte(role))
	mac.Write([]byte{0})
	mac.Write([]byte(s))
	var out [sha256.Size]byte
	mac.Sum(out[:0])
	return out
}

// mark is the pseudonym of a text in hexadecimal digits: 64 bits.
func (v *Veil) mark(role, s string) string {
	sum := v.keyed(role, s)
	return hex.EncodeToString(sum[:8])
}

// number is the pseudonym of a text as a number below most.
func (v *Veil) number(role, s string, most uint64) uint64 {
	sum := v.keyed(role, s)
	return binary.BigEndian.Uint64(sum[:8]) % most
}

// ID is the pseudonym of an identity, as it stands in a veiled answer.
func (v *Veil) ID(id string) string {
	if id == "" {
		return ""
	}
	// The two alphabets in which one id is spelt are told apart behind the pseudonym.
	spelt := ""
	if strings.ContainsAny(id, "/+") {
		spelt = "/"
	} else if strings.ContainsAny(id, "-_") {
		spelt = "-"
	}
	return fmt.Sprintf("id(%d) #%s%s", len(id), v.mark("id", alphabet.Replace(id)), spelt)
}

// Answer veils one answer. Spoilt bodies stay spoilt in the same way.
func (v *Veil) Answer(a Answer) Answer {
	out := Answer{Status: a.Status, Header: veiledHeader(a.Header), Throttled: a.Throttled, Truncated: a.Truncated, Size: len(a.Body)}
	if a.Failure != nil {
		out.Failure = &wire.Failure{Kind: a.Failure.Kind}
	}
	switch {
	case len(a.Body) == 0 || a.Truncated:
	case likeJSON(a) || likeJSON(Answer{Body: a.Body}):
		out.Body = v.json(a)
	default:
		out.Body = v.raw(a.Body)
	}
	return out
}

// keptHeaders are the headers that Compare reads, and those by which support finds an answer.
var keptHeaders = []string{"Content-Type", "Preference-Applied", "Allow", "Retry-After", "client-request-id", "request-id"}

// veiledHeader keeps what conformance looks at. A Location is kept as a fact, diagnostics by their number.
func veiledHeader(h wire.Header) wire.Header {
	var out wire.Header
	add := func(name, value string) { out = append(out, wire.Field{Name: name, Value: clip(value)}) }
	for _, name := range keptHeaders {
		if h.Has(name) {
			add(name, h.Value(name))
		}
	}
	for _, name := range diagnosticHeaders {
		if h.Has(name) {
			number, _, _ := strings.Cut(h.Value(name), ";")
			if strings.Trim(number, "0123456789 ") != "" {
				number = "veiled"
			}
			add(name, number)
		}
	}
	if h.Has("Location") {
		add("Location", veiledLink)
	}
	return out
}

const veiledLink = "https://veiled.invalid/"

// raw veils a body that is no JSON: line ends are compared apart from the rest.
func (v *Veil) raw(body []byte) []byte {
	text := strings.ReplaceAll(string(body), "\r\n", "\n")
	end := "\n"
	if len(text) < len(body) {
		end = "\r\n"
	}
	return []byte("veiled #" + v.mark("raw", text) + end)
}

// host is the pseudonym of a link's host.
func (v *Veil) host(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return "veiled.invalid"
	}
	return "h" + v.mark("host", strings.ToLower(u.Host)) + ".veiled"
}
