package plan

import (
	"fmt"
	"strings"

	"cutover/profiles"
)

// bind gives a profile whose lab has not started stand-ins for what the lab will
// offer, so that a plan can be made, checked and hashed without it. The plan of the
// started lab is the same but for addresses.
func (c *compiler) bind() error {
	if !c.profile.UsesLab() {
		return nil
	}
	e := profiles.Endpoints{
		URLs:      map[string]string{},
		Authority: "https://127.0.0.1/lab", Tenant: "lab",
		Clients: []profiles.LabClient{{ID: "app-only", Kind: "app-only"}, {ID: "delegated", Kind: "delegated"}},
	}
	for _, path := range c.profile.Paths {
		if path.Value.Dialect.Kind != "lab" {
			continue
		}
		service, _, _ := path.Value.Dialect.Text("")
		root := "https://127.0.0.1/v1.0"
		if strings.HasPrefix(service, "rest") {
			root = "https://127.0.0.1/api/v2.0"
		}
		e.URLs[service] = root
	}
	for i := range c.profile.Mailboxes.Lab {
		upn, name := fmt.Sprintf("mailbox-%04d@lab", i+1), fmt.Sprintf("mailbox-%04d", i+1)
		if i < len(c.plan.Options.Names) {
			name = c.plan.Options.Names[i]
		}
		e.Pairs = append(e.Pairs, profiles.LabPair{Name: name, OnPremUPN: upn, CloudUPN: upn})
	}
	bound, err := c.profile.Bind(e)
	if err != nil {
		return err
	}
	c.profile, c.plan.Profile, c.plan.Unbound = bound, bound, true
	return nil
}
