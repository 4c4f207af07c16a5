package vars

import (
	"strconv"
	"strings"
	"time"
)

// Random is a Scope of made-up data and of dates. A value depends on the seed, the anchor
// and the name alone: the two legs of an iteration, given one seed, say the same thing, and
// {{random.word}} written twice in an iteration is one word. For further values of a sort
// append a number: {{random.word#2}}. The zero Random has seed 0 and counts dates from the
// year 1. It is not safe for concurrent use.
type Random struct {
	seed   uint64
	anchor time.Time
	// stream is that of the value being made; kept here, it need not be allocated for each.
	stream stream
}

// NewRandom returns a Random. Dates such as today and monday are counted from anchor.
func NewRandom(seed uint64, anchor time.Time) *Random {
	return &Random{seed: seed, anchor: anchor}
}

// Reset gives r another seed, so that one Random serves many iterations.
func (r *Random) Reset(seed uint64) { r.seed = seed }

// Lookup makes the value of a name.
func (r *Random) Lookup(name string) (string, bool) {
	out, ok := r.AppendValue(nil, name)
	return string(out), ok
}

// AppendValue appends the value of a name to dst and allocates nothing else.
func (r *Random) AppendValue(dst []byte, name string) ([]byte, bool) {
	if sort, found := strings.CutPrefix(name, "random."); found {
		m := findMaker(name)
		if m == nil {
			return dst, false
		}
		_, size := m.fits(sort)
		r.stream.state = r.seed ^ hash(name)
		return m.make(dst, &r.stream, size), true
	}
	d, ok := parseDate(name)
	if !ok {
		return dst, false
	}
	return d.at(r.anchor).AppendFormat(dst, d.form), true
}

// Literal reports that whole numbers and truths are JSON literals.
func (r *Random) Literal(name string) bool {
	m := findMaker(name)
	return m != nil && m.literal
}

// maker makes one sort of data. size is the number behind the sort's name
// (random.words.5), or the maker's usual one.
type maker struct {
	name    string
	usual   int
	most    int
	literal bool
	make    func(dst []byte, s *stream, size int) []byte
}

// makers are the sorts of random data; those with a most take a size.
var makers = []maker{
	{name: "word", make: func(dst []byte, s *stream, _ int) []byte { return append(dst, s.pick(nouns)...) }},
	{name: "words", usual: 4, most: 100, make: appendWords},
	{name: "subject", make: appendSubject},
	{name: "sentence", make: func(dst []byte, s *stream, _ int) []byte { return appendSentence(dst, s) }},
	{name: "text", usual: 400, most: 1 << 20, make: appendText},
	{name: "given", make: func(dst []byte, s *stream, _ int) []byte { return append(dst, s.pick(givenNames)...) }},
	{name: "surname", make: func(dst []byte, s *stream, _ int) []byte { return append(dst, s.pick(surnames)...) }},
	{name: "name", make: appendName},
	{name: "company", make: appendCompany},
	{name: "phone", make: appendPhone},
	{name: "int", usual: 1_000_000, most: 1_000_000_000, literal: true, make: appendInt},
	{name: "bool", literal: true, make: func(dst []byte, s *stream, _ int) []byte { return strconv.AppendBool(dst, s.below(2) == 1) }},
	{name: "hex", usual: 16, most: 2 << 20, make: appendHex},
	{name: "guid", make: appendGUID},
}

// findMaker returns the maker of "random.SORT[.SIZE][#COUNT]", nil when there is none.
func findMaker(name string) *maker {
	sort, found := strings.CutPrefix(name, "random.")
	if !found {
		return nil
	}
	for i := range makers {
		if ok, _ := makers[i].fits(sort); ok {
			return &makers[i]
		}
	}
	return nil
}

// fits reports whether a sort is this maker's, and the size that it asks for.
func (m *maker) fits(sort string) (ok bool, size int) {
	sort, count, counted := strings.Cut(sort, "#")
	if counted && (len(count) > 9 || !digits(count)) {
		return false, 0
	}
	if sort == m.name {
		return true, m.usual
	}
	number, found := strings.CutPrefix(sort, m.name+".")
	if !found || m.most == 0 || len(number) > 10 || !digits(number) {
		return false, 0
	}
	size, _ = strconv.Atoi(number)
	return size >= 1 && size <= m.most, size
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// hash is FNV-1a; it only has to tell names apart.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// stream is SplitMix64: small, fast, and good enough for text.
type stream struct{ state uint64 }

func (s *stream) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func (s *stream) below(n int) int { return int(s.next() % uint64(n)) }

func (s *stream) pick(list []string) string { return list[s.below(len(list))] }
