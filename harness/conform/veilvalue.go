package conform

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cutover/harness/canon"

	"golang.org/x/text/unicode/norm"
)

// plain is a text as it is compared: line ends, normal form and outer white space folded, the asked
// mailboxes and the run itself called by what they are.
func (v *Veil) plain(s string) string {
	return v.own.translate(v.neutral.Replace(foldText(s)))
}

// Text is the pseudonym of a text, as it stands in a veiled answer.
func (v *Veil) Text(s string) string { return v.prose(v.plain(s), s) }

// longText is from where on one text may be a beginning of the other: servers cut previews and long values.
const longText = 200

// prose is the pseudonym of a text. meaning is what is compared of it; of raw it keeps the spelling that
// folding takes away, so that a difference of spelling is still one.
func (v *Veil) prose(meaning, raw string) string {
	out := ""
	if len(meaning) < longText {
		out = fmt.Sprintf("text(%d) #%s", utf8.RuneCountInString(meaning), v.mark("text", meaning))
	} else {
		out = v.chain(meaning)
	}
	switch {
	case strings.IndexByte(raw, '\r') >= 0:
		out += "\r\n."
	case strings.IndexByte(raw, '\n') >= 0:
		out += "\n."
	}
	if !norm.NFC.IsNormalString(raw) {
		out += " e\u0301"
	} else if strings.IndexFunc(raw, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		out += " \u00e9"
	}
	if trimmed := strings.TrimSpace(raw); len(trimmed) != len(raw) && trimmed != "" {
		from := strings.Index(raw, trimmed)
		out = raw[:from] + out + raw[from+len(trimmed):]
	}
	return out
}

// chain is a pseudonym as long as the text, each letter of which stands for the text up to there: two
// texts begin alike as far as their chains do. Behind 4096 bytes one pseudonym stands for the rest.
func (v *Veil) chain(s string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz012345"
	s, dots := strings.CutSuffix(s, "...")
	rest := ""
	if len(s) > 4096 {
		rest = " #" + v.mark("text", s)
		s = s[:4096]
	}
	out := make([]byte, len(s))
	state := v.keyed("chain", "")
	for i := range len(s) {
		state = v.keyed("chain", string(state[:16])+s[i:i+1])
		out[i] = letters[state[0]&31]
	}
	if dots {
		rest += "..."
	}
	return string(out) + rest
}

// address is the pseudonym of an address: local part and domain apart, the mailboxes' own by name.
func (v *Veil) address(raw string) string {
	s := v.own.translate(v.neutral.Replace(strings.TrimSpace(raw)))
	at := strings.LastIndexByte(s, '@')
	switch {
	case strings.HasSuffix(s, ownDomain):
		return s
	case legacyDN(s):
		return "/o=veiled/cn=" + v.mark("dn", strings.ToLower(s))
	case at <= 0:
		return v.prose(v.plain(raw), raw)
	}
	local := "a" + v.mark("local", strings.ToLower(s[:at]))
	if s[:at] != strings.ToLower(s[:at]) {
		local = "A" + local[1:] // the local part counts with its case
	}
	return local + "@" + v.mark("domain", strings.ToLower(s[at+1:])) + ".veiled"
}

// link keeps of a link that it is one.
func (v *Veil) link(raw string) string {
	if strings.HasPrefix(raw, "https://") {
		return veiledLink
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return ":veiled"
	case u.Host != "":
		return "http://veiled.invalid/"
	}
	return "veiled"
}

// binary is the pseudonym of what base64 stands for.
func (v *Veil) binary(raw string) string {
	data, ok := decode64(raw)
	if !ok {
		return "!" + v.mark("bytes", raw)
	}
	sum := v.keyed("bytes", string(data))
	out := base64.StdEncoding.EncodeToString(sum[:15])
	if strings.ContainsAny(raw, "\r\n") {
		out += "\r\n"
	}
	return out
}

func (v *Veil) guid(raw string) string {
	sum := v.keyed("guid", strings.ToLower(strings.Trim(raw, "{}")))
	out := fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	if strings.HasPrefix(raw, "{") {
		return "{" + out + "}"
	}
	return out
}

// html is a body with the tiers of the original: its visible text, its tokens and its bytes each have a
// pseudonym, and the names of its tags stay.
func (v *Veil) html(raw string) string {
	s := v.plain(raw)
	seen := visible(s)
	told := fmt.Sprintf("text(%d) #%s", utf8.RuneCountInString(seen), v.mark("text", seen))
	if !likeHTML(s) {
		if preview(s) != s {
			told = strings.Replace(told, " ", "  ", 1) // white space inside, which is folded
		}
		if preview(s) != seen {
			told = strings.Replace(told, "#", "&#35;", 1) // it holds character references
		}
		return v.spelt(told, raw)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- #%s -->", v.mark("bytes", s))
	tokens := " v=" + v.mark("tokens", htmlTokens(s))
	for _, tag := range tagNames(s) {
		b.WriteString("<" + tag)
		if !slices.Contains(silentTags, tag) {
			b.WriteString(tokens)
			tokens = ""
		}
		b.WriteString(">")
		if tag == "script" || tag == "style" || tag == "title" {
			b.WriteString("</" + tag + ">")
		}
	}
	if tokens != "" {
		b.WriteString("<v" + tokens + ">")
	}
	return v.spelt(b.String()+told, raw)
}

// spelt adds how the lines of the original end.
func (v *Veil) spelt(out, raw string) string {
	if strings.IndexByte(raw, '\r') >= 0 {
		return out + "\r\n"
	}
	return out
}

// tagNames lists the names of a body's opening tags that are names.
func tagNames(s string) []string {
	var names []string
	scan(s, func(t htmlToken) {
		if t.tag != "" && t.tag[0] != '/' && len(t.tag) <= 20 && strings.Trim(t.tag, "abcdefghijklmnopqrstuvwxyz0123456789!?:") == "" && !slices.Contains(names, t.tag) {
			names = append(names, t.tag)
		}
	})
	slices.Sort(names)
	return names
}

// numeric matches texts that are numbers, which one side may write as numbers.
var numeric = regexp.MustCompile(`^-?(0|[1-9]\d{0,17})(\.\d{1,12})?$`)

// numeral is the pseudonym of a number, as a whole number or as a fraction, as the original was written.
func (w *veiling) numeral(literal string) string {
	canonical := canon.CanonicalNumber(literal)
	if w.rule && len(literal) <= 5 {
		return literal // every second Tuesday is a structure, and nobody's secret
	}
	out := fmt.Sprint(w.number("number", canonical, 1<<53))
	if strings.ContainsAny(literal, ".eE") || literal == "-0" {
		out += ".0"
	}
	return out
}

// Moments become moments of this century, so that they are still compared as what they are.
var (
	veilFrom  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	veilOwn   = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC) // made by the run itself
	veilStamp = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
)

// moment is the pseudonym of a date, a time or both, in the spelling of the original.
func (v *Veil) moment(form canon.Form, raw string) string {
	t, offset, ok := parseInstant(raw)
	if !ok {
		if clock, isClock := parseClock(raw); isClock {
			seconds := time.Duration(v.number("clock", clock.Format(time.TimeOnly), 86400)) * time.Second
			return veilFrom.Add(seconds).Format(time.TimeOnly) + fractionText(raw)
		}
		return v.prose(v.plain(raw), raw)
	}
	if sentinel(t) {
		return raw // never is no moment
	}
	as := veilFrom.Add(time.Duration(v.number("moment", fmt.Sprint(t.Unix()), 100*365*86400)) * time.Second)
	switch {
	case form == canon.FormStamp:
		as = veilStamp
	case !v.since.IsZero() && !t.Before(v.since.Truncate(time.Second)) && form == canon.FormInstant:
		as = veilOwn
	case form == canon.FormDate || !offset && t.Hour()+t.Minute()+t.Second() == 0:
		as = v.day(t)
	}
	if offset {
		as = as.In(t.Location())
	}
	return likeSpelt(as, raw)
}

// day is the pseudonym of a date.
func (v *Veil) day(t time.Time) time.Time {
	return veilFrom.AddDate(0, 0, int(v.number("day", t.Format(time.DateOnly), 36500)))
}

// likeSpelt writes a moment with the precision and the zone of another spelling.
func likeSpelt(t time.Time, raw string) string {
	_, clock, timed := strings.Cut(raw, "T")
	switch {
	case !timed && strings.Contains(raw, " "):
		return t.Format(time.DateTime)
	case !timed:
		return t.Format(time.DateOnly)
	}
	if len(clock) == len("15:04") {
		return t.Format("2006-01-02T15:04")
	}
	out := t.Format("2006-01-02T15:04:05") + fractionText(raw)
	switch {
	case strings.HasSuffix(raw, "Z"):
		out = t.UTC().Format("2006-01-02T15:04:05") + fractionText(raw) + "Z"
	case strings.LastIndexAny(clock, "+-") > 0:
		out += t.Format("-07:00")
	}
	return out
}

// fractionText is the fraction of a second as it was written, with its point.
func fractionText(raw string) string {
	n := fraction(raw)
	if n == 0 {
		return ""
	}
	at := strings.IndexByte(raw, '.')
	return raw[at : at+1+n]
}

// zonedMoment veils a {dateTime, timeZone} pair as one moment: in the zone of the original, in a January
// week in which no zone changes its clocks. Whole days keep their midnight.
func (w *veiling) zonedMoment(n canon.Node) (moment string, ok bool) {
	if !isZoned(n) {
		return "", false
	}
	t, zone, ok := composeZoned(n)
	if !ok {
		return "", false
	}
	at, _ := n.Get("dateTime")
	raw := at.Text()
	if naive, offset, _ := parseInstant(raw); sentinel(t) || offset {
		return raw, sentinel(t)
	} else if w.wholeDays && midnight(n) {
		return likeSpelt(w.day(naive), raw), true
	}
	return likeSpelt(w.calm(t).In(zone.location), raw), true
}

// calm is the pseudonym of a moment whose zone stands beside it.
func (v *Veil) calm(t time.Time) time.Time {
	pick := v.number("zoned", fmt.Sprint(t.Unix()), 100*7*86400)
	return time.Date(2000+int(pick%100), 1, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(pick/100) * time.Second)
}
