package prose

import "strconv"

// Person is somebody with a name and the local part of an address.
type Person struct{ Given, Surname, Login string }

// Name is the display name.
func (p Person) Name() string { return p.Given + " " + p.Surname }

type name struct{ shown, plain string }

var givens = [...]name{
	{"Ann", "ann"}, {"Ben", "ben"}, {"Carla", "carla"}, {"David", "david"}, {"Elif", "elif"}, {"Farid", "farid"},
	{"Grace", "grace"}, {"Hiro", "hiro"}, {"Inés", "ines"}, {"Jonas", "jonas"}, {"Kira", "kira"}, {"Liam", "liam"},
	{"Mei", "mei"}, {"Noa", "noa"}, {"Oskar", "oskar"}, {"Priya", "priya"}, {"Quinn", "quinn"}, {"René", "rene"},
	{"Sofia", "sofia"}, {"Tomás", "tomas"}, {"Uma", "uma"}, {"Vera", "vera"}, {"Wei", "wei"}, {"Ximena", "ximena"},
	{"Yusuf", "yusuf"}, {"Zoë", "zoe"}, {"Анна", "anna"}, {"Иван", "ivan"}, {"דנה", "dana"}, {"健", "ken"},
	{"Łukasz", "lukasz"}, {"Freya", "freya"},
}

var surnames = [...]name{
	{"Adams", "adams"}, {"Becker", "becker"}, {"Costa", "costa"}, {"Dvořák", "dvorak"}, {"Eriksen", "eriksen"},
	{"Fischer", "fischer"}, {"García", "garcia"}, {"Haddad", "haddad"}, {"Ivanova", "ivanova"}, {"Jensen", "jensen"},
	{"Kowalski", "kowalski"}, {"López", "lopez"}, {"Müller", "mueller"}, {"Nguyễn", "nguyen"}, {"O'Brien", "obrien"},
	{"Papadopoulos", "papadopoulos"}, {"Quist", "quist"}, {"Rossi", "rossi"}, {"Schäfer", "schaefer"}, {"Tanaka", "tanaka"},
	{"Ueda", "ueda"}, {"Van Dijk", "vandijk"}, {"Weiß", "weiss"}, {"Xu", "xu"}, {"Yılmaz", "yilmaz"}, {"Zhang", "zhang"},
	{"Петрова", "petrova"}, {"כהן", "cohen"}, {"田中", "tanaka-k"}, {"Ångström", "angstrom"}, {"Smith-Jones", "smithjones"},
}

// Nth is person number n of a population: all logins differ. Neighbours share
// no name.
func Nth(seed uint64, n int) Person {
	const all = len(givens) * len(surnames) // 32 × 31: coprime, so the pairs below run through all
	i := (n + int(seed%uint64(all))) % all
	g, s := givens[i%len(givens)], surnames[i%len(surnames)]
	p := Person{Given: g.shown, Surname: s.shown, Login: g.plain + "." + s.plain}
	if round := n / all; round > 0 {
		p.Login += strconv.Itoa(round + 1)
	}
	return p
}

var companies = [...]string{"Fabrikam", "Northwind", "Adatum", "Wingtip", "Tailspin", "Litware", "Proseware", "Woodgrove"}

// Company is company number n.
func Company(n int) string { return companies[n%len(companies)] }

// CompanyDomain is the mail domain of company number n, under the reserved
// top-level domain test.
func CompanyDomain(n int) string { return domains[n%len(domains)] }

var domains = [...]string{"fabrikam.test", "northwind.test", "adatum.test", "wingtip.test", "tailspin.test", "litware.test", "proseware.test", "woodgrove.test"}
