package profiles

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// Endpoints are what a started lab offers.
type Endpoints struct {
	// URLs are the roots of its services by the names that "lab:" uses: graph, rest, graph-2019, ….
	URLs map[string]string
	// Authority is the token service with its tenant; Tenant is the tenant's id.
	Authority, Tenant string
	// Upload is the host to which the upload sessions of its Graph lead.
	Upload string
	// CAPEM is the lab's certificate authority.
	CAPEM   []byte
	Clients []LabClient
	Pairs   []LabPair
}

// LabClient is an application registered with the lab.
type LabClient struct {
	ID, Secret string
	// Kind is "app-only" or "delegated".
	Kind string
}

// LabPair is a pair of twin mailboxes of the lab.
type LabPair struct {
	Name                      string
	OnPremUPN, OnPremPassword string
	CloudUPN, CloudPassword   string
}

// UsesLab reports whether any path comes from the lab.
func (p *Profile) UsesLab() bool {
	return slices.ContainsFunc(p.Paths, func(e strictyaml.Entry[Path]) bool { return e.Value.Dialect.Kind == "lab" })
}

// Bind returns a copy whose paths lead to the lab, with its mailboxes and credentials,
// which are held in memory only. A profile without the lab is returned as it is.
func (p *Profile) Bind(e Endpoints) (*Profile, error) {
	if !p.UsesLab() {
		return p, nil
	}
	bound := *p
	bound.CAPEM = e.CAPEM
	bound.Paths = slices.Clone(p.Paths)
	for i := range bound.Paths {
		if err := bound.Paths[i].Value.bind(e); err != nil {
			return nil, err
		}
	}
	if err := bound.bindMailboxes(e); err != nil {
		return nil, err
	}
	return &bound, nil
}

// bind resolves "lab: SERVICE". What follows a hyphen in the name of a service is its
// era; what stands before it is the dialect that it speaks.
func (path *Path) bind(e Endpoints) error {
	if path.Dialect.Kind != "lab" {
		return nil
	}
	service, at, _ := path.Dialect.Text("")
	root, ok := e.URLs[service]
	if !ok {
		known := slices.Sorted(maps.Keys(e.URLs))
		return strictyaml.Problems{{Pos: at, Msg: fmt.Sprintf("the lab has no service %q%s: it offers %s",
			service, strictyaml.Suggest(service, known), strings.Join(known, ", "))}}
	}
	params := map[string]any{"url": root}
	dialect, _, _ := strings.Cut(service, "-")
	if dialect == "graph" {
		path.Upload = e.Upload
		params["as"] = "app"
		if path.Delegated() {
			params["as"] = "user"
		}
	}
	path.Lab, path.URL = service, root
	path.Dialect = strictyaml.NewBlock(dialect, path.Dialect.Pos, params)
	return path.bindAuth(e)
}

// bindAuth fills in what a sign-in with Entra leaves open.
func (path *Path) bindAuth(e Endpoints) error {
	if path.Auth.Kind != "entra" {
		return nil
	}
	var in Entra
	if problems := path.Auth.Decode(&in); len(problems) > 0 {
		return problems
	}
	kind := "app-only"
	if path.Delegated() {
		kind = "delegated"
	}
	client, ok := e.client(in.Client, kind)
	if !ok {
		return strictyaml.Problems{{Pos: path.Auth.Pos, Msg: fmt.Sprintf("the lab has no %s client for path %q", kind, path.Name)}}
	}
	params := map[string]any{"authority": e.Authority, "tenant": e.Tenant, "client": client.ID}
	switch {
	case in.User != "":
		params["user"] = in.User
		if !in.Password.IsZero() {
			params["password"] = in.Password
		}
	case in.Device:
		params["device"] = true
	case in.Browser:
		params["browser"] = true
	case !in.Certificate.IsZero():
		params["certificate"] = in.Certificate
	case !in.Secret.IsZero():
		params["secret"] = in.Secret
	default:
		params["secret"] = SecretValue(client.Secret)
	}
	if in.Resource != "" {
		params["resource"] = in.Resource
	}
	if len(in.Scopes) > 0 {
		params["scopes"] = in.Scopes
	}
	path.Auth = strictyaml.NewBlock("entra", path.Auth.Pos, params)
	return nil
}

// client finds the application with an id, or the first of a kind.
func (e Endpoints) client(id, kind string) (LabClient, bool) {
	for _, c := range e.Clients {
		if id != "" && c.ID == id || id == "" && c.Kind == kind {
			return c, true
		}
	}
	return LabClient{}, false
}

func (p *Profile) bindMailboxes(e Endpoints) error {
	m := &p.Mailboxes
	if m.Lab == 0 {
		return nil
	}
	if m.Lab > len(e.Pairs) {
		return strictyaml.Problems{{Pos: m.Pos, Msg: fmt.Sprintf("the lab has %d pairs of mailboxes, not %d: start it with --set lab.mailboxes=%d", len(e.Pairs), m.Lab, m.Lab)}}
	}
	m.List = make([]Mailbox, 0, m.Lab)
	for _, pair := range e.Pairs[:m.Lab] {
		box := Mailbox{Name: pair.Name, Address: make(map[string]Address, len(p.Paths))}
		for _, path := range p.Paths {
			if path.Value.Addresses == "" {
				box.Address[path.Key] = pair.on(path.Value.Dialect.Kind)
			}
		}
		m.List = append(m.List, box)
	}
	p.copyAddresses()
	return nil
}

// on is the address of the pair's mailbox that a dialect reaches: Graph's is in the cloud.
func (pair LabPair) on(dialect string) Address {
	upn, password := pair.OnPremUPN, pair.OnPremPassword
	if dialect == "graph" {
		upn, password = pair.CloudUPN, pair.CloudPassword
	}
	return Address{SMTP: upn, UPN: upn, Login: upn, Secret: SecretValue(password)}
}
