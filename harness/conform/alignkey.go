package conform

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cutover/harness/canon"
)

// key is one way to tell elements of a list apart.
type key struct {
	paths  []keyPath
	tagged bool // only of items that carry the run's tag
}

// namesOf are the paths whose values together name an item of a type, wherever both sides have them.
// Items that the run made itself carry its tag; the servers gave each of them ids of their own.
var namesOf = map[string][]string{
	"message": {"internetMessageId"},
	"event":   {"iCalUId start"},
}

// taggedOf are the paths that tell the items of one tag apart.
var taggedOf = map[string]string{"message": "subject", "event": "subject start", "contact": "displayName"}

// keysOf are candidate keys by type: paths whose values together name an element. The last ones are
// weaker and only see what the first ones left.
var keysOf = map[string][]string{
	"message":             {"subject sentDateTime from.emailAddress.address", "subject receivedDateTime", "subject", "receivedDateTime"},
	"event":               {"subject start end", "subject start", "subject", "start"},
	"contact":             {"fileAs emailAddresses[0].address", "displayName", "fileAs", "emailAddresses[0].address", "surname givenName"},
	"mailFolder":          {"displayName"},
	"contactFolder":       {"displayName"},
	"calendar":            {"name"},
	"calendarGroup":       {"name"},
	"attachment":          {"name size contentType", "name contentType", "name"},
	"recipient":           {"emailAddress.address", "emailAddress.name"},
	"attendee":            {"emailAddress.address", "emailAddress.name"},
	"emailAddress":        {"address", "name"},
	"location":            {"displayName"},
	"extendedProperty":    {"propertyId", "id"},
	"outlookCategory":     {"displayName"},
	"messageRule":         {"displayName"},
	"scheduleItem":        {"start end"},
	"":                    {"id", "key", "name", "displayName", "subject"},
	"scheduleInformation": {"scheduleId"},
}

// keyPath is a path to one part of a key: members by name, elements by number.
type keyPath []keyStep

type keyStep struct {
	name  string
	index int
}

func (p keyPath) of(n canon.Node) (canon.Node, bool) {
	ok := true
	for i := range p {
		if p[i].name != "" {
			n, ok = n.Get(p[i].name)
		} else {
			n, ok = n.At(p[i].index)
		}
		if !ok {
			return canon.Node{}, false
		}
	}
	return n, true
}

// keyPaths splits "subject from.emailAddress.address" into its paths.
func keyPaths(text string) []keyPath {
	var paths []keyPath
	for field := range strings.FieldsSeq(text) {
		var path keyPath
		for part := range strings.SplitSeq(field, ".") {
			name, index, indexed := strings.Cut(strings.TrimSuffix(part, "]"), "[")
			path = append(path, keyStep{name: name})
			if indexed {
				number, _ := strconv.Atoi(index) // they are ours
				path = append(path, keyStep{index: number})
			}
		}
		paths = append(paths, path)
	}
	return paths
}

// typeKeys are the keys of one type, best first.
type typeKeys struct {
	names  []key // they name an item whatever its content is: asked before equal content is paired
	others []key // only for what equal content left
}

// keyTable is keysOf, namesOf and taggedOf, read once.
var keyTable = sync.OnceValue(func() map[string]typeKeys {
	table := map[string]typeKeys{}
	for typ, list := range keysOf {
		var k typeKeys
		if text := taggedOf[typ]; text != "" {
			k.names = append(k.names, key{keyPaths(text), true})
		}
		for _, text := range namesOf[typ] {
			k.names = append(k.names, key{keyPaths(text), false})
		}
		for _, text := range list {
			k.others = append(k.others, key{keyPaths(text), false})
		}
		table[typ] = k
	}
	return table
})

// keys are the keys of the elements of two lists.
func (w *walk) keys(ls, rs []canon.Node) typeKeys {
	if len(ls) == 0 || len(rs) == 0 || ls[0].Kind() != canon.Object {
		return typeKeys{}
	}
	k, known := keyTable()[w.typeOf(ls[0])]
	if !known {
		k = keyTable()[""]
	}
	return k
}

// worthTrying reports whether items on both sides may have such a key at all.
func (w *walk) worthTrying(k *key, l, r canon.Node) bool {
	if k.tagged {
		return w.c.opts.Tag != ""
	}
	property := k.paths[0][0].name
	return l.Doc().Knows(property) && r.Doc().Knows(property)
}

// typeOf is the type of a list's elements, "" when it is not known.
func (w *walk) typeOf(n canon.Node) string {
	if p := n.Property(); p != nil {
		return p.Object
	}
	if len(w.at) == 1 && w.at[0].name == "value" {
		return w.entity.typ
	}
	return ""
}

// carriesTag reports whether an item is one that the run made.
func (w *walk) carriesTag(n canon.Node) bool {
	categories, ok := n.Get("categories")
	if !ok {
		return false
	}
	for c := range categories.Children() {
		if c.Kind() == canon.String && string(c.Raw()) == w.c.opts.Tag {
			return true
		}
	}
	return false
}

// keyed digests the key of an element. A path that is missing makes the element keyless.
func (w *walk) keyed(k *key, n canon.Node, left bool) (name canon.Hash, ok bool) {
	if k.tagged && !w.carriesTag(n) {
		return name, false
	}
	empty := true
	for _, path := range k.paths {
		child, found := path.of(n)
		if !found || child.Kind() == canon.Null {
			return name, false
		}
		part, blank := w.keyPart(child, left)
		empty = empty && blank
		name = canon.Hash{Hi: (name.Hi^part.Hi)*0x9e3779b97f4a7c15 + part.Lo, Lo: (name.Lo^part.Lo)*0xd6e8feb86659fd93 + part.Hi}
	}
	return name, !empty
}

// keyPart digests one part of a key: moments as instants, addresses as the right side calls them.
func (w *walk) keyPart(n canon.Node, left bool) (part canon.Hash, blank bool) {
	if n.Kind() == canon.Object {
		if t, _, ok := composeZoned(n); ok {
			return momentPart(t), false
		}
		return canon.Hash{}, true
	}
	form := canon.FormUnknown
	if p := n.Property(); p != nil {
		form = p.Form
	}
	if form == canon.FormInstant {
		if t, _, ok := parseInstant(n.Text()); ok {
			return momentPart(t.Truncate(time.Second)), false
		}
	}
	if n.Kind() == canon.String && (form == canon.FormID || len(n.Raw()) <= cutAt && w.plainKey(n, form == canon.FormAddress)) {
		return n.TextHash(), n.Empty()
	}
	s := foldText(n.Text())
	if left {
		s = w.c.names.translate(s)
	} else {
		s = w.c.names.settle(s)
	}
	if form == canon.FormAddress {
		s = strings.ToLower(s)
	}
	if len(s) > cutAt {
		s = firstOf(s)
	}
	return canon.HashText(s), s == ""
}

// cutAt is where lists of EWS cut long texts, in characters (FindItem operation). What comes behind it names no
// item: a list that cuts a subject still shows the item.
const cutAt = 255

// firstOf is a text up to where lists cut.
func firstOf(s string) string {
	n := 0
	for i := range s {
		if n++; n > cutAt {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}

// momentPart digests an instant.
func momentPart(t time.Time) canon.Hash {
	return canon.Hash{Hi: uint64(t.Unix()), Lo: uint64(t.Nanosecond()) ^ 0xbf58476d1ce4e5b9}
}

// plainKey reports whether a text is its own key: there is nothing in it that is spelt in several ways.
func (w *walk) plainKey(n canon.Node, lower bool) bool {
	raw, twins := n.Raw(), len(w.c.names.right) > 0
	if len(raw) > 0 && (raw[0] == ' ' || raw[len(raw)-1] == ' ') {
		return false
	}
	for _, c := range raw {
		if c >= 0x80 || c == '\\' || twins && c == '@' || lower && c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return !n.Folded()
}

// crossed reports whether an element of the left list goes by the name of another one of the right list
// than stands at its place: two lists of equal content may be shuffled under their names.
func (w *walk) crossed(l, r canon.Node) bool {
	first := l.First()
	if first.Kind() != canon.Object || l.Len() < 2 {
		return false
	}
	names := keyTable()[w.typeOf(first)].names
	if len(names) == 0 || names[len(names)-1].tagged {
		return false
	}
	property := names[len(names)-1].paths[0][0].name
	var others [2][alignedWindow]canon.Hash
	n := 0
	for lc, rc := first, r.First(); lc.Exists(); lc, rc = lc.Next(l), rc.Next(r) {
		ln, lok := lc.Get(property)
		rn, rok := rc.Get(property)
		if !lok || !rok {
			continue
		}
		if lh, rh := ln.TextHash(), rn.TextHash(); lh != rh {
			others[0][n], others[1][n] = lh, rh
			n++
		}
	}
	for _, name := range others[0][:n] {
		if slices.Contains(others[1][:n], name) {
			return true
		}
	}
	return false
}
