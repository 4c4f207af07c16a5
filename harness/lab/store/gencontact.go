package store

import (
	"strconv"
	"time"

	"cutover/harness/lab/prose"
)

func (m *Mailbox) generateContacts() *contactSection {
	customers := newKey(ContactFolderSort, 2)
	sec := &contactSection{
		folders: []*ContactFolder{
			{Key: DefaultContacts, Name: "Contacts", Default: true},
			{Key: customers, Parent: DefaultContacts, Name: "Customers"},
			{Key: newKey(ContactFolderSort, 3), Parent: customers, Name: "Früher"},
		},
		gone: map[Key]*graves{}, changes: map[Key]uint64{},
	}
	for i := range m.store.cfg.Contacts {
		c := m.generateContact(i)
		if i%6 == 5 {
			c.Folder = customers
		}
		sec.contacts = append(sec.contacts, c)
	}
	return sec
}

func (m *Mailbox) generateContact(i int) *Contact {
	src := prose.New(mix(m.content, contactStream+uint64(i)))
	p := prose.Nth(mix(m.content, 91), i*11)
	company := src.IntN(8)
	c := &Contact{
		Key: newKey(ContactSort, uint64(i+1)), Change: uint64(i + 1), Folder: DefaultContacts, owner: m,
		GivenName: p.Given, Surname: p.Surname, DisplayName: p.Name(), FileAs: p.Surname + ", " + p.Given,
		Emails:      []Address{{Name: p.Name(), Address: p.Login + "@" + prose.CompanyDomain(company)}},
		CompanyName: prose.Company(company), JobTitle: jobs[src.IntN(len(jobs))],
	}
	c.Created = Epoch.Add(-time.Duration(1+src.IntN(900*24)) * time.Hour)
	c.Modified = c.Created.Add(time.Duration(src.IntN(600)) * time.Second)
	if src.Percent(60) {
		c.MobilePhone = "+49 171 " + strconv.Itoa(1_000_000+src.IntN(8_999_999))
	}
	if src.Percent(50) {
		c.BusinessPhones = []string{"+49 30 " + strconv.Itoa(100_000+src.IntN(899_999))}
	}
	if src.Percent(40) {
		c.Business = Postal{Street: "Hauptstraße " + strconv.Itoa(1+src.IntN(200)), City: cities[src.IntN(len(cities))], Country: "Germany", PostalCode: strconv.Itoa(10_000 + src.IntN(89_999))}
	}
	if src.Percent(30) {
		c.Birthday = time.Date(1950+src.IntN(50), time.Month(1+src.IntN(12)), 1+src.IntN(28), 11, 59, 0, 0, time.UTC)
	}
	if src.Percent(25) {
		c.PersonalNotes = string(src.AppendParagraph(nil, src.Language(), 80))
	}
	if src.Percent(15) {
		c.Emails = append(c.Emails, Address{Name: p.Name(), Address: p.Login + "@home.test"})
	}
	if src.Percent(10) {
		c.Categories = []string{categoryNames[src.IntN(len(categoryNames))]}
	}
	return c
}

var jobs = []string{"Engineer", "Buyer", "Geschäftsführerin", "Accountant", "Менеджер", "Consultant", "Head of Sales", "Архитектор"}

var cities = []string{"Berlin", "München", "Köln", "Leipzig", "Zürich", "Wien"}
