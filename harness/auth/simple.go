package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// none signs in as nobody.
type none struct{}

func (none) who(profiles.Mailbox) (string, error) { return "", nil }

func (none) acquire(context.Context, profiles.Mailbox) (grant, error) { return grant{}, nil }

// account is a user name with a password: Basic and NTLM.
type account struct {
	source   *source
	user     string
	password profiles.Secret
	ntlm     bool
}

func newBasic(s *source, block strictyaml.Block) (kind, error) {
	var p profiles.Basic
	problems := block.Decode(&p)
	return newAccount(s, block, problems, p.User, p.Password, false)
}

func newNTLM(s *source, block strictyaml.Block) (kind, error) {
	var p profiles.NTLM
	problems := block.Decode(&p)
	return newAccount(s, block, problems, p.User, p.Password, true)
}

func newAccount(s *source, block strictyaml.Block, problems strictyaml.Problems, user string, password profiles.Secret, ntlm bool) (kind, error) {
	switch {
	case len(problems) > 0:
	case user == "":
		problems.Add(block.Pos, "%s needs user", block.Kind)
	case user != profiles.MailboxUser && password.IsZero():
		problems.Add(block.Pos, "user %q needs password", user)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &account{s, user, password, ntlm}, nil
}

func (k *account) who(m profiles.Mailbox) (string, error) {
	if k.user == profiles.MailboxUser {
		return k.source.account(m)
	}
	return k.user, nil
}

func (k *account) acquire(_ context.Context, m profiles.Mailbox) (grant, error) {
	user, err := k.who(m)
	if err != nil {
		return grant{}, err
	}
	secret := k.password
	if k.user == profiles.MailboxUser {
		secret = k.source.address(m).Secret
	}
	password, err := k.source.resolve(secret, user)
	if err != nil {
		return grant{}, err
	}
	if k.ntlm {
		return grant{login: &login{user, password}}, nil
	}
	if strings.Contains(user, ":") {
		return grant{}, &Error{Path: k.source.path.Name, Who: user, Reason: Setup, Final: true, What: "a Basic login cannot hold a colon", Remedy: "use another name of the account"}
	}
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	k.source.o.Learn(pair)
	return grant{header: "Basic " + pair}, nil
}

// static is a token that somebody else fetched: from a variable, a file or a
// program (the exec helper). Near the end of its life it is fetched again.
type static struct {
	source *source
	secret profiles.Secret
}

func newToken(s *source, block strictyaml.Block) (kind, error) {
	var p profiles.Token
	problems := block.Decode(&p)
	if len(problems) == 0 && p.Secret.IsZero() {
		problems.Add(block.Pos, "token needs secret")
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &static{s, p.Secret}, nil
}

func (k *static) who(profiles.Mailbox) (string, error) { return "the given token", nil }

func (k *static) acquire(context.Context, profiles.Mailbox) (grant, error) {
	text, err := k.source.resolve(k.secret, "")
	if err != nil {
		return grant{}, err
	}
	token := strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(token, "Bearer "); ok {
		token = strings.TrimSpace(rest)
	}
	if strings.ContainsAny(token, " \r\n\t") {
		return grant{}, &Error{Path: k.source.path.Name, Reason: Secret, Final: true, What: "the given token holds blanks or line breaks", Remedy: "provide the token alone"}
	}
	expires := expiry(token)
	if !expires.IsZero() && !k.source.o.Clock.Now().Before(expires.Add(-early)) {
		return grant{}, &Error{Path: k.source.path.Name, Reason: Refused, Code: "expired", What: "the given token has expired", Remedy: "fetch a new one; `cutover token --stdin` explains it"}
	}
	return grant{header: "Bearer " + token, expires: expires}, nil
}

// expiry reads when a JWT ends, without judging it; zero when it does not say.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}
