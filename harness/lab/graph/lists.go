package graph

import (
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/store"
)

// Message rules, calendar permissions, focused overrides and open extensions:
// small lists in the settings of a mailbox, or on an item.

func (c *call) rulesContext() string {
	return c.userContext() + "/mailFolders('inbox')/messageRules"
}

func (c *call) ruleMembers(r store.InboxRule) string {
	id := append(appendString([]byte(`"id":`), c.mb.ID(store.Ref{Key: r.Key}, false)), `,"hasError":false,"isReadOnly":false`...)
	if r.Body != "" {
		id = append(append(id, ','), r.Body...)
	}
	return string(id)
}

func listRules(c *call) *fault {
	var list []string
	for _, r := range c.mb.Settings().InboxRules {
		list = append(list, c.ruleMembers(r))
	}
	return c.writeValues(c.rulesContext(), objects(list))
}

var ruleMembersKnown = []string{"displayName", "sequence", "isEnabled", "conditions", "exceptions", "actions", "id", "hasError", "isReadOnly"}

// ruleBody is the members of a rule that a client may set, as JSON text.
func ruleBody(n *jsonNode) string {
	kept := &jsonNode{kind: objectNode}
	for _, m := range n.members {
		switch m.name {
		case "id", "hasError", "isReadOnly":
		default:
			if !strings.Contains(m.name, "@odata.") {
				kept.members = append(kept.members, m)
			}
		}
	}
	return inner(kept)
}

// inner is an object's JSON without its braces.
func inner(n *jsonNode) string {
	b := appendNode(nil, n)
	return string(b[1 : len(b)-1])
}

// maxSmall bounds the small lists of a mailbox.
const maxSmall = 500

func tooMany() error {
	return asError(badCode("ErrorQuotaExceeded", "The list is full."))
}

func createRule(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.messageRule", ruleMembersKnown...); f != nil {
		return f
	}
	if body.param("displayName") == nil {
		return badCode("ErrorInvalidRequest", "The displayName of a rule is required.")
	}
	var r store.InboxRule
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, key store.Key) error {
		if len(s.InboxRules) >= maxSmall {
			return tooMany()
		}
		r = store.InboxRule{Key: key, Body: ruleBody(body)}
		s.InboxRules = append(s.InboxRules, r)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusCreated, c.rulesContext(), c.ruleMembers(r))
}

// rule finds the rule of the path among those of s.
func (c *call) rule(s *store.Settings) (int, error) {
	ref, err := c.mb.ParseID(c.arg[argName])
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(s.InboxRules, func(r store.InboxRule) bool { return r.Key == ref.Key })
	if i < 0 {
		return 0, store.ErrNotFound
	}
	return i, nil
}

func getRule(c *call) *fault {
	s := c.mb.Settings()
	i, err := c.rule(s)
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.rulesContext(), c.ruleMembers(s.InboxRules[i]))
}

func updateRule(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.messageRule", ruleMembersKnown...); f != nil {
		return f
	}
	var r store.InboxRule
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, err := c.rule(s)
		if err != nil {
			return err
		}
		merged, err := parseJSON([]byte("{" + s.InboxRules[i].Body + "}"))
		if err != nil {
			return err
		}
		for _, m := range body.members {
			merged.members = slices.DeleteFunc(merged.members, func(x jsonMember) bool { return x.name == m.name })
			merged.members = append(merged.members, m)
		}
		s.InboxRules[i].Body = ruleBody(merged)
		r = s.InboxRules[i]
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.rulesContext(), c.ruleMembers(r))
}

func deleteRule(c *call) *fault {
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, err := c.rule(s)
		if err == nil {
			s.InboxRules = slices.Delete(s.InboxRules, i, i+1)
		}
		return err
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func (c *call) permissionsContext() string { return c.userContext() + "/calendar/calendarPermissions" }

func permissionMembers(p store.Permission) string {
	b := appendEmailAddress([]byte(`"emailAddress":`), p.Who)
	b = appendBool(append(b, `,"isRemovable":`...), p.Removable)
	b = appendBool(append(b, `,"isInsideOrganization":`...), p.Inside)
	b = appendString(append(b, `,"role":`...), p.Role)
	b = append(b, `,"allowedRoles":["freeBusyRead","limitedRead","read","write"],"id":`...)
	return string(appendString(b, p.ID))
}

func listPermissions(c *call) *fault {
	var list []string
	for _, p := range c.mb.Settings().Permissions {
		list = append(list, permissionMembers(p))
	}
	return c.writeValues(c.permissionsContext(), objects(list))
}

var permissionRoles = []string{"none", "freeBusyRead", "limitedRead", "read", "write", "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess", "custom"}

func createPermission(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.calendarPermission", "emailAddress", "isInsideOrganization", "isRemovable", "role", "allowedRoles", "id"); f != nil {
		return f
	}
	p := store.Permission{Removable: true, Inside: true}
	who, role := body.param("emailAddress"), body.param("role")
	if who == nil || role == nil {
		return badCode("ErrorInvalidRequest", "The emailAddress and role of a permission are required.")
	}
	if p.Who, f = readEmailAddress(who); f != nil {
		return f
	}
	if p.Role, f = role.word("microsoft.graph.calendarRoleType", permissionRoles...); f != nil {
		return f
	}
	_, err := c.mb.UpdateSettings(func(s *store.Settings, id string, _ store.Key) error {
		if len(s.Permissions) >= maxSmall {
			return tooMany()
		}
		p.ID = id
		s.Permissions = append(s.Permissions, p)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusCreated, c.permissionsContext(), permissionMembers(p))
}

func (c *call) permission(s *store.Settings) (int, error) {
	i := slices.IndexFunc(s.Permissions, func(p store.Permission) bool { return p.ID == c.arg[argName] })
	if i < 0 {
		return 0, store.ErrNotFound
	}
	return i, nil
}

func getPermission(c *call) *fault {
	s := c.mb.Settings()
	i, err := c.permission(s)
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.permissionsContext(), permissionMembers(s.Permissions[i]))
}

func updatePermission(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	var p store.Permission
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, err := c.permission(s)
		if err != nil {
			return err
		}
		if n := body.param("role"); n != nil {
			role, f := n.word("microsoft.graph.calendarRoleType", permissionRoles...)
			if f != nil {
				return asError(f)
			}
			s.Permissions[i].Role = role
		}
		p = s.Permissions[i]
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.permissionsContext(), permissionMembers(p))
}

func deletePermission(c *call) *fault {
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i, err := c.permission(s)
		switch {
		case err != nil:
			return err
		case !s.Permissions[i].Removable:
			return asError(badCode("ErrorInvalidRequest", "This permission cannot be removed."))
		}
		s.Permissions = slices.Delete(s.Permissions, i, i+1)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}

func overrideMembers(o store.Override) string {
	b := appendString([]byte(`"id":`), o.ID)
	b = appendString(append(b, `,"classifyAs":`...), o.Classify)
	return string(appendEmailAddress(append(b, `,"senderEmailAddress":`...), o.Sender))
}

func (c *call) overridesContext() string {
	return c.userContext() + "/inferenceClassification/overrides"
}

func listOverrides(c *call) *fault {
	var list []string
	for _, o := range c.mb.Settings().Overrides {
		list = append(list, overrideMembers(o))
	}
	return c.writeValues(c.overridesContext(), objects(list))
}

// createOverride makes an override, or changes the one of the same sender.
func createOverride(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	class, sender := body.param("classifyAs"), body.param("senderEmailAddress")
	if class == nil || sender == nil {
		return badCode("ErrorInvalidRequest", "The classifyAs and senderEmailAddress of an override are required.")
	}
	var o store.Override
	if o.Classify, f = class.word("microsoft.graph.inferenceClassificationType", "focused", "other"); f != nil {
		return f
	}
	if o.Sender, f = readEmailAddress(sender); f != nil {
		return f
	}
	_, err := c.mb.UpdateSettings(func(s *store.Settings, id string, _ store.Key) error {
		for i, x := range s.Overrides {
			if strings.EqualFold(x.Sender.Address, o.Sender.Address) {
				o.ID = x.ID
				s.Overrides[i] = o
				return nil
			}
		}
		if len(s.Overrides) >= maxSmall {
			return tooMany()
		}
		o.ID = id
		s.Overrides = append(s.Overrides, o)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusCreated, c.overridesContext(), overrideMembers(o))
}

func updateOverride(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	var o store.Override
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i := slices.IndexFunc(s.Overrides, func(x store.Override) bool { return x.ID == c.arg[argName] })
		if i < 0 {
			return store.ErrNotFound
		}
		if n := body.param("classifyAs"); n != nil {
			class, f := n.word("microsoft.graph.inferenceClassificationType", "focused", "other")
			if f != nil {
				return asError(f)
			}
			s.Overrides[i].Classify = class
		}
		o = s.Overrides[i]
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.writeMembers(http.StatusOK, c.overridesContext(), overrideMembers(o))
}

func deleteOverride(c *call) *fault {
	_, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		i := slices.IndexFunc(s.Overrides, func(x store.Override) bool { return x.ID == c.arg[argName] })
		if i < 0 {
			return store.ErrNotFound
		}
		s.Overrides = slices.Delete(s.Overrides, i, i+1)
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusNoContent)
}
