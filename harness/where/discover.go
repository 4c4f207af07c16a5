package where

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"cutover/harness/wire"
	"cutover/profiles"
)

// Form is one of the two URL forms of Autodiscover v2.
type Form uint8

// The forms: autodiscover.json?Email=… and autodiscover.json/v1.0/ADDRESS.
const (
	Query Form = iota
	Segment
)

// maxHops is where following redirects ends: the servers themselves give up at ten.
const maxHops = 10

// Discovery asks Autodiscover v2, anonymously.
type Discovery struct {
	// Anonymous is the sender for a URL; nil for a host that the rules do not
	// let anybody ask.
	Anonymous func(url string) wire.Doer
	// CloudEnd and OnPremEnd are scheme and host of the two ends; "" for none.
	CloudEnd, OnPremEnd string
}

// Answer is where one end of Autodiscover leads.
type Answer struct {
	Status int
	Code   string // ErrorCode of a refusal
	URL    string // endpoint of the protocol, when found
	Host   string // host that answered, or that the last redirect names
	Hops   int
	// Home is Cloud or OnPrem when the answer says so, Moving when the two ends
	// send the address in circles, else Unknown.
	Home Location
	// Failure is what went wrong when no answer came; "" otherwise.
	Failure string
}

// String is the answer in one line.
func (a Answer) String() string {
	switch {
	case a.Failure != "":
		return a.Failure
	case a.URL != "":
		return fmt.Sprintf("%d %s", a.Status, a.URL)
	case a.Status >= 300 && a.Status < 400:
		return fmt.Sprintf("%d to %s", a.Status, a.Host)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, a.Code))
}

// Address is the URL of one question.
func Address(base, email, protocol string, form Form) string {
	if form == Segment {
		return base + "/autodiscover/autodiscover.json/v1.0/" + url.PathEscape(email) + "?Protocol=" + url.QueryEscape(protocol)
	}
	return base + "/autodiscover/autodiscover.json?Email=" + url.QueryEscape(email) + "&Protocol=" + url.QueryEscape(protocol)
}

// Ask follows Autodiscover from one end until a mailbox's home is known. A
// redirect to a host that nobody may ask is an answer too: it names the home.
func (d Discovery) Ask(ctx context.Context, base, email, protocol string, form Form) Answer {
	at := Address(base, email, protocol, form)
	a := Answer{Home: Unknown}
	seen := map[string]bool{}
	for a.Hops = 0; a.Hops <= maxHops; a.Hops++ {
		a.Host = hostOf(at)
		doer := d.Anonymous(at)
		if doer == nil {
			a.Home = d.home(at)
			if a.Hops == 0 {
				a.Home, a.Failure = Unknown, "nobody may ask "+a.Host
			}
			return a
		}
		call := &wire.Call{}
		doer.Do(ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodGet, URL: at, Template: "GET autodiscover.json"}, call)
		if call.Failure != nil {
			if a.Hops > 0 {
				a.Home = d.home(at)
			}
			a.Failure = call.Failure.Error()
			return a
		}
		a.Status = call.Response.Status
		next := call.Response.Header.Value("Location")
		if a.Status < 300 || a.Status > 399 || next == "" {
			a.read(call.Response.Body)
			if a.URL != "" || a.Hops > 0 && a.Code == "" {
				a.Home = d.home(at) // found there, or at least sent there
			}
			return a
		}
		target, err := resolve(at, next)
		if err != nil {
			a.Failure = "a redirect that cannot be read"
			return a
		}
		seen[a.Host] = true
		if to := hostOf(target); seen[to] {
			if to != a.Host {
				a.Home = Moving // the two send each other in circles
			}
			a.Host = to // an end that sends to itself does not know the address
			return a
		}
		at = target
	}
	a.Failure = "redirected too often"
	return a
}

// home is the side that a URL is on.
func (d Discovery) home(at string) Location {
	switch host := hostOf(at); {
	case d.CloudEnd != "" && host == hostOf(d.CloudEnd), strings.HasSuffix(host, ".office365.com:443"), strings.HasSuffix(host, ".outlook.com:443"), strings.HasSuffix(host, ".office.com:443"):
		return Cloud
	default:
		return OnPrem
	}
}

func (a *Answer) read(body []byte) {
	var doc struct {
		Url       string
		ErrorCode string
	}
	if json.Unmarshal(body, &doc) == nil {
		a.Code = word(doc.ErrorCode)
		if u, err := url.Parse(doc.Url); a.Status == http.StatusOK && err == nil {
			a.URL = u.String()
		}
	}
}

// hostOf is host:port of a URL, the port spelt out.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that cannot be read"
	}
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

func resolve(at, location string) (string, error) {
	base, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	to, err := base.Parse(location)
	if err != nil {
		return "", err
	}
	return to.String(), nil
}

// plans asks the directory whether the user has a plan for mail.
func (r *Route) plans(ctx context.Context, m profiles.Mailbox) (mail bool, status int) {
	call := r.Ask(ctx, m, "/me?$select=id,assignedPlans")
	if call.Failure != nil {
		return false, 0
	}
	var doc struct {
		AssignedPlans []struct{ Service, CapabilityStatus string }
	}
	if json.Unmarshal(call.Response.Body, &doc) != nil {
		return false, call.Response.Status
	}
	for _, p := range doc.AssignedPlans {
		if strings.EqualFold(p.Service, "exchange") && strings.EqualFold(p.CapabilityStatus, "Enabled") {
			mail = true
		}
	}
	return mail, call.Response.Status
}
