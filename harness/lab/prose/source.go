// Package prose writes seeded text that looks like the mail of an office:
// sentences of several languages and scripts by word frequency, subjects,
// people, companies. Equal seeds write equal text, on every platform.
package prose

// Source is a stream of random numbers (splitmix64) with methods that write
// text. The zero value is a valid source of seed 0. Not safe for concurrent use.
type Source struct{ state uint64 }

// New returns a source.
func New(seed uint64) Source { return Source{state: seed} }

// Uint64 returns the next number.
func (s *Source) Uint64() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// IntN returns a number in [0, n); n must be positive.
func (s *Source) IntN(n int) int { return int(s.Uint64() >> 33 % uint64(n)) }

// Percent is true in p of 100 cases.
func (s *Source) Percent(p int) bool { return s.IntN(100) < p }

// Fraction returns a number in [0, 1).
func (s *Source) Fraction() float64 { return float64(s.Uint64()>>11) / (1 << 53) }

// skewed returns an index below n; low ones are frequent, as words are.
func (s *Source) skewed(n int) int {
	f := s.Fraction()
	return int(f * f * float64(n))
}

// Language is a vocabulary with its manner of making sentences.
type Language uint8

// The languages.
const (
	English Language = iota
	German
	French
	Russian
	Hebrew
	Chinese
	Japanese
	Vietnamese // written with combining marks, not composed
	Greek
	languages
)

// Language draws a language: mostly English.
func (s *Source) Language() Language {
	switch n := s.IntN(100); {
	case n < 58:
		return English
	case n < 70:
		return German
	case n < 77:
		return French
	case n < 84:
		return Russian
	case n < 88:
		return Hebrew
	case n < 92:
		return Chinese
	case n < 96:
		return Japanese
	case n < 98:
		return Vietnamese
	}
	return Greek
}

// AppendSentence writes one sentence of 4 to 14 words.
func (s *Source) AppendSentence(dst []byte, l Language) []byte {
	v := &vocabularies[l]
	n := 4 + s.IntN(11)
	for i := range n {
		if i > 0 {
			dst = append(dst, v.gap...)
		}
		w := v.words[s.skewed(len(v.words))]
		if i == 0 && v.capital {
			dst = appendCapital(dst, w)
		} else {
			dst = append(dst, w...)
		}
		if i > 2 && i < n-2 && s.IntN(9) == 0 {
			dst = append(dst, v.comma...)
		}
	}
	if s.IntN(40) == 0 {
		dst = append(dst, ' ')
		dst = append(dst, emoji[s.IntN(len(emoji))]...)
	}
	return append(dst, v.stop...)
}

// AppendParagraph writes sentences until about size bytes stand in dst after
// its present end.
func (s *Source) AppendParagraph(dst []byte, l Language, size int) []byte {
	start := len(dst)
	for {
		dst = s.AppendSentence(dst, l)
		if len(dst)-start >= size {
			return dst
		}
		dst = append(dst, vocabularies[l].between...)
	}
}

// Subject writes a subject line.
func (s *Source) Subject(l Language) string {
	v := &vocabularies[l]
	var buf [160]byte
	dst := buf[:0]
	if s.IntN(6) == 0 {
		dst = append(dst, topics[s.IntN(len(topics))]...)
		dst = append(dst, ": "...)
	}
	n := 2 + s.IntN(5)
	for i := range n {
		if i > 0 {
			dst = append(dst, v.gap...)
		}
		w := v.words[s.IntN(len(v.words))]
		if i == 0 && v.capital {
			dst = appendCapital(dst, w)
		} else {
			dst = append(dst, w...)
		}
	}
	if s.IntN(25) == 0 {
		dst = append(dst, ' ')
		dst = append(dst, emoji[s.IntN(len(emoji))]...)
	}
	return string(dst)
}

func appendCapital(dst []byte, w string) []byte {
	if w[0] >= 'a' && w[0] <= 'z' {
		dst = append(dst, w[0]-'a'+'A')
		return append(dst, w[1:]...)
	}
	return append(dst, w...)
}
