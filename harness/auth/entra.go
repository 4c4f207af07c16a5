package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// entra signs in at Microsoft Entra ID, AD FS or the lab's token service
// through MSAL. The library is kept to the profile's authority (no instance
// discovery), to the door's HTTP, and to one call at a time per identity.
type entra struct {
	source    *source
	params    profiles.Entra
	http      HTTP
	authority string
	scopes    []string

	app  *shared[confidential.Client]
	user *shared[public.Client]
}

func newEntra(s *source, block strictyaml.Block, h HTTP) (kind, error) {
	var p profiles.Entra
	problems := block.Decode(&p)
	k := &entra{source: s, http: h, authority: authority(s.path, p)}
	ways := 0
	for _, said := range []bool{!p.Secret.IsZero(), !p.Certificate.IsZero(), p.User != "", p.Device, p.Browser} {
		if said {
			ways++
		}
	}
	at := block.Pos
	switch {
	case p.Client == "":
		problems.Add(at, "entra needs client, the application's id")
	case p.Tenant == "" && p.Authority == "":
		problems.Add(at, "entra needs tenant or authority")
	case ways != 1:
		problems.Add(at, "entra needs exactly one of secret, certificate, user, device and browser")
	case p.User != "" && p.User != profiles.MailboxUser && p.Password.IsZero():
		problems.Add(at, "user %q needs password", p.User)
	case p.Device && s.o.Prompt == nil, p.Browser && s.o.Browse == nil:
		problems.Add(at, "nobody is here to sign in: use secret, certificate or user")
	}
	k.params = p
	if len(problems) == 0 {
		k.scopes = p.Scopes
		if len(p.Scopes) == 0 {
			audience, err := p.Resource, error(nil)
			if audience == "" {
				audience, err = origin(s.path)
			}
			if err != nil {
				problems.Add(at, "%v: say resource", err)
			}
			k.scopes = []string{strings.TrimSuffix(audience, "/") + "/.default"}
		}
		// MSAL adds these itself and refuses them from its callers.
		k.scopes = slices.DeleteFunc(slices.Clone(k.scopes), func(s string) bool { return s == "openid" || s == "offline_access" || s == "profile" })
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	k.app = &shared[confidential.Client]{make: k.newApp}
	k.user = &shared[public.Client]{make: k.newUser}
	return k, nil
}

// who is the application, the fixed user, or the mailbox's own account.
func (k *entra) who(m profiles.Mailbox) (string, error) {
	switch {
	case k.params.User == profiles.MailboxUser:
		return k.source.account(m)
	case k.params.User != "":
		return k.params.User, nil
	}
	return k.params.Client, nil
}

func (k *entra) acquire(ctx context.Context, m profiles.Mailbox) (grant, error) {
	patience := k.source.o.Patience
	if k.params.Device || k.params.Browser {
		patience = people
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if k.params.User == "" && !k.params.Device && !k.params.Browser {
		return k.asApp(ctx)
	}
	return k.asUser(ctx, m)
}

func (k *entra) asApp(ctx context.Context) (grant, error) {
	client, err := k.app.get()
	if err != nil {
		return grant{}, err
	}
	r, err := client.AcquireTokenByCredential(ctx, k.scopes)
	return k.granted(r, err)
}

// granted takes the token and nothing else out of MSAL's answer.
func (k *entra) granted(r confidential.AuthResult, err error) (grant, error) {
	if err != nil {
		return grant{}, err
	}
	k.source.o.Learn(r.AccessToken)
	return grant{header: "Bearer " + r.AccessToken, expires: r.ExpiresOn}, nil
}

// asUser signs a person or a mailbox's account in, with the refresh token of
// the last time where there is one.
func (k *entra) asUser(ctx context.Context, m profiles.Mailbox) (grant, error) {
	client, err := k.user.get()
	if err != nil {
		return grant{}, err
	}
	who, err := k.who(m)
	if err != nil {
		return grant{}, err
	}
	if account, ok := k.user.account(who); ok {
		if r, err := client.AcquireTokenSilent(ctx, k.scopes, public.WithSilentAccount(account)); err == nil {
			return k.granted(r, nil)
		} else if e := classify(k.source.path.Name, who, err); !e.Final {
			return grant{}, e
		}
	}
	r, err := k.afresh(ctx, client, who, m)
	if err == nil {
		k.user.remember(who, r.Account)
	}
	return k.granted(r, err)
}

// afresh signs in without anything from before.
func (k *entra) afresh(ctx context.Context, client public.Client, who string, m profiles.Mailbox) (public.AuthResult, error) {
	switch {
	case k.params.Browser:
		return client.AcquireTokenInteractive(ctx, k.scopes, public.WithOpenURL(k.source.o.Browse), public.WithRedirectURI("http://localhost"))
	case k.params.Device:
		code, err := client.AcquireTokenByDeviceCode(ctx, k.scopes)
		if err != nil {
			return public.AuthResult{}, err
		}
		k.source.o.Prompt(code.Result.Message)
		return code.AuthenticationResult(ctx)
	}
	secret := k.params.Password
	if k.params.User == profiles.MailboxUser {
		secret = k.source.address(m).Secret
	}
	password, err := k.source.resolve(secret, who)
	if err != nil {
		return public.AuthResult{}, err
	}
	return passwords(client).AcquireTokenByUsernamePassword(ctx, k.scopes, who, password)
}

// passwords is the part of MSAL that signs in with a password. The library
// discourages it, because it cannot do a second factor and teaches applications to
// handle passwords. It stays here on purpose: it is the only way to sign
// thousands of test mailboxes in without a person, and profiles choose it by name.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string, opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

// newApp makes the client of an application that signs in as itself.
func (k *entra) newApp() (client confidential.Client, err error) {
	var cred confidential.Credential
	if k.params.Secret.IsZero() {
		cred, err = k.certificate()
	} else {
		var secret string
		if secret, err = k.source.resolve(k.params.Secret, k.params.Client); err == nil {
			cred, err = confidential.NewCredFromSecret(secret)
		}
	}
	if err != nil {
		return client, k.setup(err)
	}
	client, err = confidential.New(k.authority, k.params.Client, cred, confidential.WithHTTPClient(k.http), confidential.WithInstanceDiscovery(false))
	return client, k.setup(err)
}

func (k *entra) newUser() (public.Client, error) {
	client, err := public.New(k.params.Client, public.WithAuthority(k.authority), public.WithHTTPClient(k.http), public.WithInstanceDiscovery(false))
	return client, k.setup(err)
}

// setup replaces what the library says about the profile's own words.
func (k *entra) setup(err error) error {
	var ours *Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	return &Error{Path: k.source.path.Name, Who: k.params.Client, Reason: Setup, Final: true, What: "the sign-in library does not accept authority " + k.authority,
		Remedy: "an authority is https://HOST/TENANT"}
}
