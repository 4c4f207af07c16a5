package lab

import (
	"crypto/rsa"
	"encoding/binary"
	"encoding/hex"

	"cutover/harness/lab/sts"
	"cutover/harness/lab/token"
)

// Permissions that the lab's applications have been granted.
var (
	graphRoles = []string{"Mail.ReadWrite", "Mail.Send", "MailboxSettings.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite", "User.Read.All"}
	graphScope = []string{"Mail.ReadWrite", "Mail.Send", "MailboxSettings.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite", "User.Read", "User.ReadBasic.All"}
	ownRoles   = []string{"full_access_as_app"}
	ownScope   = []string{"Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.ReadWrite", "EWS.AccessAsUser.All"}
)

// applications are the registered clients: one that acts as itself, one with
// which users sign in, one of either kind that may only read mail.
func applications(seed uint64, audience string, key *rsa.PublicKey, d *deployment) []sts.App {
	both := func(graph, own []string) map[string][]string {
		return map[string][]string{token.GraphAudience: graph, audience: own}
	}
	redirects := []string{"http://localhost", "http://127.0.0.1"}
	apps := []sts.App{
		{Name: "cutover lab service", Secret: secret(seed, 1), Keys: []*rsa.PublicKey{key}, Roles: both(graphRoles, ownRoles),
			Scopes: both(graphScope, ownScope), Redirects: redirects},
		{Name: "cutover lab desktop", Public: true, Scopes: both(graphScope, ownScope), Redirects: redirects},
		{Name: "cutover lab reader", Secret: secret(seed, 3), Roles: both([]string{"Mail.Read"}, nil)},
		{Name: "cutover lab mail viewer", Public: true, Scopes: both([]string{"Mail.Read", "User.Read"}, []string{"Mail.Read"}), Redirects: redirects},
	}
	for i := range apps {
		a := &apps[i]
		a.ID, a.Object = guid(seed, uint64(100+i)), guid(seed, uint64(200+i))
		if d.noRoles {
			a.Roles = nil
		}
		if d.noScopes {
			a.Scopes = nil
		}
		if d.secretExpired && a.Secret != "" {
			a.Condition = 7000222
		}
		if d.appDisabled {
			a.Condition = 7000112
		}
	}
	return apps
}

// clientsOf tells the applications to clients of the lab.
func clientsOf(apps []sts.App) []Client {
	kinds := []string{"app-only", "delegated", "app-only-limited", "delegated-limited"}
	var out []Client
	for i, a := range apps {
		out = append(out, Client{ID: a.ID, Secret: a.Secret, Kind: kinds[i], Name: a.Name})
	}
	return out
}

// secret is a client secret made of the seed. It opens nothing but this lab.
func secret(seed, n uint64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], mix(seed, 1000+n))
	binary.BigEndian.PutUint64(b[8:], mix(seed, 2000+n))
	return "lab~" + hex.EncodeToString(b[:])
}

func guid(seed, n uint64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], mix(seed, 3000+n))
	binary.BigEndian.PutUint64(b[8:], mix(seed, 4000+n))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
