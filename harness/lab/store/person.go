package store

import (
	"cutover/harness/lab/prose"
)

type person struct{ login, display, given, surname string }

func newPerson(seed uint64, n int) person {
	p := prose.Nth(seed, n)
	return person{login: p.Login, display: p.Name(), given: p.Given, surname: p.Surname}
}

// password derives a user's password. It is a secret of the simulation only.
func password(seed uint64) string {
	const letters = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"
	src := prose.New(mix(seed, 21))
	b := []byte("Lab-")
	for range 14 {
		b = append(b, letters[src.IntN(len(letters))])
	}
	return string(append(b, "-1!"...))
}

// correspondent is person n among those a twin writes with. Their addresses are
// outside both domains, so that they are equal on both sides.
func (m *Mailbox) correspondent(n int) Address {
	p := prose.Nth(mix(m.content, 31), n*7+3)
	c := int(mix(m.content, uint64(n)+500) % 8)
	return Address{Name: p.Name(), Address: p.Login + "@" + prose.CompanyDomain(c)}
}

// headCacheSize bounds how many generated messages stay in memory ready made:
// about 64 MiB.
const headCacheSize = 1 << 16
