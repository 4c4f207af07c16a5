package auth

import (
	"sync"

	"cutover/profiles"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// shared is a client that is made when first needed and then kept: MSAL
// fetches a service's metadata once for each client. A failure is not kept.
type shared[T any] struct {
	make func() (T, error)

	mu       sync.Mutex // guards the fields below
	made     bool
	client   T
	accounts map[string]public.Account // by who, for renewal
}

func (s *shared[T]) get() (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made {
		return s.client, nil
	}
	client, err := s.make()
	if err == nil {
		s.client, s.made = client, true
	}
	return client, err
}

func (s *shared[T]) account(who string) (public.Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[who]
	return a, ok
}

func (s *shared[T]) remember(who string, a public.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts == nil {
		s.accounts = map[string]public.Account{}
	}
	s.accounts[who] = a
}

// address is how the path reaches m.
func (s *source) address(m profiles.Mailbox) profiles.Address {
	name := s.path.Name
	if s.path.Addresses != "" {
		name = s.path.Addresses
	}
	return m.Address[name]
}

// account is the name that m signs in with on this path.
func (s *source) account(m profiles.Mailbox) (string, error) {
	if who := s.address(m).Account(); who != "" {
		return who, nil
	}
	return "", &Error{Path: s.path.Name, Reason: Setup, Final: true, What: "mailbox " + m.Name + " has no account on this path", Remedy: "add its login to the profile's mailboxes"}
}

// resolve follows a reference to a secret and tells redaction about it.
func (s *source) resolve(secret profiles.Secret, who string) (string, error) {
	value, err := secret.Resolve(s.o.Env)
	if err != nil {
		// Secret's errors name the reference and never hold the value.
		return "", &Error{Path: s.path.Name, Who: who, Reason: Secret, Final: true, What: err.Error(), Remedy: "correct the reference in the profile or provide what it names"}
	}
	s.o.Learn(string(value))
	return string(value), nil
}
