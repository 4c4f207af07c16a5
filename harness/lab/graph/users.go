package graph

import (
	"net/http"
	"strconv"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

type user = *store.Mailbox

func userText(name string, hidden bool, of func(*store.User) string) *field[user] {
	return &field[user]{name: name, hidden: hidden, kind: odata.String, value: func(m user) odata.Value { return odata.Text(of(m.User())) },
		emit: func(b []byte, _ *encoder, m user) []byte { return appendText(b, of(m.User())) }}
}

func userFixed(name string, hidden bool, value string) *field[user] {
	return &field[user]{name: name, hidden: hidden, emit: func(b []byte, _ *encoder, _ user) []byte { return append(b, value...) }}
}

// users is the type user: what mail clients and a hybrid harness ask for.
var users = newSchema(schema[user]{
	name: "user", fallback: 100, capped: 999,
	links:  []string{"messages", "mailfolders", "calendar", "calendars", "events", "contacts", "contactfolders", "photo", "manager", "outlook"},
	expand: []string{"manager"},
	fields: []*field[user]{
		userFixed("businessPhones", false, "[]"),
		userText("displayName", false, func(u *store.User) string { return u.Name }),
		userText("givenName", false, func(u *store.User) string { return u.GivenName }),
		userFixed("jobTitle", false, "null"),
		userText("mail", false, func(u *store.User) string { return u.SMTP }),
		userFixed("mobilePhone", false, "null"),
		userFixed("officeLocation", false, "null"),
		userFixed("preferredLanguage", false, "null"),
		userText("surname", false, func(u *store.User) string { return u.Surname }),
		userText("userPrincipalName", false, func(u *store.User) string { return u.UPN }),
		userText("id", false, func(u *store.User) string { return u.OID }),
		userFixed("accountEnabled", true, "true"),
		{name: "assignedLicenses", hidden: true, emit: appendLicences},
		{name: "assignedPlans", hidden: true, emit: appendPlans},
		userText("mailNickname", true, func(u *store.User) string { return u.Login }),
		{name: "proxyAddresses", hidden: true, emit: func(b []byte, _ *encoder, m user) []byte { return appendStrings(b, []string{"SMTP:" + m.User().SMTP}) }},
		userFixed("otherMails", true, "[]"),
		{name: "imAddresses", hidden: true, emit: func(b []byte, _ *encoder, m user) []byte { return appendStrings(b, []string{m.User().UPN}) }},
		userFixed("usageLocation", true, `"DE"`),
		userFixed("userType", true, `"Member"`),
		{name: "onPremisesSyncEnabled", hidden: true, emit: onlySynced(func(store.User) string { return "true" })},
		{name: "onPremisesSamAccountName", hidden: true, emit: onlySynced(func(u store.User) string { return string(appendString(nil, u.Login)) })},
		{name: "onPremisesUserPrincipalName", hidden: true, emit: onlySynced(func(u store.User) string { return string(appendString(nil, u.UPN)) })},
		{name: "onPremisesDomainName", hidden: true, emit: onlySynced(func(u store.User) string { return string(appendString(nil, u.SMTP[strings.IndexByte(u.SMTP, '@')+1:])) })},
		userFixed("onPremisesImmutableId", true, "null"),
		userFixed("onPremisesLastSyncDateTime", true, "null"),
		userFixed("onPremisesProvisioningErrors", true, "[]"),
		{name: "mailboxSettings", hidden: true, emit: func(b []byte, e *encoder, m user) []byte {
			if e.mb == nil || m.Location() != store.Cloud {
				return append(b, "null"...)
			}
			return e.appendSettings(append(b, '{'), m.Settings())
		}},
	},
})

// onlySynced writes a value for users that a directory synchronisation made,
// null for others. It says nothing of where the mailbox is.
func onlySynced(of func(store.User) string) func([]byte, *encoder, user) []byte {
	return func(b []byte, _ *encoder, m user) []byte {
		if m.User().Born != store.OnPrem {
			return append(b, "null"...)
		}
		return append(b, of(*m.User())...)
	}
}

func appendLicences(b []byte, _ *encoder, m user) []byte {
	if m.User().Born == store.Unlicensed {
		return append(b, "[]"...)
	}
	return append(b, `[{"disabledPlans":[],"skuId":"6fd2c87f-b296-42f0-b197-1e91e994b900"}]`...)
}

func appendPlans(b []byte, _ *encoder, m user) []byte {
	if m.User().Born == store.Unlicensed {
		return append(b, "[]"...)
	}
	return append(b, `[{"assignedDateTime":"2026-01-05T08:00:00Z","capabilityStatus":"Enabled","service":"exchange","servicePlanId":"efb87545-963c-4e0d-99df-69c6916d9eb0"}]`...)
}

func getUser(c *call) *fault {
	b := take()
	p := c.plan.(*plan[user])
	e := c.encoder()
	body := c.context(b.bytes, "users", p.selected, "/$entity")
	return c.send(http.StatusOK, b, users.members(body, e, p.fields, c.mb))
}

// listUsers pages with $skiptoken, as the directory does.
func listUsers(c *call) *fault {
	p := c.plan.(*plan[user])
	var all []user
	c.s.store.Users(func(m *store.Mailbox) bool {
		if m.Location() != store.SoftDeleted && (p.keep == nil || p.keep(m)) {
			all = append(all, m)
		}
		return true
	})
	if p.compare != nil {
		all = sorted(all, p.compare)
	}
	from := 0
	if p.q.SkipToken != "" {
		n, err := strconv.Atoi(p.q.SkipToken)
		if err != nil || n < 0 {
			return badCode("Request_BadRequest", "Skip token is malformed.")
		}
		from = n
	}
	total := len(all)
	page := all[min(from, total):]
	next := ""
	if n := users.page(c, p); len(page) > n {
		page = page[:n]
		next = c.nextToken(p.q, strconv.Itoa(from+n))
	}
	b := take()
	body := c.context(b.bytes, "users", p.selected)
	if p.q.Count {
		body = append(body, `"@odata.count":`+strconv.Itoa(total)+","...)
	}
	if next != "" {
		body = append(body, `"@odata.nextLink":`...)
		body = append(appendString(body, next), ',')
	}
	body = append(body, `"value":[`...)
	e := c.encoder()
	for i, m := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = users.item(body, e, p.fields, m)
	}
	return c.send(http.StatusOK, b, append(body, "]}"...))
}

// nextToken is the same URL with $skiptoken set.
func (c *call) nextToken(q *odata.Query, token string) string {
	copied := *q
	copied.Given = nil
	for _, o := range q.Given {
		if !strings.EqualFold(o.Name, "$skiptoken") && !strings.EqualFold(o.Name, "$skip") {
			copied.Given = append(copied.Given, o)
		}
	}
	link := c.nextLink(&copied, 0)
	return strings.TrimSuffix(link, "$skip=0") + "$skiptoken=" + token
}
