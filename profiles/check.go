package profiles

import (
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// checker finds the mistakes that a profile alone can show, and completes it.
type checker struct {
	profile  *Profile
	problems strictyaml.Problems
}

var (
	profileName = nameForm{regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)}
	pathName    = nameForm{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)}
	token       = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	reserved    = []string{"left", "right", "each", "any"}
)

// nameForm is the form of a name of at most 64 characters. The length is no part of the
// pattern, which would take a hundred times as long to compile.
type nameForm struct{ *regexp.Regexp }

func (n nameForm) MatchString(s string) bool { return len(s) <= 64 && n.Regexp.MatchString(s) }

func (c *checker) paths() {
	p := c.profile
	if p.Name != "" && !profileName.MatchString(p.Name) {
		c.problems.Add(p.Pos, "the name of a profile is lower-case letters, digits and hyphens, not %q", p.Name)
	}
	p.Simulated = len(p.Paths) > 0
	for i := range p.Paths {
		e := &p.Paths[i]
		e.Value.Name = e.Key
		switch {
		case slices.Contains(reserved, e.Key):
			c.problems.Add(e.Pos, "%q is a reserved word and cannot name a path", e.Key)
		case !pathName.MatchString(e.Key):
			c.problems.Add(e.Pos, "the name of a path is letters, digits, '.', '_' and '-', not %q", e.Key)
		}
		if e.Value.Dialect.Kind != "lab" {
			p.Simulated = false
		}
		c.path(&e.Value)
	}
}

func (c *checker) path(path *Path) {
	c.url(path)
	c.auth(path)
	c.addresses(path)
	for _, h := range path.Headers {
		switch strings.ToLower(h.Key) {
		case "authorization", "cookie", "proxy-authorization":
			c.problems.Add(h.Pos, "the header %s would put a secret into the profile: use auth", h.Key)
			continue
		}
		if !token.MatchString(h.Key) || strings.ContainsAny(h.Value, "\r\n") {
			c.problems.Add(h.Pos, "%q is not a header with a value of one line", h.Key)
		}
	}
}

// url reads what all dialects of real services share.
func (c *checker) url(path *Path) {
	if path.Dialect.IsZero() {
		return
	}
	if path.Dialect.Kind == "lab" {
		if _, _, ok := path.Dialect.Text(""); !ok {
			c.problems.Add(path.Dialect.Pos, `"lab" must name a service of the lab, such as graph or rest`)
		}
		return
	}
	params := reflect.New(reflect.TypeOf(kinds[path.Dialect.Kind]))
	c.decoded(path.Dialect.Decode(params.Interface()))
	text, at, ok := path.Dialect.Text("url")
	if !ok {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		c.problems.Add(at, `"url" must be an absolute URL such as https://mail.contoso.com/api/v2.0`)
	case u.User != nil:
		c.problems.Add(at, `"url" must not hold a user or password: use auth`)
	case u.RawQuery != "" || u.Fragment != "":
		c.problems.Add(at, `"url" must not hold ? or #`)
	default:
		path.URL = strings.TrimSuffix(text, "/")
	}
}

func (c *checker) addresses(path *Path) {
	if path.Addresses == "" {
		return
	}
	other, ok := c.profile.Paths.Get(path.Addresses)
	switch {
	case !ok:
		c.problems.Add(path.Pos, "%q takes its addresses from %q, which is no path%s", path.Name, path.Addresses, strictyaml.Suggest(path.Addresses, c.profile.Paths.Keys()))
	case other.Addresses != "" || path.Addresses == path.Name:
		c.problems.Add(path.Pos, "%q takes its addresses from %q, which has none of its own", path.Name, path.Addresses)
	}
}

// sides fills in which path is on which side.
func (c *checker) sides() {
	p := c.profile
	names := p.Paths.Keys()
	for _, side := range []struct{ key, value string }{{"left", p.Left}, {"right", p.Right}} {
		if side.value != "" && !slices.Contains(names, side.value) {
			c.problems.Add(p.Keys.At(p.Pos, side.key), "%q names no path: %q%s", side.key, side.value, strictyaml.Suggest(side.value, names))
		}
	}
	if p.Left != "" && p.Left == p.Right {
		c.problems.Add(p.Keys.At(p.Pos, "right"), "left and right are the same path, %q: name one side only, or two paths", p.Left)
		return
	}
	for _, name := range names {
		switch {
		case p.Left == "" && name != p.Right:
			p.Left = name
		case p.Right == "" && name != p.Left:
			p.Right = name
		}
	}
	if p.Stores == "" {
		p.Stores = "twin"
	}
}

func (c *checker) mailboxes(read reader) {
	p := c.profile
	m := &p.Mailboxes
	if m.File != "" {
		name := p.File(m.File)
		data, err := read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.problems.Add(m.Pos, "the file %q does not exist (it is looked for in the folder of the profile)", m.File)
		case err != nil:
			c.problems.Add(m.Pos, "the file %q cannot be read", m.File)
		case len(data) > maxCSV:
			c.problems.Add(m.Pos, "the file %q is larger than %d MiB", m.File, maxCSV>>20)
		default:
			rows, problems := p.readCSV(filepath.ToSlash(name), string(data))
			m.rows = rows
			c.problems = append(c.problems, problems...)
		}
	}
	if m.Lab > 0 && !p.UsesLab() {
		c.problems.Add(m.Pos, "mailboxes of the lab need a path that leads to it: {lab: graph} or {lab: rest}")
	}
	c.problems = append(c.problems, m.resolve(p)...)
	if m.Pos.Line == 0 {
		m.List = []Mailbox{{Name: Anonymous, Address: map[string]Address{}}}
	}
	p.copyAddresses()
}

// copyAddresses gives each path that says "addresses: OTHER" the addresses of the other.
func (p *Profile) copyAddresses() {
	for _, e := range p.Paths {
		if e.Value.Addresses == "" {
			continue
		}
		for _, box := range p.Mailboxes.List {
			if a, ok := box.Address[e.Value.Addresses]; ok {
				box.Address[e.Key] = a
			}
		}
	}
}

// files checks that the names of files can be names of files; whether they can be read is
// found out when they are.
func (c *checker) files() {
	tls := []TLS{c.profile.TLS}
	for _, e := range c.profile.Paths {
		tls = append(tls, e.Value.TLS)
	}
	for _, t := range tls {
		if (t.Cert == "") != t.Key.IsZero() {
			c.problems.Add(t.Pos, `"certificate" and "key" belong together`)
		}
	}
}

// File returns the name of a file that the profile names: relative to its folder.
func (p *Profile) File(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir(), name)
}
