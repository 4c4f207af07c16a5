package graph

import (
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type contact = *store.Contact

func contactText(name string, at func(contact) *string) *field[contact] {
	return &field[contact]{name: name, kind: odata.String, value: func(x contact) odata.Value { return odata.Text(*at(x)) },
		emit: func(b []byte, _ *encoder, x contact) []byte { return appendText(b, *at(x)) }}
}

func contactList(name string, at func(contact) *[]string) *field[contact] {
	return &field[contact]{name: name, emit: func(b []byte, _ *encoder, x contact) []byte { return appendStrings(b, *at(x)) }}
}

func contactAddress(name string, at func(contact) *store.Postal) *field[contact] {
	return &field[contact]{name: name, emit: func(b []byte, _ *encoder, x contact) []byte { return appendPostal(b, *at(x)) }}
}

// texts, lists and addresses of a contact, for reading and writing.
var contactTexts = map[string]func(contact) *string{
	"fileAs":           func(x contact) *string { return &x.FileAs },
	"displayName":      func(x contact) *string { return &x.DisplayName },
	"givenName":        func(x contact) *string { return &x.GivenName },
	"initials":         func(x contact) *string { return &x.Initials },
	"middleName":       func(x contact) *string { return &x.MiddleName },
	"nickName":         func(x contact) *string { return &x.NickName },
	"surname":          func(x contact) *string { return &x.Surname },
	"title":            func(x contact) *string { return &x.Title },
	"yomiGivenName":    func(x contact) *string { return &x.YomiGivenName },
	"yomiSurname":      func(x contact) *string { return &x.YomiSurname },
	"yomiCompanyName":  func(x contact) *string { return &x.YomiCompanyName },
	"generation":       func(x contact) *string { return &x.Generation },
	"jobTitle":         func(x contact) *string { return &x.JobTitle },
	"companyName":      func(x contact) *string { return &x.CompanyName },
	"department":       func(x contact) *string { return &x.Department },
	"officeLocation":   func(x contact) *string { return &x.OfficeLocation },
	"profession":       func(x contact) *string { return &x.Profession },
	"businessHomePage": func(x contact) *string { return &x.BusinessHomePage },
	"assistantName":    func(x contact) *string { return &x.AssistantName },
	"manager":          func(x contact) *string { return &x.Manager },
	"mobilePhone":      func(x contact) *string { return &x.MobilePhone },
	"spouseName":       func(x contact) *string { return &x.SpouseName },
	"personalNotes":    func(x contact) *string { return &x.PersonalNotes },
}

var contactLists = map[string]func(contact) *[]string{
	"categories":     func(x contact) *[]string { return &x.Categories },
	"imAddresses":    func(x contact) *[]string { return &x.IMAddresses },
	"homePhones":     func(x contact) *[]string { return &x.HomePhones },
	"businessPhones": func(x contact) *[]string { return &x.BusinessPhones },
	"children":       func(x contact) *[]string { return &x.Children },
}

var contactAddresses = map[string]func(contact) *store.Postal{
	"homeAddress":     func(x contact) *store.Postal { return &x.Home },
	"businessAddress": func(x contact) *store.Postal { return &x.Business },
	"otherAddress":    func(x contact) *store.Postal { return &x.Other },
}

// contacts is the type contact, members in the order of the documented samples.
var contacts = newSchema(schema[contact]{
	name: "contact", annotate: func(b []byte, e *encoder, x contact) []byte { return e.appendEtag(b, x.Change) },
	links:  []string{"extensions", "photo", "singlevalueextendedproperties", "multivalueextendedproperties"},
	expand: []string{"extensions", "singlevalueextendedproperties", "multivalueextendedproperties"},
	fields: contactFields(),
	paths: map[string]odata.Field[contact]{
		"emailaddresses": {Elements: func(x contact) []map[string]odata.Value {
			var list []map[string]odata.Value
			for _, a := range x.Emails {
				list = append(list, map[string]odata.Value{"address": odata.Text(a.Address), "name": odata.Text(a.Name)})
			}
			return list
		}},
		"singlevalueextendedproperties": {Elements: func(x contact) []map[string]odata.Value { return properties(x.Extended) }},
		"multivalueextendedproperties":  {Elements: func(x contact) []map[string]odata.Value { return properties(x.Extended) }},
	},
})

func contactFields() []*field[contact] {
	list := []*field[contact]{
		{name: "id", emit: func(b []byte, e *encoder, x contact) []byte { return e.appendID(b, x.Ref()) }},
		{name: "createdDateTime", kind: odata.Time, value: func(x contact) odata.Value { return odata.Moment(x.Created) },
			emit: func(b []byte, _ *encoder, x contact) []byte { return appendSecond(b, x.Created) }},
		{name: "lastModifiedDateTime", kind: odata.Time, value: func(x contact) odata.Value { return odata.Moment(x.Modified) },
			emit: func(b []byte, _ *encoder, x contact) []byte { return appendSecond(b, x.Modified) }},
		{name: "changeKey", emit: func(b []byte, e *encoder, x contact) []byte { return e.appendChangeKey(b, x.Change) }},
		contactList("categories", contactLists["categories"]),
		{name: "parentFolderId", emit: func(b []byte, e *encoder, x contact) []byte { return e.appendFolderID(b, x.Folder) }},
		{name: "birthday", kind: odata.Time, value: func(x contact) odata.Value { return odata.Moment(x.Birthday) }, emit: func(b []byte, _ *encoder, x contact) []byte {
			if x.Birthday.IsZero() {
				return append(b, "null"...)
			}
			return appendSecond(b, x.Birthday)
		}},
	}
	for _, name := range []string{"fileAs", "displayName", "givenName", "initials", "middleName", "nickName", "surname", "title", "yomiGivenName", "yomiSurname", "yomiCompanyName", "generation"} {
		list = append(list, contactText(name, contactTexts[name]))
	}
	list = append(list, &field[contact]{name: "emailAddresses", emit: func(b []byte, _ *encoder, x contact) []byte {
		b = append(b, '[')
		for i, a := range x.Emails {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendEmailAddress(b, a)
		}
		return append(b, ']')
	}}, contactList("imAddresses", contactLists["imAddresses"]))
	for _, name := range []string{"jobTitle", "companyName", "department", "officeLocation", "profession", "businessHomePage", "assistantName", "manager"} {
		list = append(list, contactText(name, contactTexts[name]))
	}
	notes := contactText("personalNotes", contactTexts["personalNotes"])
	notes.emit = func(b []byte, _ *encoder, x contact) []byte { return appendString(b, x.PersonalNotes) }
	return append(list,
		contactList("homePhones", contactLists["homePhones"]), contactText("mobilePhone", contactTexts["mobilePhone"]), contactList("businessPhones", contactLists["businessPhones"]),
		contactAddress("homeAddress", contactAddresses["homeAddress"]), contactAddress("businessAddress", contactAddresses["businessAddress"]), contactAddress("otherAddress", contactAddresses["otherAddress"]),
		contactText("spouseName", contactTexts["spouseName"]), notes, contactList("children", contactLists["children"]))
}

// appendPostal writes {} for no address: never null.
func appendPostal(b []byte, a store.Postal) []byte {
	b = append(b, '{')
	for _, m := range [...][2]string{{"street", a.Street}, {"city", a.City}, {"state", a.State}, {"countryOrRegion", a.Country}, {"postalCode", a.PostalCode}} {
		if m[1] != "" {
			b = append(b, `"`+m[0]+`":`...)
			b = appendString(b, m[1])
			b = append(b, ',')
		}
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

func readPostal(n *jsonNode) (store.Postal, *fault) {
	var a store.Postal
	if n.kind == nullNode {
		return a, nil
	}
	if n.kind != objectNode {
		return a, badLiteral(n, "microsoft.graph.physicalAddress")
	}
	at := map[string]*string{"street": &a.Street, "city": &a.City, "state": &a.State, "countryOrRegion": &a.Country, "postalCode": &a.PostalCode}
	for _, m := range n.members {
		to := at[m.name]
		if to == nil {
			if strings.Contains(m.name, "@odata.") {
				continue
			}
			return a, unknownMember(m.name, "microsoft.graph.physicalAddress")
		}
		var f *fault
		if *to, f = m.value.string(); f != nil {
			return a, f
		}
	}
	return a, nil
}

var contactReadOnly = names("id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "photo", "extensions", "primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")

var contactSetters = func() map[string]setter[contact] {
	m := map[string]setter[contact]{
		"emailAddresses": setEmails,
		"birthday":       setBirthday,
		"singleValueExtendedProperties": func(x contact, n *jsonNode) (f *fault) {
			x.Extended, f = readExtended(x.Extended, n, false)
			return
		},
		"multiValueExtendedProperties": func(x contact, n *jsonNode) (f *fault) {
			x.Extended, f = readExtended(x.Extended, n, true)
			return
		},
	}
	for name, at := range contactTexts {
		m[name] = func(x contact, n *jsonNode) (f *fault) { *at(x), f = n.string(); return }
	}
	for name, at := range contactLists {
		m[name] = func(x contact, n *jsonNode) (f *fault) { *at(x), f = n.strings(); return }
	}
	for name, at := range contactAddresses {
		m[name] = func(x contact, n *jsonNode) (f *fault) { *at(x), f = readPostal(n); return }
	}
	return m
}()

func setEmails(x contact, n *jsonNode) *fault {
	if n.kind != arrayNode {
		return badLiteral(n, "Collection(microsoft.graph.emailAddress)")
	}
	x.Emails = nil
	for _, i := range n.items {
		a, f := readEmailAddress(i)
		if f != nil {
			return f
		}
		x.Emails = append(x.Emails, a)
	}
	return nil
}

// setBirthday stores the day; the time of day is always 11:59 UTC.
func setBirthday(x contact, n *jsonNode) *fault {
	x.Birthday = time.Time{}
	if n.kind == nullNode {
		return nil
	}
	t, ok := odata.ParseTime(n.text)
	if !ok || n.kind != stringNode {
		return badLiteral(n, "Edm.DateTimeOffset")
	}
	x.Birthday = t.Truncate(24 * time.Hour).Add(11*time.Hour + 59*time.Minute)
	return nil
}

func applyContact(x contact, body *jsonNode) *fault {
	return apply(x, body, "microsoft.graph.contact", contactSetters, contactReadOnly)
}

// contactFolderKey is the contact folder of the path, the default one when none
// is named.
func (c *call) contactFolderKey() (store.Key, *fault) {
	id := c.arg[argContactFolder]
	if id == "" {
		return store.DefaultContacts, nil
	}
	k, err := c.mb.FindContactFolder(id)
	if err == nil {
		_, err = c.mb.ContactFolder(k)
	}
	return k, storeFault(err)
}

// plannedContacts is the query stage of contact lists: the one filter that the
// service has is an equality of an e-mail address.
func plannedContacts(c *call) *fault {
	if f := planned(contacts)(c); f != nil {
		return f
	}
	q := c.plan.(*plan[contact]).q
	if q.Filter == nil {
		return nil
	}
	if l, ok := q.Filter.(odata.Lambda); ok {
		if !strings.EqualFold(l.Path, "emailAddresses") {
			return nil
		}
		if b, ok := l.Body.(odata.Binary); ok && b.Op == "eq" {
			if p, ok := b.Left.(odata.Property); ok && strings.EqualFold(p.Path, l.Var+"/address") {
				return nil
			}
		}
	}
	return badCode("ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
}

func (c *call) contactsContext() string {
	if id := c.arg[argContactFolder]; id != "" {
		return c.userContext() + "/contactFolders('" + contextKey(id) + "')/contacts"
	}
	return c.userContext() + "/contacts"
}

func listContacts(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	p := c.plan.(*plan[contact])
	page, err := c.mb.Contacts(k, store.ContactQuery{Skip: p.q.Skip, Top: contacts.page(c, p), Keep: p.keep, Compare: p.compare})
	if err != nil {
		return storeFault(err)
	}
	next := 0
	if page.More {
		next = p.q.Skip + len(page.Items)
	}
	return writeList(c, contacts, p, c.contactsContext(), page.Items, page.Total, next)
}

func countContacts(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	page, err := c.mb.Contacts(k, store.ContactQuery{Keep: c.plan.(*plan[contact]).keep})
	if err != nil {
		return storeFault(err)
	}
	return c.countOnly(page.Total)
}

func (c *call) contact() (contact, *fault) {
	x, err := c.mb.FindContact(c.arg[argContact])
	return x, storeFault(err)
}

func (c *call) writeContact(status int, x contact) *fault {
	if status == http.StatusCreated {
		c.location("/contacts('" + c.mb.ID(x.Ref(), c.prefer.immutable) + "')")
	}
	return writeOne(c, contacts, status, c.userContext()+"/contacts", etag(c.mb, x.Change), x)
}

func getContact(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	return c.writeContact(http.StatusOK, x)
}

func createContact(c *call) *fault {
	k, f := c.contactFolderKey()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	x, err := c.mb.CreateContact(k, func(x *store.Contact) error { return asError(applyContact(x, body)) })
	if err != nil {
		return storeFault(err)
	}
	return c.writeContact(http.StatusCreated, x)
}

func updateContact(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	changed, err := c.mb.UpdateContact(x.Ref(), c.r.Header.Get("If-Match"), func(x *store.Contact) error { return asError(applyContact(x, body)) })
	if err != nil {
		return storeFault(err)
	}
	return c.writeContact(http.StatusOK, changed)
}

func deleteContact(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	if err := c.mb.DeleteContact(x.Ref(), c.r.Header.Get("If-Match")); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}
