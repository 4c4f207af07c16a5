package onprem

import "cutover/harness/lab/store"

// contactText is a row of the contact table for a plain text, null when empty.
func contactText(name string, place func(*store.Contact) *string) property[store.Contact] {
	return property[store.Contact]{name: name, edm: "Edm.String",
		write: func(c *render, x *store.Contact) { c.opt(*place(x)) },
		set:   into(aText, place), value: func(x *store.Contact) any { return *place(x) }}
}

func contactTexts(name string, place func(*store.Contact) *[]string) property[store.Contact] {
	return property[store.Contact]{name: name, edm: "Collection(Edm.String)",
		write: func(c *render, x *store.Contact) { c.texts(*place(x)) }, set: into(someTexts, place)}
}

func contactPostal(name string, place func(*store.Contact) *store.Postal) property[store.Contact] {
	return property[store.Contact]{name: name, edm: "Microsoft.OutlookServices.PhysicalAddress",
		write: func(c *render, x *store.Contact) { c.postal(*place(x)) }, set: into(aPostal, place)}
}

func (c *render) postal(p store.Postal) {
	c.open()
	for _, f := range [...]struct{ name, value string }{
		{"Street", p.Street}, {"City", p.City}, {"State", p.State}, {"CountryOrRegion", p.Country}, {"PostalCode", p.PostalCode},
	} {
		if f.value != "" {
			c.name(f.name)
			c.str(f.value)
		}
	}
	c.close('}')
}

func aPostal(raw []byte) (store.Postal, error) {
	var p store.Postal
	err := fields(raw, "PhysicalAddress", map[string]func([]byte) error{
		"Street": to(aText, &p.Street), "City": to(aText, &p.City), "State": to(aText, &p.State),
		"CountryOrRegion": to(aText, &p.Country), "PostalCode": to(aText, &p.PostalCode),
	})
	return p, err
}

// contactTable is Contact. MobilePhone1 is the one name that Graph changed
// beyond its first letter.
var contactTable = []property[store.Contact]{
	{name: "Id", edm: "Edm.String", write: func(c *render, x *store.Contact) { c.id(x.Ref()) }},
	{name: "CreatedDateTime", old: "DateTimeCreated", edm: "Edm.DateTimeOffset",
		write: func(c *render, x *store.Contact) { c.time(x.Created) }, value: func(x *store.Contact) any { return x.Created }},
	{name: "LastModifiedDateTime", old: "DateTimeLastModified", edm: "Edm.DateTimeOffset",
		write: func(c *render, x *store.Contact) { c.time(x.Modified) }, value: func(x *store.Contact) any { return x.Modified }},
	{name: "ChangeKey", edm: "Edm.String", write: func(c *render, x *store.Contact) { c.changeKey(x.Change) }},
	contactTexts("Categories", func(x *store.Contact) *[]string { return &x.Categories }),
	{name: "ParentFolderId", edm: "Edm.String", write: func(c *render, x *store.Contact) { c.folderID(x.Folder) }},
	{name: "Birthday", edm: "Edm.DateTimeOffset", write: func(c *render, x *store.Contact) {
		if x.Birthday.IsZero() {
			c.raw("null")
			return
		}
		c.time(x.Birthday)
	}, set: func(raw []byte) (func(*store.Contact), error) {
		t, err := aTime(raw)
		return func(x *store.Contact) { x.Birthday = t }, err
	}},
	contactText("FileAs", func(x *store.Contact) *string { return &x.FileAs }),
	contactText("DisplayName", func(x *store.Contact) *string { return &x.DisplayName }),
	contactText("GivenName", func(x *store.Contact) *string { return &x.GivenName }),
	contactText("Initials", func(x *store.Contact) *string { return &x.Initials }),
	contactText("MiddleName", func(x *store.Contact) *string { return &x.MiddleName }),
	contactText("NickName", func(x *store.Contact) *string { return &x.NickName }),
	contactText("Surname", func(x *store.Contact) *string { return &x.Surname }),
	contactText("Title", func(x *store.Contact) *string { return &x.Title }),
	contactText("YomiGivenName", func(x *store.Contact) *string { return &x.YomiGivenName }),
	contactText("YomiSurname", func(x *store.Contact) *string { return &x.YomiSurname }),
	contactText("YomiCompanyName", func(x *store.Contact) *string { return &x.YomiCompanyName }),
	contactText("Generation", func(x *store.Contact) *string { return &x.Generation }),
	{name: "EmailAddresses", edm: "Collection(Microsoft.OutlookServices.EmailAddress)", write: func(c *render, x *store.Contact) {
		c.b = append(c.b, '[')
		for _, a := range x.Emails {
			c.plainAddress(a)
		}
		c.close(']')
	}, set: into(someAddresses, func(x *store.Contact) *[]store.Address { return &x.Emails })},
	contactTexts("ImAddresses", func(x *store.Contact) *[]string { return &x.IMAddresses }),
	contactText("JobTitle", func(x *store.Contact) *string { return &x.JobTitle }),
	contactText("CompanyName", func(x *store.Contact) *string { return &x.CompanyName }),
	contactText("Department", func(x *store.Contact) *string { return &x.Department }),
	contactText("OfficeLocation", func(x *store.Contact) *string { return &x.OfficeLocation }),
	contactText("Profession", func(x *store.Contact) *string { return &x.Profession }),
	contactText("BusinessHomePage", func(x *store.Contact) *string { return &x.BusinessHomePage }),
	contactText("AssistantName", func(x *store.Contact) *string { return &x.AssistantName }),
	contactText("Manager", func(x *store.Contact) *string { return &x.Manager }),
	contactTexts("HomePhones", func(x *store.Contact) *[]string { return &x.HomePhones }),
	contactText("MobilePhone1", func(x *store.Contact) *string { return &x.MobilePhone }),
	contactTexts("BusinessPhones", func(x *store.Contact) *[]string { return &x.BusinessPhones }),
	contactPostal("HomeAddress", func(x *store.Contact) *store.Postal { return &x.Home }),
	contactPostal("BusinessAddress", func(x *store.Contact) *store.Postal { return &x.Business }),
	contactPostal("OtherAddress", func(x *store.Contact) *store.Postal { return &x.Other }),
	contactText("SpouseName", func(x *store.Contact) *string { return &x.SpouseName }),
	{name: "PersonalNotes", edm: "Edm.String", write: func(c *render, x *store.Contact) { c.str(x.PersonalNotes) },
		set: into(aText, func(x *store.Contact) *string { return &x.PersonalNotes })},
	contactTexts("Children", func(x *store.Contact) *[]string { return &x.Children }),
}

// contactFolderTable is ContactFolder.
var contactFolderTable = []property[store.ContactFolder]{
	{name: "Id", edm: "Edm.String", write: func(c *render, f *store.ContactFolder) { c.folderID(f.Key) }},
	{name: "ParentFolderId", edm: "Edm.String", write: func(c *render, f *store.ContactFolder) { c.folderID(f.Parent) }},
	{name: "DisplayName", edm: "Edm.String", write: func(c *render, f *store.ContactFolder) { c.str(f.Name) },
		set: into(aText, func(f *store.ContactFolder) *string { return &f.Name }), value: func(f *store.ContactFolder) any { return f.Name }},
}
