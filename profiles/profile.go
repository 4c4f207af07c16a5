// Package profiles is the language in which deployments are written: the paths to a
// mailbox, how to sign in on each, the mailboxes, and the limits that nothing raises.
// It says where and as whom, never what to ask; suites say that.
//
// Secrets are references. A profile file cannot hold one, and the type cannot print one.
package profiles

import (
	"time"

	"cutover/suites/strictyaml"
)

// Profile is one deployment. It is not changed after it was read or bound.
type Profile struct {
	Pos  strictyaml.Pos  `yaml:"-"`
	Keys strictyaml.Keys `yaml:"-"`
	// Name is what reports call the deployment.
	Name      string                            `yaml:"profile,required" doc:"Name of the deployment: lower-case letters, digits and hyphens."`
	About     string                            `yaml:"about" doc:"One or two sentences for the list of profiles and the report."`
	Paths     strictyaml.Map[Path]              `yaml:"paths,required" doc:"The routes to a mailbox, by name. left, right, each and any are reserved words."`
	Left      string                            `yaml:"left" doc:"The path on the left, on-premises side (default: the first path)."`
	Right     string                            `yaml:"right" doc:"The path on the right, cloud side (default: the second path; none when there is only one)."`
	Stores    string                            `yaml:"stores" enum:"same,twin,moved" doc:"How the two mailboxes of a pair relate: one store reached twice (same), two stores with the same content (twin, default), or one that has moved (moved)."`
	Mailboxes Mailboxes                         `yaml:"mailboxes" doc:"The mailboxes: a list, {file: mailboxes.csv}, or {lab: 200}. Without any, requests are made for one anonymous mailbox."`
	Control   string                            `yaml:"control" doc:"Name of a mailbox that the load leaves alone and that is watched instead: the run stops when its answers become half as slow again (p95 above 1.5 times what it was before the load)."`
	Approver  string                            `yaml:"approver" doc:"File of the approver's public key (Ed25519, PEM), relative to the profile: a consent file is then accepted only with its signature, FILE.sig, beside it."`
	Limits    Limits                            `yaml:"limits" doc:"Ceilings that neither a suite nor a flag can raise."`
	TLS       TLS                               `yaml:"tls" doc:"Trust and versions for every path."`
	Lab       strictyaml.Map[strictyaml.Scalar] `yaml:"lab" doc:"Settings of the simulated deployment, as in --set lab.KEY=VALUE."`

	// Source is the file as it was read, for hashing. It holds references, never secrets.
	Source []byte `yaml:"-"`
	// Simulated marks a profile whose every path leads to the lab.
	Simulated bool `yaml:"-"`
	// CAPEM is the certificate authority of the lab that the profile was bound to.
	CAPEM []byte `yaml:"-"`
}

// Path is a named route to a mailbox. It speaks one dialect.
type Path struct {
	Pos strictyaml.Pos `yaml:"-"`
	// Name is the path's key in the profile.
	Name string `yaml:"-"`
	// URL is the root of the service, once it is known: from the dialect's url, or from the lab.
	URL string `yaml:"-"`
	// Lab is the service of the lab that the path was bound to, "" for a real one.
	Lab string `yaml:"-"`
	// Upload is the host of the lab's upload sessions, "" for a path that is not the lab's Graph.
	Upload string `yaml:"-"`

	Dialect     strictyaml.Block       `yaml:",block,required" kinds:"graph,rest,plain,lab" doc:"The dialect that the path speaks, with its url; 'lab: NAME' is a service of the simulated deployment."`
	Auth        strictyaml.Block       `yaml:"auth" kinds:"entra,basic,ntlm,token,none" doc:"How to sign in (default: none)."`
	Addresses   string                 `yaml:"addresses" doc:"Another path: this one reaches the mailboxes by the addresses and secrets of that one."`
	Protocol    string                 `yaml:"protocol" enum:"auto,http/1.1,h2" doc:"HTTP version (default: auto)."`
	Connections string                 `yaml:"connections" enum:"shared,mailbox,new" doc:"Connections shared by all (default), kept per mailbox, or new for each request."`
	Host        string                 `yaml:"host" doc:"Host header in place of the URL's host, for a server that is reached by another name or address."`
	Headers     strictyaml.Map[string] `yaml:"headers" doc:"Headers that every request on this path carries."`
	ServedBy    strictyaml.Map[string] `yaml:"served_by" doc:"Headers by which answers of this path's own servers are known, each with a text that its value holds; an answer without one has the outcome 'wrong path'."`
	Timeout     time.Duration          `yaml:"timeout" doc:"How long to wait for a whole answer (default 30s)."`
	TLS         TLS                    `yaml:"tls" doc:"Trust and versions for this path, in place of the profile's."`
	Limits      Limits                 `yaml:"limits" doc:"Ceilings for this path, below those of the profile."`
	Proxy       bool                   `yaml:"proxy" doc:"true: honour HTTPS_PROXY and NO_PROXY."`
	OutOfScope  string                 `yaml:"out_of_scope" doc:"A mailbox that this path's application must not reach; doctor expects 403 for it."`
}

// Limits are ceilings. Zero values are no ceiling of the profile's own.
type Limits struct {
	Pos        strictyaml.Pos  `yaml:"-"`
	Rate       strictyaml.Rate `yaml:"rate" doc:"Requests per path, all mailboxes together."`
	PerMailbox PerMailbox      `yaml:"per_mailbox" doc:"Ceilings for one mailbox on one path."`
	MaxConns   int             `yaml:"connections" min:"1" doc:"Open connections per path."`
	MaxStreams int             `yaml:"streams" min:"1" doc:"Requests at a time on one HTTP/2 connection (default: what the server allows, at most 100)."`
}

// PerMailbox are the ceilings for one mailbox.
type PerMailbox struct {
	Pos         strictyaml.Pos  `yaml:"-"`
	Concurrency int             `yaml:"concurrency" min:"1" max:"1000" doc:"Requests in flight at once. The cloud allows an application 4."`
	Rate        strictyaml.Rate `yaml:"rate" doc:"Requests of one mailbox."`
}

// TLS says whom to trust. Files are relative to the profile.
type TLS struct {
	Pos        strictyaml.Pos `yaml:"-"`
	CA         string         `yaml:"ca" doc:"PEM file of certificate authorities to trust, in place of the system's."`
	Min        string         `yaml:"min" enum:"1.2,1.3" doc:"Lowest version to accept (default 1.2)."`
	ServerName string         `yaml:"server_name" doc:"Name to expect in the certificate, when it is not the host of the URL."`
	Cert       string         `yaml:"certificate" doc:"PEM file of a client certificate."`
	Key        Secret         `yaml:"key" doc:"Private key of the client certificate."`
}

// Mailbox is one mailbox, or a pair of them, with its addresses on each path.
type Mailbox struct {
	Name    string
	Address map[string]Address
	Tags    []string
}

// Address is how one path reaches a mailbox, and with what it signs in as its user.
type Address struct {
	// SMTP is the primary mail address, UPN the sign-in name in the directory, Login the name
	// that signs in on this path (DOMAIN\user, or the UPN).
	SMTP, UPN, Login string
	Secret           Secret
	// Location is where `cutover where --write` found the mailbox (cloud, onprem, …), ""
	// when nobody looked. It is for people: a run asks as the paths say.
	Location string
}

// User is what addresses the mailbox in a URL: its UPN, else its SMTP address, else its login.
func (a Address) User() string {
	switch {
	case a.UPN != "":
		return a.UPN
	case a.SMTP != "":
		return a.SMTP
	}
	return a.Login
}

// Account is the name that signs in: the login, else the UPN, else the SMTP address.
func (a Address) Account() string {
	switch {
	case a.Login != "":
		return a.Login
	case a.UPN != "":
		return a.UPN
	}
	return a.SMTP
}
