package conform

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"

	"golang.org/x/text/unicode/norm"
)

// scalars compares two atoms of one JSON kind.
func (w *walk) scalars(l, r canon.Node) {
	switch l.Kind() {
	case canon.Bool:
		if l.Bool() != r.Bool() {
			w.nodes(boolRule(w.at), aspectValue, l, r, attributedNeither)
		}
	case canon.Number:
		w.numbers(l, r)
	case canon.String:
		w.strings(l, r)
	}
}

// boolRule names a created message that is a draft on one side only.
func boolRule(at trail) string {
	if at[len(at)-1].name == "isDraft" {
		return "msg.create_draft"
	}
	return "value.bool"
}

func (w *walk) numbers(l, r canon.Node) {
	if bytes.Equal(l.Raw(), r.Raw()) {
		return
	}
	if !(integer(l.Raw()) && integer(r.Raw())) && canon.CanonicalNumber(l.Text()) == canon.CanonicalNumber(r.Text()) {
		w.note("representation.number", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
		return
	}
	w.nodes("value.number", aspectValue, l, r, attributedNeither)
}

// integer reports whether a number is written in the one way that integers have: two of them that are
// written differently are different.
func integer(raw []byte) bool {
	digits := bytes.TrimPrefix(raw, []byte("-"))
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(digits) == len(raw) || digits[0] != '0' // -0 is 0
}

// strings compares two strings as what the schema says they are.
func (w *walk) strings(l, r canon.Node) {
	p := l.Property()
	if p == nil {
		p = r.Property()
	}
	form := canon.FormUnknown
	if p != nil {
		form = p.Form
	}
	switch form {
	case canon.FormID:
		w.identity(p, l, r)
		return
	case canon.FormStamp:
		w.stamps(l, r)
		return
	case canon.FormURL:
		w.urls(l, r)
		return
	}
	lt, rt := l.Text(), r.Text()
	if lt == rt {
		return
	}
	switch form {
	case canon.FormInstant:
		w.instants(l, r)
	case canon.FormDate, canon.FormLocalTime, canon.FormTimeOfDay:
		w.localTimes(l, r)
	case canon.FormDuration:
		w.durations(l, r)
	case canon.FormZone:
		w.zones(l, r)
	case canon.FormEnum:
		w.nodes(w.enumRule(p, lt, rt), aspectValue, l, r, blame(notMember(p, lt), notMember(p, rt)))
	case canon.FormAddress:
		w.addresses(l, r)
	case canon.FormBinary:
		w.binaries(l, r)
	case canon.FormGUID:
		if !strings.EqualFold(strings.Trim(lt, "{}"), strings.Trim(rt, "{}")) {
			w.nodes("value.string", aspectValue, l, r, attributedNeither)
		}
	case canon.FormHTML:
		w.html(l, r)
	case canon.FormText:
		w.folded(l, r, true)
	default:
		w.folded(l, r, false)
	}
}

// enumRule names a body that one side answers as text and the other as HTML: because one of them
// ignores what the request prefers, or because events are like that.
func (w *walk) enumRule(p *canon.Property, l, r string) string {
	if p.Type == "itemBody" && prefersBody(w.pair.Left) != prefersBody(w.pair.Right) {
		return "body.prefer"
	}
	if p.Type == "itemBody" && w.entity.typ == "event" && !notMember(p, l) && !notMember(p, r) {
		return "body.event_text"
	}
	return "value.enum"
}

// prefersBody reports whether a side says that it honoured a preferred body type.
func prefersBody(a Answer) bool {
	return strings.Contains(strings.ToLower(a.Header.Value("Preference-Applied")), "body-content-type")
}

func notMember(p *canon.Property, s string) bool {
	for _, m := range p.Enum {
		if strings.EqualFold(m, s) {
			return false
		}
	}
	return true
}

// folded compares texts: exact, then line ends, normal form and outer white space, then the twins'
// own addresses. loose folds all white space and lets the shorter of two previews decide.
func (w *walk) folded(l, r canon.Node, loose bool) {
	lt, rt := l.Text(), r.Text()
	if w.c.names.equal(lt, rt) {
		return
	}
	lf, rf := foldText(lt), foldText(rt)
	if lf == rf || w.c.names.equal(lf, rf) {
		w.note("representation.text", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
		return
	}
	if loose {
		lc, rc := preview(w.c.names.translate(lf)), preview(rf)
		if n := min(len(lc), len(rc)); n > 0 && lc[:n] == rc[:n] && (n >= previewCompared || len(lc) == len(rc)) {
			w.note("representation.text", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
			return
		}
	}
	if likeInstant(lt) && likeInstant(rt) {
		w.instants(l, r)
		return
	}
	if cut, ok := truncated(lt, rt); ok && cut >= cutAt {
		w.nodes("list.truncate", aspectValue, l, r, attributedNeither)
		return
	}
	if len(w.at) > 1 && w.at[len(w.at)-1].name == "responseCode" && w.at[len(w.at)-2].name == "error" {
		w.nodes("freebusy.error", aspectValue, l, r, attributedNeither)
		return
	}
	w.nodes("value.string", aspectValue, l, r, attributedNeither)
}

// truncated reports whether one text is a beginning of the other, and how long it is.
func truncated(l, r string) (length int, ok bool) {
	if len(l) > len(r) {
		l, r = r, l
	}
	return len([]rune(l)), strings.HasPrefix(r, strings.TrimSuffix(l, "..."))
}

// previewCompared is how much of a bodyPreview has to agree: servers cut at 255 characters, and count
// them differently.
const previewCompared = 200

func preview(s string) string { return strings.Join(strings.Fields(s), " ") }

// foldText sets spellings equal that no reader sees: CRLF and CR, normal form C, outer white space.
func foldText(s string) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	return strings.TrimSpace(norm.NFC.String(s))
}

// addresses compares SMTP addresses: the domain ignoring case, the local part exactly; the twins' own
// addresses are each other's.
func (w *walk) addresses(l, r canon.Node) {
	lt, rt := l.Text(), r.Text()
	if w.c.names.equal(lt, rt) || foldDomain(lt) == foldDomain(rt) {
		return
	}
	if legacyDN(lt) != legacyDN(rt) {
		w.nodes("address.x500", aspectValue, l, r, blame(legacyDN(lt), legacyDN(rt)))
		return
	}
	if strings.EqualFold(lt, rt) {
		w.note("representation.text", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
		return
	}
	w.nodes("value.address", aspectValue, l, r, attributedNeither)
}

func foldDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	return address[:at] + strings.ToLower(address[at:])
}

// legacyDN recognises a legacyExchangeDN: /O=EXCHANGELABS/OU=…/CN=RECIPIENTS/CN=….
func legacyDN(s string) bool {
	return len(s) > 3 && strings.EqualFold(s[:3], "/o=")
}

// binaries compares what base64 stands for.
func (w *walk) binaries(l, r canon.Node) {
	ld, lok := decode64(l.Text())
	rd, rok := decode64(r.Text())
	if lok && rok && sha256.Sum256(ld) == sha256.Sum256(rd) {
		w.note("representation.bytes", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
		return
	}
	w.nodes("value.bytes", aspectValue, l, r, blame(!lok, !rok))
}

// decode64 takes both alphabets, with or without padding and line breaks.
func decode64(s string) ([]byte, bool) {
	s = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", " ", "").Replace(s)
	s = strings.TrimRight(s, "=")
	out, err := base64.RawStdEncoding.DecodeString(s)
	return out, err == nil
}

// html compares bodies in tiers: bytes, token stream, what a reader sees.
func (w *walk) html(l, r canon.Node) {
	lt, rt := w.c.names.translate(l.Text()), r.Text()
	if lt == rt {
		return
	}
	if foldText(lt) == foldText(rt) {
		w.note("representation.text", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
		return
	}
	ll, rl := likeHTML(lt), likeHTML(rt)
	switch {
	case !ll && !rl:
		if preview(foldText(lt)) == preview(foldText(rt)) {
			w.note("representation.text", aspectValue, w.c.mask.value(l), w.c.mask.value(r))
			return
		}
		w.nodes("html.text", aspectValue, l, r, attributedNeither)
	case ll && rl && htmlTokens(lt) == htmlTokens(rt):
		w.observe("body.sanitise", aspectValue, "same tokens", "same tokens", attributedNeither)
	case visible(lt) == visible(rt):
		w.observe("body.sanitise", aspectValue, tags(lt), tags(rt), attributedNeither)
	default:
		w.nodes("html.text", aspectValue, l, r, attributedNeither)
	}
}

// format compares the form of two strings whose values need not agree.
func (w *walk) format(l, r canon.Node) {
	p := l.Property()
	if p == nil {
		return
	}
	switch p.Form {
	case canon.FormInstant, canon.FormStamp, canon.FormLocalTime:
		w.spelling(l, r)
	case canon.FormEnum:
		if ln, rn := notMember(p, l.Text()), notMember(p, r.Text()); ln || rn {
			w.observe("value.enum", aspectValue, l.RawText(), r.RawText(), blame(ln, rn))
			w.noted().severity = result.Minor
		}
	}
}
