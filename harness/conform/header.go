package conform

import (
	"mime"
	"slices"
	"strings"
)

// headers compares the headers that clients rely on, each by its meaning.
func (w *walk) headers() {
	l, r := w.pair.Left.Header, w.pair.Right.Header
	if len(l) == 0 || len(r) == 0 {
		return // answers of tests and records carry none
	}
	w.contentType(l.Value("Content-Type"), r.Value("Content-Type"))
	w.preference(l.Value("Preference-Applied"), r.Value("Preference-Applied"))
	if lv, rv := l.Has("Location"), r.Has("Location"); lv != rv {
		w.header("header.missing", "Location", presentOr(lv), presentOr(rv))
	}
	if lv, rv := setOf(l.Value("Allow")), setOf(r.Value("Allow")); lv != rv {
		w.header("header.value", "Allow", lv, rv)
	}
	if lv, rv := diagnostics(w.pair.Left), diagnostics(w.pair.Right); lv != rv {
		w.header("meta.headers", "", lv, rv)
	}
}

func presentOr(present bool) string {
	if present {
		return "present"
	}
	return "absent"
}

// header records a difference of headers: its place is the header's name.
func (w *walk) header(id, name, l, r string) {
	outer := w.at
	w.at = trail{{name: "(header)", index: -1}}
	if name != "" {
		w.enter(step{name, -1})
	}
	w.observe(id, aspectValue, clip(l), clip(r), attributedNeither)
	w.at = outer
}

func (w *walk) contentType(l, r string) {
	if l == r || l == "" && len(w.pair.Left.Body) == 0 || r == "" && len(w.pair.Right.Body) == 0 {
		return
	}
	lm, lp, lerr := mime.ParseMediaType(l)
	rm, rp, rerr := mime.ParseMediaType(r)
	switch {
	case l == "" || r == "":
		w.header("header.missing", "Content-Type", orNone(l), orNone(r))
	case lerr != nil || rerr != nil || lm != rm:
		w.header("header.value", "Content-Type", l, r)
	case parameters(lp) != parameters(rp):
		w.header("header.media-type", "Content-Type", parameters(lp), parameters(rp))
	}
}

func orNone(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

func parameters(m map[string]string) string {
	var list []string
	for name, value := range m {
		list = append(list, name+"="+strings.ToLower(value))
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "no parameters"
	}
	return strings.Join(list, " ")
}

// preference compares what each side says that it honoured.
func (w *walk) preference(l, r string) {
	lv, rv := setOf(l), setOf(r)
	if lv == rv {
		return
	}
	both := strings.ToLower(l + r)
	switch {
	case strings.Contains(both, "immutableid"):
		w.header("id.prefer_ignored", "Preference-Applied", orNone(lv), orNone(rv))
	case strings.Contains(both, "body-content-type"):
		w.header("body.prefer", "Preference-Applied", orNone(lv), orNone(rv))
	case strings.Contains(both, "track-changes"):
		w.header("sync.protocol", "Preference-Applied", orNone(lv), orNone(rv))
	case l == "" || r == "":
		w.header("header.missing", "Preference-Applied", orNone(lv), orNone(rv))
	default:
		w.header("header.value", "Preference-Applied", lv, rv)
	}
}

// setOf is a comma list as a set: sorted, in lower case.
func setOf(s string) string {
	var list []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// Diagnostic headers that only one kind of server sends.
var diagnosticHeaders = []string{"X-FEServer", "X-BEServer", "X-CalculatedBETarget", "x-ms-diagnostics", "x-ms-ags-diagnostic", "Rate-Limit-Limit"}

func diagnostics(a Answer) string {
	var list []string
	for _, name := range diagnosticHeaders {
		if a.Header.Has(name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}
