package conform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// observation is one difference in one pair.
type observation struct {
	rule        *rule
	aspect      aspect
	pointer     string
	left, right string
	severity    result.Severity
	attribution string
	because     string // a suite's rule overlooks it
	cause       string
}

// breaks reports whether the observation makes its pair different.
// What an adapter folds and what is only worth a note leave the two answers equal.
func (o observation) breaks() bool {
	return o.because == "" && o.rule.class != result.Adapter && o.severity.AtLeast(result.Minor)
}

// masker turns values into what a report may show.
type masker struct {
	key    []byte
	show   bool
	veiled bool // what is shown is a pseudonym already
}

// shown bounds one value in a report, in bytes: enough to see the difference, too little to be a dump.
const shown = 240

// value shows a node, or its kind, length and pseudonym.
func (m masker) value(n canon.Node) string {
	switch n.Kind() {
	case canon.Invalid:
		return "absent"
	case canon.Null:
		return "null"
	case canon.Array:
		return fmt.Sprintf("array of %d", n.Len())
	case canon.Object:
		return m.object(n)
	case canon.String:
		if p := n.Property(); n.Masked() && p != nil && p.Form == canon.FormID {
			return m.id(p.Sort, n.Text())
		}
		if p := n.Property(); p != nil && p.Form == canon.FormEnum {
			return n.RawText()
		}
		return m.text(n.Text())
	}
	if m.show || n.Kind() == canon.Bool {
		return clip(n.Text())
	}
	return n.Kind().String() + " " + m.pseudonym(n.Text())
}

func (m masker) object(n canon.Node) string {
	if m.show && len(n.Raw()) <= shown {
		return string(n.Raw())
	}
	return fmt.Sprintf("object of %d", n.Len())
}

// text shows a text from a mailbox.
func (m masker) text(s string) string {
	switch {
	case s == "":
		return `""`
	case m.veiled:
		return m.veiledText(s)
	case m.show:
		return clip(strconv.Quote(s))
	}
	return fmt.Sprintf("string(%d) %s", utf8.RuneCountInString(s), m.pseudonym(s))
}

// id shows an identity: its sort and length, never the token.
func (m masker) id(sort, token string) string {
	return fmt.Sprintf("%s id(%d) %s", sort, len(token), m.pseudonym(token))
}

// pseudonym is the same for the same content under one key, and says nothing else.
func (m masker) pseudonym(s string) string {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(s))
	return "#" + hex.EncodeToString(mac.Sum(nil)[:5])
}

func clip(s string) string {
	if len(s) <= shown {
		return s
	}
	cut := shown
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + fmt.Sprintf("… (%d bytes)", len(s))
}

// trail is the way from the root to the node that the walk stands on.
type trail []step

type step struct {
	name  string // of a member
	index int    // of an element, -1 for a member
}

// pattern is the pointer with * for every index, as findings carry it.
func (t trail) pattern() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteByte('*')
			continue
		}
		b.WriteString(canon.EscapePointer(s.name))
	}
	return b.String()
}
