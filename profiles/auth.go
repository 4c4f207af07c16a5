package profiles

import "cutover/suites/strictyaml"

// MailboxUser as the user of a sign-in stands for the mailbox itself: its account and its
// secret on that path.
const MailboxUser = "mailbox"

// Entra is "auth: {entra: {…}}": a token from Microsoft Entra ID, or from the token service
// of the lab. Exactly one of Secret, Certificate, User, Device and Browser says as whom.
type Entra struct {
	Pos         strictyaml.Pos `yaml:"-"`
	Tenant      string         `yaml:"tenant" doc:"Tenant, by its domain or id."`
	Client      string         `yaml:"client" doc:"Application (client) id."`
	Authority   string         `yaml:"authority" doc:"Token service with its tenant, when it is not that of the Graph host's cloud (AD FS; a sovereign cloud on a path to Exchange)."`
	Secret      Secret         `yaml:"secret" doc:"Client secret: the application signs in as itself."`
	Certificate Secret         `yaml:"certificate" doc:"PEM or PFX with certificate and key: the application signs in as itself."`
	User        string         `yaml:"user" doc:"User who signs in with a password; 'mailbox' is the mailbox's own account and secret."`
	Password    Secret         `yaml:"password" doc:"Password of that user, or of the PFX."`
	Device      bool           `yaml:"device" doc:"true: a person signs in with a code on another device."`
	Browser     bool           `yaml:"browser" doc:"true: a person signs in in a browser."`
	Resource    string         `yaml:"resource" doc:"Audience of the token (default: the root of the path's service)."`
	Scopes      []string       `yaml:"scopes" doc:"Scopes to ask for (default: RESOURCE/.default)."`
}

// Basic is "auth: {basic: {…}}".
type Basic struct {
	Pos      strictyaml.Pos `yaml:"-"`
	User     string         `yaml:"user,required" doc:"Login; 'mailbox' is the mailbox's own account and secret."`
	Password Secret         `yaml:"password" doc:"Password of that login."`
}

// NTLM is "auth: {ntlm: {…}}".
type NTLM struct {
	Pos      strictyaml.Pos `yaml:"-"`
	User     string         `yaml:"user,required" doc:"Login, as DOMAIN\\user; 'mailbox' is the mailbox's own account and secret."`
	Password Secret         `yaml:"password" doc:"Password of that login."`
}

// Token is "auth: {token: {…}}": a token that somebody else fetched.
type Token struct {
	Pos    strictyaml.Pos `yaml:"-"`
	Secret Secret         `yaml:"secret,required" doc:"The token, sent as Bearer."`
}

// Graph is "graph: {…}": Microsoft Graph.
type Graph struct {
	Pos strictyaml.Pos `yaml:"-"`
	URL string         `yaml:"url,required" doc:"Root of the service with its version, such as https://graph.microsoft.com/v1.0."`
	As  string         `yaml:"as" enum:"app,user" doc:"Whether /me is said as /users/ADDRESS (app) or as /me (user); the default follows the sign-in."`
}

// Rest is "rest: {…}": the Outlook REST API of Exchange.
type Rest struct {
	Pos strictyaml.Pos `yaml:"-"`
	URL string         `yaml:"url,required" doc:"Root of the service with its version, such as https://mail.contoso.com/api/v2.0."`
	As  string         `yaml:"as" enum:"app,user" doc:"Whether /me is said as /users/ADDRESS (app) or as /me (user); the default follows the sign-in."`
}

// Plain is "plain: {…}": any HTTP service, asked as written.
type Plain struct {
	Pos strictyaml.Pos `yaml:"-"`
	URL string         `yaml:"url,required" doc:"Root that URLs of the suite are appended to."`
}

// Delegated reports whether the path signs in as a user, so that the service knows whose
// /me is meant. It is false for an application that signs in as itself.
func (p Path) Delegated() bool {
	switch p.Auth.Kind {
	case "basic", "ntlm":
		return true
	case "entra":
		var e Entra
		p.Auth.Decode(&e)
		return e.User != "" || e.Device || e.Browser
	}
	return false
}

// auth checks a sign-in, unless the lab fills it in.
func (c *checker) auth(path *Path) {
	a := path.Auth
	at := a.Pos
	switch a.Kind {
	case "entra":
		var e Entra
		if c.decoded(a.Decode(&e)) {
			c.entra(path, e, at)
		}
	case "basic":
		var b Basic
		if c.decoded(a.Decode(&b)) {
			c.password(b.User, b.Password, at)
		}
	case "ntlm":
		var n NTLM
		if c.decoded(a.Decode(&n)) {
			c.password(n.User, n.Password, at)
		}
	case "token":
		var t Token
		c.decoded(a.Decode(&t))
	}
	if (a.Kind == "basic" || a.Kind == "ntlm" || a.Kind == "token") && !a.HasParams() {
		c.problems.Add(at, "%q needs its parameters", a.Kind)
	}
}

// decoded keeps the problems of a block and reports whether there were none.
func (c *checker) decoded(problems strictyaml.Problems) bool {
	c.problems = append(c.problems, problems...)
	return len(problems) == 0
}

func (c *checker) entra(path *Path, e Entra, at strictyaml.Pos) {
	as := 0
	for _, given := range []bool{!e.Secret.IsZero(), !e.Certificate.IsZero(), e.User != "", e.Device, e.Browser} {
		if given {
			as++
		}
	}
	lab := path.Dialect.Kind == "lab"
	switch {
	case as > 1:
		c.problems.Add(at, "secret, certificate, user, device and browser exclude each other: say once as whom to sign in")
	case as == 0 && !lab:
		c.problems.Add(at, "say as whom to sign in: one of secret, certificate, user, device, browser")
	}
	if !lab && e.Client == "" {
		c.problems.Add(at, `"client" is missing: the id of the application that is registered for this`)
	}
	if !lab && e.Tenant == "" && e.Authority == "" {
		c.problems.Add(at, `"tenant" is missing`)
	}
	if !lab && e.Certificate.IsZero() { // a PFX has a password without a user
		c.password(e.User, e.Password, at)
	}
}

// password checks that a user has a password and nobody else has.
func (c *checker) password(user string, password Secret, at strictyaml.Pos) {
	switch {
	case user == MailboxUser && !password.IsZero():
		c.problems.Add(at, "a mailbox signs in with its own secret (column PATH_secret): leave password out")
	case user == "" && !password.IsZero():
		c.problems.Add(at, "a password needs its user")
	case user != "" && user != MailboxUser && password.IsZero():
		c.problems.Add(at, "the user %q needs a password: {env: NAME}", user)
	}
}
