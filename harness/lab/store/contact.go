package store

import "time"

// Postal is a postal address; the zero value is none.
type Postal struct{ Street, City, State, Country, PostalCode string }

// Contact is a personal contact. Immutable once published. An empty string
// means no value.
type Contact struct {
	Key      Key
	Change   uint64
	Folder   Key
	Created  time.Time
	Modified time.Time

	Categories                                   []string
	Birthday                                     time.Time
	FileAs, DisplayName                          string
	GivenName, Initials, MiddleName, NickName    string
	Surname, Title                               string
	YomiGivenName, YomiSurname, YomiCompanyName  string
	Generation                                   string
	Emails                                       []Address
	IMAddresses                                  []string
	JobTitle, CompanyName, Department            string
	OfficeLocation, Profession, BusinessHomePage string
	AssistantName, Manager                       string
	HomePhones                                   []string
	MobilePhone                                  string
	BusinessPhones                               []string
	Home, Business, Other                        Postal
	SpouseName, PersonalNotes                    string
	Children                                     []string
	Extended                                     []Property
	Extensions                                   []Extension
	Photo                                        []byte

	owner *Mailbox
}

// Mailbox is the mailbox that holds the contact.
func (c *Contact) Mailbox() *Mailbox { return c.owner }

// ContactFolder is a folder of contacts. The default folder has no parent.
type ContactFolder struct {
	Key     Key
	Parent  Key
	Name    string
	Default bool
}
