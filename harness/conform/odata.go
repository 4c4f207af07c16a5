package conform

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"cutover/harness/canon"
)

// annotation compares @odata.… members. Links and contexts name each side's own root, so that their
// values are compared by what they say about the answer.
func (w *walk) annotation(name string, l, r canon.Node) {
	_, kind, ok := strings.Cut(name, "@")
	if !ok {
		kind = name
	}
	switch kind {
	case "odata.context", "odata.metadata":
		w.context(l, r)
	case "odata.id", "odata.editLink", "odata.readLink", "odata.navigationLink", "odata.associationLink", "odata.mediaReadLink", "odata.mediaEditLink":
		if l.Exists() != r.Exists() {
			w.once("odata.context", presentOr(l.Exists())+" "+name, presentOr(r.Exists())+" "+name)
		}
	case "odata.nextLink", "odata.deltaLink":
		// judged by paging
	case "odata.etag":
		if l.Exists() && r.Exists() {
			return // judged by the side's own promises
		}
		w.oneSided(l, r)
	case "odata.type":
		w.typeName(l, r)
	case "odata.count":
		if l.Exists() && r.Exists() {
			w.node(l, r)
			return
		}
		w.oneSided(l, r)
	case "odata.mediaContentType", "odata.mediaEtag":
	default:
		if l.Exists() && r.Exists() && l.Kind() == r.Kind() && l.Hash() != r.Hash() {
			w.nodes("value.string", aspectValue, l, r, attributedNeither)
			w.noted().severity = lowest
		}
	}
}

const lowest = "info"

// oneSided reports an annotation that one side does not send.
func (w *walk) oneSided(l, r canon.Node) {
	if l.Exists() {
		w.nodes("field.missing", aspectPresence, l, r, attributedNeither)
	} else {
		w.nodes("field.extra", aspectPresence, l, r, attributedNeither)
	}
	w.noted().severity = "minor"
}

// once records a representation difference at most once a place.
func (w *walk) once(id, l, r string) {
	pointer := w.at[:len(w.at)-1].pattern()
	for _, o := range w.seen {
		if o.rule.id == id && o.pointer == pointer {
			return
		}
	}
	outer := w.at
	w.at = w.at[:len(w.at)-1]
	w.note(id, aspectValue, l, r)
	w.at = outer
}

// context compares the fragments of two contexts: which set, and which properties were selected.
func (w *walk) context(l, r canon.Node) {
	if !l.Exists() || !r.Exists() {
		if l.Exists() != r.Exists() {
			w.once("odata.context", presentOr(l.Exists()), presentOr(r.Exists()))
		}
		return
	}
	if bytes.Equal(l.Raw(), r.Raw()) {
		return
	}
	lset, rset := contextSet(l.Text()), contextSet(r.Text())
	if contextText(l.Text()) != contextText(r.Text()) {
		w.once("odata.context", contextText(l.Text()), contextText(r.Text()))
	}
	if !strings.EqualFold(lset, rset) {
		w.observe("odata.context", aspectValue, lset, rset, attributedNeither)
	}
}

// contextText is a context without its host and without keys: "…/v1.0/$metadata#users(…)/messages".
func contextText(s string) string {
	root, fragment, _ := strings.Cut(s, "#")
	if u, err := url.Parse(root); err == nil && u.Host != "" {
		root = u.Path
	}
	return "…" + root + "#" + withoutKeys(fragment)
}

// withoutKeys empties the parentheses that hold keys and keeps those that hold names.
func withoutKeys(fragment string) string {
	var b strings.Builder
	for fragment != "" {
		open := strings.IndexByte(fragment, '(')
		if open < 0 {
			b.WriteString(fragment)
			break
		}
		end := strings.IndexByte(fragment[open:], ')')
		if end < 0 {
			b.WriteString(fragment)
			break
		}
		inside := fragment[open+1 : open+end]
		b.WriteString(fragment[:open+1])
		if strings.ContainsAny(inside, "'%@=") {
			b.WriteString("…")
		} else {
			b.WriteString(inside)
		}
		b.WriteByte(')')
		fragment = fragment[open+end+1:]
	}
	return b.String()
}

// contextSet is the last entity set of a context: "messages", "$entity" of it excluded.
func contextSet(s string) string {
	_, fragment, _ := strings.Cut(s, "#")
	fragment = strings.TrimSuffix(fragment, "/$entity")
	fragment = fragment[strings.LastIndexByte(fragment, '/')+1:]
	fragment, _, _ = strings.Cut(fragment, "(")
	if dot := strings.LastIndexByte(fragment, '.'); dot >= 0 {
		fragment = fragment[dot+1:]
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(fragment, "s"), "Folder") + suffixFolder(fragment))
}

func suffixFolder(fragment string) string {
	if strings.Contains(strings.ToLower(fragment), "folder") {
		return "folder"
	}
	return ""
}

// baseType reports whether a type of the vocabulary is derived from another.
func baseType(base, derived string) bool {
	const namespace = "microsoft.graph."
	switch strings.TrimPrefix(base, namespace) {
	case "eventMessage":
		return derived == namespace+"eventMessageRequest" || derived == namespace+"eventMessageResponse"
	case "mailFolder":
		return derived == namespace+"mailSearchFolder"
	}
	return false
}

func (w *walk) typeName(l, r canon.Node) {
	switch {
	case l.Exists() && r.Exists():
		lt, rt := strings.TrimPrefix(l.Text(), "#"), strings.TrimPrefix(r.Text(), "#")
		switch {
		case strings.EqualFold(lt, rt):
		case baseType(lt, rt) || baseType(rt, lt):
			w.note("type.subtype", aspectValue, l.RawText(), r.RawText())
		default:
			w.nodes("value.enum", aspectValue, l, r, attributedNeither)
		}
	case l.Exists() != r.Exists():
		w.once("odata.context", presentOr(l.Exists())+" @odata.type", presentOr(r.Exists())+" @odata.type")
	}
}

// urls compares links inside content: which page of which product they lead to differs by side, that
// they are links does not.
func (w *walk) urls(l, r canon.Node) {
	if bytes.HasPrefix(l.Raw(), []byte("https://")) && bytes.HasPrefix(r.Raw(), []byte("https://")) {
		return
	}
	lu, lerr := url.Parse(l.Text())
	ru, rerr := url.Parse(r.Text())
	if lerr == nil && rerr == nil && (lu.Host == "") == (ru.Host == "") {
		return
	}
	w.nodes("value.string", aspectValue, l, r, blame(lerr != nil, rerr != nil))
}

// paging compares how two pages end.
func (w *walk) paging(l, r canon.Node) {
	lv, lok := l.Get("value")
	rv, rok := r.Get("value")
	if !lok || !rok || lv.Kind() != canon.Array || rv.Kind() != canon.Array {
		return
	}
	ll, lmore := next(l)
	rl, rmore := next(r)
	w.enter(step{"@odata.nextLink", -1})
	defer w.leave()
	if lmore != rmore && !w.capped && lv.Len() == rv.Len() {
		w.observe("page.missing_link", aspectPresence, presentOr(lmore), presentOr(rmore), blame(!lmore, !rmore))
		return
	}
	if lmore && rmore && lv.Len() == rv.Len() {
		if ls, rs := skipOf(ll), skipOf(rl); ls != rs {
			w.note("page.skip", aspectValue, ls, rs)
		}
	}
	w.escaped(l, ll, r, rl)
}

// escaped finds links that leave the root of the side that wrote them: the context names that root.
func (w *walk) escaped(l canon.Node, ll string, r canon.Node, rl string) {
	lo, ro := leaves(l, ll), leaves(r, rl)
	if lo != "" || ro != "" {
		w.observe("link.root-escape", aspectValue, orOwn(lo), orOwn(ro), blame(lo != "", ro != ""))
	}
}

func orOwn(host string) string {
	if host == "" {
		return "own root"
	}
	return "another host"
}

// leaves names the host of a link when it is not the host of the answer's context.
func leaves(root canon.Node, link string) string {
	context, ok := root.Get("@odata.context")
	if !ok || link == "" {
		return ""
	}
	c, err1 := url.Parse(context.Text())
	u, err2 := url.Parse(link)
	if err1 != nil || err2 != nil || c.Host == "" || u.Host == "" || strings.EqualFold(c.Host, u.Host) {
		return ""
	}
	return u.Host
}

func next(root canon.Node) (link string, ok bool) {
	for _, name := range []string{"@odata.nextLink", "odata.nextLink"} {
		if n, found := root.Get(name); found && n.Kind() == canon.String {
			return n.Text(), true
		}
	}
	return "", false
}

// skipOf is the $skip of a page link.
func skipOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	for name, values := range u.Query() {
		if strings.EqualFold(name, "$skip") {
			return "$skip=" + values[0]
		}
	}
	return "no $skip"
}

// pageCap cuts the longer of two lists when the shorter one is a full page of a side with a smaller
// largest page.
func (w *walk) pageCap(ls, rs []canon.Node) (l, r []canon.Node) {
	if len(w.at) != 1 || w.at[0].name != "value" || len(ls) == len(rs) {
		return ls, rs
	}
	n := min(len(ls), len(rs))
	if len(ls) < len(rs) && n != w.c.left.PageCap || len(ls) > len(rs) && n != w.c.right.PageCap {
		return ls, rs
	}
	w.capped = true
	w.note("page.cap", aspectPresence, fmt.Sprintf("%d items", len(ls)), fmt.Sprintf("%d items", len(rs)))
	return ls[:n], rs[:n]
}

// spellings tallies what the dialects folded: names in another case, renamed properties, enums, types.
func (w *walk) spellings(docs *docPair) {
	l, r := docs.left, docs.right
	w.spelling1("case.property", l.Folded, r.Folded, docs, canon.Node.KeyFolded, canon.Node.RawKey, canon.Node.Key)
	w.spelling1("name.renamed", l.Renamed, r.Renamed, docs, canon.Node.KeyRenamed, canon.Node.RawKey, canon.Node.Key)
	w.spelling1("case.enum", l.FoldedEnums, r.FoldedEnums, docs, canon.Node.Folded, canon.Node.RawText, canon.Node.Text)
	if (l.FoldedTypes > 0) != (r.FoldedTypes > 0) {
		w.tally("type.namespace", namespace(l), namespace(r))
	}
}

// spelling1 reports one sort of folding that was needed on one side only.
func (w *walk) spelling1(id string, left, right int, docs *docPair, folded func(canon.Node) bool, raw, canonical func(canon.Node) string) {
	switch {
	case left > 0 && right == 0:
		own, other := spelled(docs.left, folded, raw, canonical)
		w.tally(id, own, other)
	case right > 0 && left == 0:
		own, other := spelled(docs.right, folded, raw, canonical)
		w.tally(id, other, own)
	}
}

func namespace(d *canon.Doc) string {
	if d.FoldedTypes > 0 {
		return "#Microsoft.OutlookServices"
	}
	return "#microsoft.graph"
}

// spelled finds the first spelling in the alphabet that was folded, so that an example is stable.
func spelled(d *canon.Doc, folded func(canon.Node) bool, raw, canonical func(canon.Node) string) (own, other string) {
	d.Each(func(n canon.Node) {
		if !folded(n) || strings.HasPrefix(canonical(n), "#") {
			return
		}
		if s := raw(n); own == "" || s < own {
			own, other = s, canonical(n)
		}
	})
	return own, other
}

// tally records a representation difference of the whole answer.
func (w *walk) tally(id, l, r string) {
	outer := w.at
	w.at = nil
	if w.entity.collection {
		w.at = trail{{"value", -1}, {"", 0}}
	}
	w.note(id, aspectValue, l, r)
	w.at = outer
}
