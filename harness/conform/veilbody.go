package conform

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cutover/harness/canon"
)

// spoilt are bodies that break in the same way as one that could not be parsed.
var spoilt = map[string]string{
	canon.ProblemTrailing: "{} x", canon.ProblemDepth: strings.Repeat("[", canon.MaxDepth+1), canon.ProblemEmpty: " ",
}

// json veils a JSON body, in the spelling in which the side wrote it.
func (v *Veil) json(a Answer) []byte {
	doc, problems := canon.Parse(a.Body, v.dialect, nil)
	for _, p := range problems {
		if p.Fatal {
			if body, ok := spoilt[p.Kind]; ok {
				return []byte(body)
			}
			return []byte("{")
		}
	}
	w := veiling{Veil: v, out: make([]byte, 0, len(a.Body)), failed: a.Status >= 400}
	for _, p := range problems {
		w.spoilt = w.spoilt || p.Kind == canon.ProblemUTF8 || p.Kind == canon.ProblemSurrogate
	}
	w.value(doc.Root())
	return w.out
}

// veiling is one body under way.
type veiling struct {
	*Veil
	out       []byte
	path      []string // canonical names, "" for elements
	wholeDays bool     // inside an event that lasts whole days
	failed    bool     // the answer is an error
	spoilt    bool     // some string is no proper text
	rule      bool     // inside a recurrence, whose small numbers are its structure
}

func (w *veiling) value(n canon.Node) {
	switch n.Kind() {
	case canon.Array:
		w.array(n)
	case canon.Object:
		w.object(n)
	case canon.String:
		w.text(n)
	case canon.Number:
		w.out = append(w.out, w.numeral(n.Text())...)
	default:
		w.out = append(w.out, n.Raw()...)
	}
}

func (w *veiling) array(n canon.Node) {
	w.out = append(w.out, '[')
	w.path = append(w.path, "")
	first := true
	for child := range n.Children() {
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.value(child)
	}
	w.path = w.path[:len(w.path)-1]
	w.out = append(w.out, ']')
}

func (w *veiling) object(n canon.Node) {
	outer, rule := w.wholeDays, w.rule
	w.wholeDays = outer || wholeDays(n)
	defer func() { w.wholeDays, w.rule = outer, rule }()
	moment, zoned := w.zonedMoment(n)
	w.out = append(w.out, '{')
	first := true
	name := func(raw string) {
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.out = append(appendString(w.out, raw), ':')
	}
	for child := range n.Children() {
		name(w.name(child.RawKey()))
		if zoned && child.Key() == "dateTime" {
			w.out = appendString(w.out, moment)
			continue
		}
		w.path = append(w.path, child.Key())
		inner := w.rule
		w.rule = inner || child.Key() == "recurrence"
		w.value(child)
		w.rule = inner
		w.path = w.path[:len(w.path)-1]
		if child.Key() == "recurrence" && child.Kind() == canon.Object && child.Len() > 0 {
			w.out = w.dates(w.out, child, n)
		}
	}
	w.out = append(w.out, '}')
}

// datesMark is the member of a veiled recurrence that stands for the dates that it means.
const datesMark = "dates@cutover.veiled"

// dates adds to a recurrence, which was just written, the pseudonym of its dates: what they are cannot
// be told from it, whether they are another recurrence's can.
func (w *veiling) dates(out []byte, recurrence, event canon.Node) []byte {
	list, ok := expand(recurrence, event)
	if !ok {
		return out
	}
	var b strings.Builder
	for _, t := range list {
		b.WriteString(strconv.FormatInt(t.Unix(), 36))
		b.WriteByte(' ')
	}
	out = append(out[:len(out)-1], ',') // the closing brace comes back
	out = append(appendString(out, datesMark), ':')
	return append(appendString(out, "#"+w.mark("dates", b.String())), '}')
}

// veiledSeries compares two veiled recurrences by the pseudonyms of their dates, and reports whether it
// could.
func (w *walk) veiledSeries(l, r canon.Node) bool {
	left, lok := l.Get(datesMark)
	right, rok := r.Get(datesMark)
	switch {
	case !lok || !rok:
		return false
	case left.Text() == right.Text():
		w.respelt(l, r)
	default:
		w.observe("recur.inexpressible", aspectValue, "dates "+left.Text(), "dates "+right.Text(), attributedNeither)
	}
	return true
}

// name keeps what a property is called: names belong to the service. One that is no identifier may be
// content, such as an address that serves as a key.
func (w *veiling) name(raw string) string {
	if len(raw) <= 80 && strings.IndexFunc(raw, func(r rune) bool { return !nameRune(r) && r != '@' }) < 0 {
		if at := strings.IndexByte(raw, '@'); at < 0 || strings.Contains(raw[at:], "odata.") || strings.HasPrefix(raw[at:], "@microsoft.") || raw == "@removed" {
			return raw
		}
	}
	return "#" + w.mark("name", raw)
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-' || r == '#'
}

// identifier reports whether a text is a word of the service: a code, a member of an enumeration.
func identifier(s string) bool {
	return s != "" && len(s) <= 80 && strings.IndexFunc(s, func(r rune) bool { return !nameRune(r) }) < 0
}

// text veils one string by what the schema and its place say it is.
func (w *veiling) text(n canon.Node) {
	raw := n.RawText()
	veiled := w.string(n, raw)
	if raw == "" {
		veiled = ""
	}
	w.out = appendString(w.out, veiled)
	if w.spoilt && (!utf8.Valid(n.Raw()) || bytes.Contains(bytes.ToLower(n.Raw()), []byte(`\ud`))) {
		w.out = append(w.out[:len(w.out)-1], "\xff\""...)
	}
}

func (w *veiling) string(n canon.Node, raw string) string {
	if n.Annotation() || strings.HasPrefix(n.Key(), "odata.") {
		return w.annotation(n.Key(), raw)
	}
	if w.failed && len(w.path) >= 2 && w.path[0] == "error" {
		if s, ok := w.problem(w.path[len(w.path)-1], raw); ok {
			return s
		}
	}
	form := canon.FormUnknown
	p := n.Property()
	if p != nil {
		form = p.Form
	}
	switch form {
	case canon.FormID:
		return w.ID(raw)
	case canon.FormEnum:
		if !notMember(p, raw) {
			return raw
		}
	case canon.FormAddress:
		return w.address(raw)
	case canon.FormURL:
		return w.link(raw)
	case canon.FormStamp, canon.FormInstant, canon.FormDate, canon.FormLocalTime, canon.FormTimeOfDay:
		return w.moment(form, raw)
	case canon.FormObject:
		if t, offset, ok := parseInstant(raw); ok && offset && p.Object == "zoned" {
			return likeSpelt(w.calm(t).In(t.Location()), raw) // v1.0 writes a moment where v2.0 has a pair
		}
	case canon.FormZone:
		if resolveZone(raw).canonical != "" {
			return raw
		}
	case canon.FormHTML:
		return w.html(raw)
	case canon.FormText:
		return w.prose(preview(w.plain(raw)), raw)
	case canon.FormBinary:
		return w.binary(raw)
	case canon.FormDuration:
		if d, ok := parseDuration(raw); ok {
			return "PT" + strconv.FormatUint(w.number("duration", d.String(), 1e9), 10) + "S"
		}
	case canon.FormGUID:
		return w.guid(raw)
	}
	return w.other(n.Key(), raw)
}

// other veils a text of no particular form.
func (w *veiling) other(name, raw string) string {
	switch {
	case (name == "displayName" || name == "name") && slices.Contains(commonNames, raw):
		return raw
	case likeInstant(raw):
		return w.moment(canon.FormInstant, raw)
	case numeric.MatchString(raw):
		return w.numeral(raw)
	}
	return w.prose(w.plain(raw), raw)
}

// commonNames are what mailboxes call the folders and calendars that each of them has.
var commonNames = slices.Concat(hiddenFolders, []string{
	"Inbox", "Drafts", "Sent Items", "Deleted Items", "Junk Email", "Junk E-mail", "Archive", "Conversation History", "Calendar", "Contacts",
	"Birthdays", "Tasks", "Notes", "Journal",
})

// annotation veils an @odata.… member, which names roots and versions.
func (w *veiling) annotation(name, raw string) string {
	_, kind, ok := strings.Cut(name, "@")
	if !ok {
		kind = name
	}
	switch kind {
	case "odata.context", "odata.metadata":
		root, fragment, _ := strings.Cut(raw, "#")
		path := "/"
		if u, err := url.Parse(root); err == nil && identifier(strings.NewReplacer("/", "", "$", "").Replace(u.Path)) {
			path = u.Path
		}
		return "https://" + w.host(root) + path + "#" + withoutKeys(fragment)
	case "odata.nextLink", "odata.deltaLink":
		link := "https://" + w.host(raw) + "/veiled"
		if skip := skipOf(raw); strings.HasPrefix(skip, "$skip=") {
			link += "?" + url.PathEscape(skip)
		}
		return link
	case "odata.etag", "odata.mediaEtag":
		inner := strings.Trim(strings.TrimPrefix(raw, "W/"), `"`)
		return strings.Replace(raw, inner, w.ID(inner), 1)
	case "odata.type":
		if identifier(raw) {
			return raw
		}
	case "odata.id", "odata.editLink", "odata.readLink", "odata.navigationLink", "odata.associationLink", "odata.mediaReadLink", "odata.mediaEditLink":
		return veiledLink
	}
	return w.prose(w.plain(raw), raw)
}

// tellingPhrases are the parts of error messages by which the ledger knows a difference.
var tellingPhrases = []string{previewText, segmentText, bodyTypeText, policyText, legacyIDText, immutableText, "maximum request length"}

// problem veils the members of an error: its code is the service's word, its message may name an item.
func (w *veiling) problem(name, raw string) (string, bool) {
	switch name {
	case "code":
		return raw, identifier(raw)
	case "message":
		var told []string
		for _, phrase := range tellingPhrases {
			if strings.Contains(raw, phrase) {
				told = append(told, phrase)
			}
		}
		return strings.Join(append(told, w.prose(w.plain(raw), raw)), " … "), true
	}
	return "", false
}

// appendString writes a JSON string. Bytes that are no UTF-8 do not get here.
func appendString(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
