package conform

import "strings"

// renaming is the twins' own addresses: what the left side calls ann@a.test the right calls
// ann@b.test. It is read only once made.
type renaming struct {
	right map[string]string // left address, lower case → right address, lower case
	known map[string]bool   // the right addresses
}

func newRenaming(pairs [][2]string) renaming {
	n := renaming{right: map[string]string{}, known: map[string]bool{}}
	for _, p := range pairs {
		l, r := strings.ToLower(strings.TrimSpace(p[0])), strings.ToLower(strings.TrimSpace(p[1]))
		if l != "" && r != "" {
			n.right[l], n.known[r] = r, true
		}
	}
	return n
}

// equal reports whether two texts are the same once left addresses are called what the right side
// calls them.
func (n renaming) equal(l, r string) bool {
	if l == r {
		return true
	}
	if len(n.right) == 0 || strings.IndexByte(l, '@') < 0 {
		return false
	}
	if want, ok := n.right[strings.ToLower(l)]; ok {
		return strings.EqualFold(want, r)
	}
	return n.translate(l) == n.settle(r)
}

// settle spells the right addresses of a text as translate does.
func (n renaming) settle(s string) string {
	var b strings.Builder
	n.scan(s, func(text, address string) {
		b.WriteString(text)
		if lower := strings.ToLower(address); n.known[lower] {
			address = lower
		}
		b.WriteString(address)
	})
	return b.String()
}

// translate replaces each left address in a text by the right one.
func (n renaming) translate(s string) string {
	if len(n.right) == 0 || strings.IndexByte(s, '@') < 0 {
		return s
	}
	var b strings.Builder
	n.scan(s, func(text, address string) {
		b.WriteString(text)
		if right, ok := n.right[strings.ToLower(address)]; ok {
			b.WriteString(right)
		} else {
			b.WriteString(address)
		}
	})
	return b.String()
}

// scan cuts a text at its addresses.
func (n renaming) scan(s string, yield func(text, address string)) {
	done := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '@' {
			continue
		}
		from, to := i, i+1
		for from > done && addressByte(s[from-1]) {
			from--
		}
		for to < len(s) && addressByte(s[to]) {
			to++
		}
		for to > i && s[to-1] == '.' {
			to--
		}
		if from < i && to > i+1 {
			yield(s[done:from], s[from:to])
			done, i = to, to-1
		}
	}
	yield(s[done:], "")
}

func addressByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._%+-", c) >= 0
}
