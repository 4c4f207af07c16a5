package graph

import (
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// writeValues writes a collection of elements that are JSON already.
func (c *call) writeValues(fragment string, list []string) *fault {
	b := take()
	out := append(c.context(b.bytes, fragment), `"value":[`...)
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

// writeMembers writes one entity whose members are JSON already, without braces.
func (c *call) writeMembers(status int, fragment, members string) *fault {
	b := take()
	out := append(c.context(b.bytes, fragment, "/$entity"), members...)
	return c.send(status, b, append(out, '}'))
}

func objects(list []string) []string {
	for i := range list {
		list[i] = "{" + list[i] + "}"
	}
	return list
}

func notFound() *fault { return storeFault(store.ErrNotFound) }

// categoryColors are none and preset0 to preset24.
func categoryColor(n *jsonNode) (string, *fault) {
	allowed := []string{"none"}
	for i := range 25 {
		allowed = append(allowed, "preset"+itoa(i))
	}
	return n.word("microsoft.graph.categoryColor", allowed...)
}

func categoryMembers(k store.Category) string {
	b := append(appendString([]byte(`"id":`), k.ID), `,"displayName":`...)
	b = append(appendString(b, k.Name), `,"color":`...)
	return string(appendString(b, k.Color))
}

func (c *call) categoriesContext() string { return c.userContext() + "/outlook/masterCategories" }

func listCategories(c *call) *fault {
	var list []string
	for _, k := range c.mb.Settings().Categories {
		list = append(list, categoryMembers(k))
	}
	return c.writeValues(c.categoriesContext(), objects(list))
}

func getCategory(c *call) *fault {
	s := c.mb.Settings()
	i, ok := s.FindCategory(c.arg[argName])
	if !ok {
		return notFound()
	}
	return c.writeMembers(http.StatusOK, c.categoriesContext(), categoryMembers(s.Categories[i]))
}

func createCategory(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.outlookCategory", "displayName", "color", "id"); f != nil {
		return f
	}
	k := store.Category{Color: "none"}
	if n := body.param("color"); n != nil {
		if k.Color, f = categoryColor(n); f != nil {
			return f
		}
	}
	if n := body.param("displayName"); n != nil {
		k.Name = n.text
	}
	if k.Name == "" {
		return badCode("ErrorInvalidRequest", "The displayName of a category is required.")
	}
	_, err := c.mb.UpdateSettings(func(s *store.Settings, id string, _ store.Key) error {
		if slices.ContainsFunc(s.Categories, func(x store.Category) bool { return strings.EqualFold(x.Name, k.Name) }) {
			return asError(&fault{status: http.StatusConflict, code: "CategoryNameDuplicate", message: "A category of that name exists already."})
		}
		k.ID = id
		s.Categories = append(s.Categories, k)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusCreated, c.categoriesContext(), categoryMembers(k))
}

// updateCategory changes the colour: the name is fixed once given.
func updateCategory(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.outlookCategory", "color"); f != nil {
		return f
	}
	var k store.Category
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, ok := s.FindCategory(c.arg[argName])
		if !ok {
			return store.ErrNotFound
		}
		if n := body.param("color"); n != nil {
			if s.Categories[i].Color, f = categoryColor(n); f != nil {
				return asError(f)
			}
		}
		k = s.Categories[i]
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.categoriesContext(), categoryMembers(k))
}

func deleteCategory(c *call) *fault {
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, ok := s.FindCategory(c.arg[argName])
		if !ok {
			return store.ErrNotFound
		}
		s.Categories = slices.Delete(s.Categories, i, i+1)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func supportedLanguages(c *call) *fault {
	var list []string
	for locale, name := range languages {
		shown := locale[:3] + strings.ToUpper(locale[3:])
		list = append(list, `{"locale":"`+shown+`","displayName":"`+name+`"}`)
	}
	slices.Sort(list)
	return c.writeValues("Collection(microsoft.graph.localeInfo)", list)
}

func supportedTimeZones(c *call) *fault {
	zones := zone.Windows()
	if strings.Contains(strings.ToLower(c.arg[argInside]), "iana") {
		zones = zone.IANA()
	}
	slices.Sort(zones)
	var list []string
	for _, z := range zones {
		list = append(list, string(append(appendString(append(appendString([]byte(`{"alias":`), z), `,"displayName":`...), z), '}')))
	}
	return c.writeValues("Collection(microsoft.graph.timeZoneInformation)", list)
}

// maxTranslate is the documented number of ids of one translation.
const maxTranslate = 1000

// translateIDs turns ids of this mailbox into classic or immutable ones.
func translateIDs(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	ids, target, source := body.param("inputIds"), body.param("targetIdType"), body.param("sourceIdType")
	if ids == nil || target == nil || source == nil {
		return badCode("ErrorInvalidRequest", "The inputIds, sourceIdType and targetIdType parameters are required.")
	}
	formats := []string{"entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"}
	to, f := target.word("microsoft.graph.exchangeIdFormat", formats...)
	if f != nil {
		return f
	}
	from, f := source.word("microsoft.graph.exchangeIdFormat", formats...)
	if f != nil {
		return f
	}
	names, f := ids.strings()
	if f != nil {
		return f
	}
	if len(names) > maxTranslate {
		return badCode("ErrorInvalidRequest", "At most 1000 ids can be translated at once.")
	}
	var list []string
	for _, id := range names {
		list = append(list, c.translated(id, from, to))
	}
	return c.writeValues("Collection(microsoft.graph.convertIdResult)", list)
}

func (c *call) translated(id, from, to string) string {
	b := appendString([]byte(`{"sourceId":`), id)
	if from == "ewsId" {
		id = strings.NewReplacer("/", "-", "+", "_").Replace(id)
	}
	ref, err := c.mb.ParseID(id)
	if err != nil {
		f := storeFault(err)
		b = append(appendString(append(b, `,"errorDetails":{"code":`...), f.code), `,"message":`...)
		return string(append(appendString(b, f.message), "}}"...))
	}
	if m, err := c.mb.Message(store.Ref{Key: ref.Key, Immutable: true}); err == nil {
		ref.Moves = m.Moves
	}
	out := c.mb.ID(ref, strings.Contains(strings.ToLower(to), "immutable"))
	if to == "ewsId" {
		out = strings.NewReplacer("-", "/", "_", "+").Replace(out)
	}
	return string(append(appendString(append(b, `,"targetId":`...), out), '}'))
}

func mailTips(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	n := body.param("EmailAddresses")
	if n == nil {
		return badCode("ErrorInvalidRequest", "The EmailAddresses parameter is required.")
	}
	addresses, f := n.strings()
	if f != nil {
		return f
	}
	var list []string
	for _, a := range addresses {
		b := appendEmailAddress([]byte(`{"emailAddress":`), store.Address{Address: a})
		mb, ok := c.s.store.Lookup(a)
		if !ok {
			b = append(b, `,"error":{"code":"ErrorInvalidRecipients","message":"The recipient is not found."}`...)
		} else {
			reply := ""
			if s := mb.Settings().AutoReply; s.Status == "alwaysEnabled" {
				reply = s.Internal
			}
			b = append(b, `,"automaticReplies":{"message":`...)
			b = appendString(b, reply)
			b = append(b, `,"messageLanguage":{"locale":"en-US","displayName":"English (United States)"}},"mailboxFull":false,"deliveryRestricted":false,"isModerated":false,"maxMessageSize":37748736`...)
		}
		list = append(list, string(append(b, '}')))
	}
	return c.writeValues("Collection(microsoft.graph.mailTips)", list)
}

// createSubscription refuses: the lab sends no notifications. For a mailbox that
// is not in the cloud the refusal is the captured one.
func createSubscription(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	resource := ""
	if n := body.param("resource"); n != nil {
		resource = strings.Trim(n.text, "/")
	}
	parts := strings.Split(resource, "/")
	key := c.caller.OID
	if strings.EqualFold(parts[0], "users") && len(parts) > 1 {
		key = parts[1]
	}
	mb, ok := c.s.store.Lookup(key)
	switch {
	case !ok || resource == "":
		return badCode("InvalidRequest", "The resource of the subscription is not valid.")
	case mb.Location() != store.Cloud:
		return badCode("ExtensionError", "Operation: Create; Exception: [Status Code: NotFound; Reason: REST API is not yet supported for this mailbox.]")
	}
	return badCode("ValidationError", "Subscription validation request failed. The lab delivers no notifications.")
}

// metadata is a stub of the model: that it is there, and needs no version below.
func metadata(c *call) *fault {
	return c.bytes("application/xml", []byte(`<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm"/></edmx:DataServices></edmx:Edmx>`))
}
