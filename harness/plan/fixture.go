package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cutover/harness/request"
	"cutover/harness/vars"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// Fixture is a sort of item that mailboxes are given before the run, as each
// side says it.
type Fixture struct {
	Sort      string // message, event, contact or folder
	In        string // where, by its well-known name or id
	Count     int    // in each mailbox
	Mailboxes []int  // indices into Plan.Mailboxes, ascending
	// Asks create one item, one template for each of Plan.Sides. Nil where nothing is
	// made: both sides are one store, and the other side makes it.
	Asks   []*request.Template
	Source *suites.Fixture
}

// Fills tells whether the mailbox of that index is given the fixture.
func (f *Fixture) Fills(mailbox int) bool {
	_, found := slices.BinarySearch(f.Mailboxes, mailbox)
	return found
}

// FixtureSeed is the payload seed of the nth item of a fixture in a mailbox: the
// same on every side, so that both sides are given the same.
func (p *Plan) FixtureSeed(fixture, mailbox, n int) uint64 {
	return mixed(mixed(p.Seed, uint64(fixture), saltFixture), uint64(mailbox)<<32|uint64(n), saltFixture)
}

// FixtureItems is how many items the fixtures are, over all mailboxes and sides.
func (p *Plan) FixtureItems() (items int) {
	for _, f := range p.Fixtures {
		for _, t := range f.Asks {
			if t != nil {
				items += f.Count * len(f.Mailboxes)
			}
		}
	}
	return items
}

// usual is what an item of a sort holds when the suite does not say.
var usual = map[string]string{
	"message": `{"subject":"{{random.subject}}","body":{"contentType":"text","content":"{{random.text}}"}}`,
	"event":   `{"subject":"{{random.subject}}","start":{"dateTime":"{{monday.local+9h}}","timeZone":"UTC"},"end":{"dateTime":"{{monday.local+10h}}","timeZone":"UTC"}}`,
	"contact": `{"givenName":"{{random.given}}","surname":"{{random.surname}}"}`,
	"folder":  `{"displayName":"{{run.tag}} {{iteration}}"}`,
}

// fixtures prepares what is made before the run.
func (c *compiler) fixtures() {
	for i := range c.suite.Fixtures {
		x := &c.suite.Fixtures[i]
		if c.plan.Anonymous() {
			c.problems.Add(x.Pos, "fixtures are made in mailboxes, and profile %s names none", c.profile.Name)
			return
		}
		f := Fixture{Sort: x.Create, In: x.In, Count: x.Count, Source: x, Asks: make([]*request.Template, len(c.plan.Sides))}
		for m, box := range c.plan.Mailboxes {
			if x.Mailboxes == "" || slices.Contains(box.Tags, x.Mailboxes) {
				f.Mailboxes = append(f.Mailboxes, m)
			}
		}
		if len(f.Mailboxes) == 0 {
			c.problems.Add(x.Pos, "fixture wants mailboxes tagged %q, but no mailbox of profile %s carries that tag%s", x.Mailboxes, c.profile.Name,
				strictyaml.Suggest(x.Mailboxes, allTags(c.plan.Mailboxes)))
			continue
		}
		c.prepareFixture(x, &f)
		c.plan.Fixtures = append(c.plan.Fixtures, f)
		c.plan.Writes = true
	}
}

// place is what an `in` may be: a well-known name or an id, never more of a URL.
var place = regexp.MustCompile(`^[A-Za-z0-9_=-]+$`)

// prepareFixture says the creation of one item in each side's dialect. Where both
// sides are one store, the first side that can say it does.
func (c *compiler) prepareFixture(x *suites.Fixture, f *Fixture) {
	if !place.MatchString(x.In) {
		c.problems.Add(x.Pos, "%q is neither the well-known name nor the id of a folder", x.In)
		return
	}
	body, err := c.fixtureBody(x)
	if err != nil {
		c.problems.Add(x.Pos, "%v", err)
		return
	}
	op := suites.Operation{Method: "POST", URL: fixtureURL(x), Body: strictyaml.ValueOf(body), At: x.Pos}
	one := c.suite.Compare.Stores == "same" || c.suite.Compare.Stores == "" && c.profile.Stores == "same"
	var unsaid error
	for i, side := range c.plan.Sides {
		t, err := side.Adapter.Prepare(op)
		if err == nil && side.Adapter.Describe().Dialect == "plain" {
			err = fmt.Errorf("a plain path has no mailboxes to fill: %w", errors.ErrUnsupported)
		}
		if err == nil {
			if with, changed := tagged(op, t.Endpoint); changed {
				t, err = side.Adapter.Prepare(with)
			}
		}
		if err != nil {
			unsaid = fmt.Errorf("on %s: %w", side.Path, err)
			if one {
				continue
			}
			break
		}
		c.fixtureNames(x, t)
		f.Asks[i] = t
		if one {
			return
		}
	}
	if unsaid != nil {
		c.problems.Add(x.Pos, "fixture cannot be made alike: %v", unsaid)
	}
}

// fixtureNames checks that every name in an item has a value before the run.
func (c *compiler) fixtureNames(x *suites.Fixture, t *request.Template) {
	for _, n := range t.Names() {
		if _, ok := c.plan.Vars[n]; !ok && !vars.Reserved(n) {
			c.problems.Add(x.Pos, "{{%s}} has no value when fixtures are made", n)
		}
	}
}

// fixtureBody is the item: what the suite says over what is usual.
func (c *compiler) fixtureBody(x *suites.Fixture) ([]byte, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(usual[x.Create]), &fields); err != nil {
		return nil, err
	}
	if given := x.With.JSON(); len(given) > 0 {
		over := map[string]json.RawMessage{}
		if json.Unmarshal(given, &over) != nil || over == nil {
			return nil, errors.New("the properties of an item are a mapping")
		}
		for name, value := range over {
			fields[name] = value
		}
	}
	if x.Create == "folder" && !strings.HasPrefix(string(fields["displayName"]), `"`+runTag) {
		return nil, fmt.Errorf("the displayName of a folder begins with %s, by which it is found again", runTag)
	}
	return json.Marshal(fields)
}

// fixtureURL is where an item of a fixture is created, in Graph's words.
func fixtureURL(x *suites.Fixture) string {
	switch {
	case x.Create == "message" && x.In == "drafts":
		return "/me/messages"
	case x.Create == "message":
		return "/me/mailFolders/" + x.In + "/messages"
	case x.Create == "event" && x.In == "calendar":
		return "/me/events"
	case x.Create == "event":
		return "/me/calendars/" + x.In + "/events"
	case x.Create == "contact" && x.In == "contacts":
		return "/me/contacts"
	case x.Create == "contact":
		return "/me/contactFolders/" + x.In + "/contacts"
	case x.In == "msgfolderroot":
		return "/me/mailFolders"
	}
	return "/me/mailFolders/" + x.In + "/childFolders"
}
