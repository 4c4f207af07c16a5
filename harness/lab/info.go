package lab

import "cutover/harness/lab/faults"

// Info is what a client needs to know to talk to a started lab. It is the line
// that `cutover lab --json` prints.
type Info struct {
	Graph              string            `json:"graph"`               // service root of Graph v1.0 as it is today
	GraphUpload        string            `json:"graph_upload"`        // host that takes upload sessions, under another name than Graph's
	Rest               string            `json:"rest"`                // service root of the on-prem REST API v2.0
	Autodiscover       string            `json:"autodiscover"`        // cloud end: answers 302 for on-prem mailboxes
	AutodiscoverOnPrem string            `json:"autodiscover_onprem"` // on-prem end
	Authority          string            `json:"authority"`           // token service, with the tenant as its path
	CA                 string            `json:"ca"`                  // file of the lab's certificate authority; "" when none was written
	Control            string            `json:"control"`             // plain HTTP: /stats, /frontend-log, /planted, POST /move
	Tenant             string            `json:"tenant"`
	Preset             string            `json:"preset"`
	Proxy              string            `json:"proxy"`
	GraphEras          map[string]string `json:"graph_eras"` // service roots of Graph in other years, over the same mailboxes
	Clients            []Client          `json:"clients"`
	Users              []User            `json:"users"`
	Pairs              []Pair            `json:"pairs"`
	ServiceAccount     Account           `json:"service_account"` // on-prem, has full access to every mailbox there
}

// Account is an on-prem login that belongs to no mailbox.
type Account struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// Client is an application that is registered with the token service. Secret is
// "" for public clients. Kind is app-only, delegated or public.
type Client struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
}

// User is a person who can sign in. Location is onprem, cloud, unlicensed or softdeleted.
type User struct {
	UPN      string `json:"upn"`
	Password string `json:"password"`
	Location string `json:"location"`
}

// Pair is a twin: the same person's mailbox on either side.
type Pair struct {
	Name           string `json:"name"`
	OnPremUPN      string `json:"onprem_upn"`
	OnPremPassword string `json:"onprem_password"`
	CloudUPN       string `json:"cloud_upn"`
	CloudPassword  string `json:"cloud_password"`
}

// Stats counts the requests that were served, by service: graph, graph-2019,
// rest, autodiscover, authority. A request is counted when it arrives at the
// outermost handler, whatever its answer.
type Stats struct {
	Services map[string]uint64 `json:"services"`
	// Throttling is how Graph's limits were kept to.
	Throttling faults.Ledger `json:"throttling"`
}
