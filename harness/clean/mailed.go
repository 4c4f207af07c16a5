package clean

import (
	"maps"
	"slices"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/journal"
	"cutover/profiles"
)

// What is mailed multiplies: a copy stays with the sender, one arrives with each
// recipient, a meeting stands in the calendar of each attendee, and what answers or
// cancels it makes more. None has an id that an answer told. All have the run's tag at
// the beginning of their subject, behind words such as "RE: ".

// mailed tells whether any of the entries may have mailed somebody, and whether any
// was an invitation.
func mailed(entries []journal.Entry) (mail, meetings bool) {
	for _, e := range entries {
		if e.State == journal.Void || e.Found {
			continue
		}
		url := strings.ToLower(e.URL)
		mail = mail || len(e.To) > 0 || sent(e)
		meetings = meetings || len(e.To) > 0 && (e.Sort == "event" || strings.Contains(url, "/events"))
	}
	return mail, meetings
}

// sent tells a mail that was sent without a draft.
func sent(e journal.Entry) bool {
	url := strings.TrimRight(strings.ToLower(e.URL), "/()")
	return e.Sort == "message" && e.ID == "" && strings.HasSuffix(url, "sendmail")
}

// carries tells whether an item carries the tag: as a category, at the beginning of its
// subject or name, or behind words such as "RE: " when one of the profile's mailboxes
// wrote it. What others answer is theirs. A server's filter is not believed: filters
// overlook case.
func (c *cleaner) carries(n canon.Node, text, tag string) bool {
	list, _ := n.Get("categories")
	for category := range list.Children() {
		if category.Text() == tag {
			return true
		}
	}
	title, _ := n.Get(text)
	marked, answered := journal.Marked(title.Text(), tag)
	return marked && (!answered || c.ours(n))
}

// ours tells whether one of the profile's mailboxes wrote an item.
func (c *cleaner) ours(n canon.Node) bool {
	for _, who := range []string{"$.from.emailAddress.address", "$.organizer.emailAddress.address"} {
		address, ok := n.Find(who)
		if !ok || address.Text() == "" {
			continue
		}
		for _, m := range c.profile.Mailboxes.List {
			if names(m, []string{address.Text()}) {
				return true
			}
		}
	}
	return false
}

// delivered adds the mailboxes of the profile that the run may have mailed:
// copies are found there by the tag. Where the journal does not say to whom, it
// is every mailbox on the paths of the run; where it does, also on other paths.
func (d Deps) delivered(groups []*group) []*group {
	known := map[[2]string]bool{}
	var tags, to, used []string
	everybody := false
	for _, g := range groups {
		known[[2]string{g.path, g.mailbox}] = true
		used = append(used, g.path)
		for _, tag := range g.tags {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
		for _, i := range g.items {
			if i.State == journal.Void || i.Found {
				continue
			}
			to = append(to, i.To...)
			everybody = everybody || sent(i.Entry) && i.To == nil
		}
	}
	slices.Sort(used)
	for _, path := range slices.Compact(used) {
		for _, m := range d.Profile.Mailboxes.List {
			if known[[2]string{path, m.Name}] || !everybody && !names(m, to) {
				continue
			}
			known[[2]string{path, m.Name}] = true
			groups = append(groups, &group{path: path, mailbox: m.Name, tags: tags})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.Adapters)) {
		for _, m := range d.Profile.Mailboxes.List {
			if d.reaches(m, path, to) && !d.looked(m, path, known) {
				known[[2]string{path, m.Name}] = true
				groups = append(groups, &group{path: path, mailbox: m.Name, tags: tags})
			}
		}
	}
	return groups
}

// address is a mailbox's on a path.
func (d Deps) address(m profiles.Mailbox, path string) profiles.Address {
	if p, ok := d.Profile.Paths.Get(path); ok && p.Addresses != "" {
		path = p.Addresses
	}
	return m.Address[path]
}

// reaches tells whether any of the addresses is m's on the path.
func (d Deps) reaches(m profiles.Mailbox, path string, to []string) bool {
	return names(profiles.Mailbox{Address: map[string]profiles.Address{path: d.address(m, path)}}, to)
}

// looked tells whether the same mailbox is looked at already, down another path.
func (d Deps) looked(m profiles.Mailbox, path string, known map[[2]string]bool) bool {
	here := d.address(m, path)
	for key := range known {
		if there := d.address(m, key[0]); key[1] == m.Name && (key[0] == path || strings.EqualFold(there.SMTP, here.SMTP) && strings.EqualFold(there.UPN, here.UPN)) {
			return true
		}
	}
	return false
}

// names tells whether any of the addresses is one of m's.
func names(m profiles.Mailbox, to []string) bool {
	for _, a := range m.Address {
		if slices.ContainsFunc(to, func(t string) bool { return t != "" && (strings.EqualFold(t, a.SMTP) || strings.EqualFold(t, a.UPN)) }) {
			return true
		}
	}
	return false
}
