package token

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// directories are the front-end virtual directories of Exchange with the token
// kinds that their configuration lists. The lists are those of captured
// configuration files of Exchange 2016 CU22 and 2019 CU11; other builds were
// not seen. The order of the kinds is the file's.
var directories = []struct {
	name  string
	kinds []Kind
}{
	{"/api", []Kind{S2SAppActAs, S2SAppOnly, V1AppActAs, V1AppOnly, Callback, V1S2SActAs}},
	{"/EWS", []Kind{S2SAppActAs, S2SAppOnly, V1AppActAs, V1AppOnly, Callback}},
	{"/Autodiscover", []Kind{S2SAppActAs, S2SAppOnly, V1AppActAs, V1AppOnly}},
	{"/Microsoft-Server-ActiveSync", []Kind{V1AppActAs}},
	{"/mapi", []Kind{V1AppActAs}},
	{"/OAB", []Kind{V1AppActAs, Callback}},
	{"/ECP", []Kind{S2SAppActAs}},
}

// skew is how far clocks may differ before a server refuses: five minutes, the
// usual tolerance of token libraries.
const skew = 5 * time.Minute

// abouts say what a kind is for.
var abouts = map[Kind]string{
	V1AppActAs:   "An application speaks for a signed-in user.",
	V1AppOnly:    "An application speaks for itself, with nobody signed in (client credentials).",
	V1S2SActAs:   "A service of Microsoft passes a user's request on with a token of its own. Graph made such tokens towards Exchange on premises.",
	V1S2SAppOnly: "A service of Microsoft speaks for itself. Graph made such a token when an app-only request met a mailbox on premises.",
	S2SAppActAs:  "The older server-to-server form with a user's context: hybrid free/busy, Skype for Business, SharePoint.",
	S2SAppOnly:   "The older server-to-server form without a user.",
	V2ActAs:      "An application speaks for a signed-in user, in the second format.",
	V2AppOnly:    "An application speaks for itself, in the second format.",
	Callback:     "Exchange made it for an add-in, for one mailbox or item and five minutes.",
	Identity:     "Exchange made it so that an add-in's own server knows the user. It opens nothing.",
	ID:           "It tells the application who signed in. It opens nothing.",
}

// explain judges one token.
func explain(c claims, o Options) Token {
	kind := c.kind()
	t := Token{Kind: kind, About: abouts[kind], Facts: c.facts()}
	t.Judgements = append(c.times(o.Now), c.setting(o)...)
	switch kind {
	case ID:
		t.Judgements = append(t.Judgements, Judgement{Fail, "this is an ID token: it says who signed in and opens no mailbox", "send the access_token of the same answer"})
		t.Predictions = nowhere("an ID token opens nothing")
	case Identity:
		t.Predictions = nowhere("an identity token opens nothing")
	default:
		t.Predictions = c.predict(kind, o)
	}
	return t
}

// times judges the token's time against now.
func (c *claims) times(now time.Time) (all []Judgement) {
	if now.IsZero() {
		return nil
	}
	switch from := max(c.Nbf, c.Iat); {
	case c.Exp > 0 && now.After(c.Exp.time().Add(skew)):
		all = append(all, Judgement{Fail, fmt.Sprintf("it ended %s ago", age(now.Sub(c.Exp.time()))), "fetch a new one"})
	case c.Exp > 0 && now.After(c.Exp.time()):
		all = append(all, Judgement{Warn, "it has just ended; servers with a tolerance still take it", "fetch a new one"})
	case from > 0 && now.Before(from.time().Add(-skew)):
		all = append(all, Judgement{Fail, fmt.Sprintf("it begins in %s: this machine's clock or the token service's is wrong", age(from.time().Sub(now))), "compare both clocks with a time server"})
	case from > 0 && now.Before(from.time()):
		all = append(all, Judgement{Warn, fmt.Sprintf("it was issued %s in the future: this machine's clock is behind", age(from.time().Sub(now))), "compare the clock with a time server"})
	case c.Exp > 0:
		all = append(all, Judgement{Good, fmt.Sprintf("it is valid for %s more", age(c.Exp.time().Sub(now))), ""})
	}
	return all
}

func age(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	text := d.Round(time.Second).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// setting judges tenant, grants and signature.
func (c *claims) setting(o Options) (all []Judgement) {
	if o.Tenant != "" && c.Tid != "" && !strings.EqualFold(o.Tenant, c.Tid) {
		all = append(all, Judgement{Fail, "it is of tenant " + clean(c.Tid) + ", the deployment is of " + o.Tenant, "sign in at the deployment's tenant"})
	}
	if c.JWT && (c.Head.Alg == "none" || !c.Signed) && c.Actor == "" {
		all = append(all, Judgement{Fail, "it is not signed", "paste or send the whole token"})
	}
	if c.Scp != "" && len(c.Roles) > 0 {
		all = append(all, Judgement{Warn, "it has roles and scp: with a user signed in, scp counts and roles are the user's", ""})
	}
	if c.Scp == "" && len(c.Roles) == 0 && (c.IDTyp == "app" || c.AppID+c.Azp != "" && c.user() == "") {
		all = append(all, Judgement{Fail, "the application has no permission at all (no roles)", "give it application permissions, such as Mail.Read, and have an administrator consent"})
	}
	return all
}

// meant is whom an audience names.
type meant int

const (
	nobody meant = iota
	forGraph
	forCloud    // Exchange Online
	forExchange // Exchange anywhere, by its id
	forOnPrem
)

// audience tells whom the token is for, and the host it names.
func (c *claims) audience(o Options) (who meant, host string) {
	aud := strings.ToLower(strings.TrimPrefix(string(c.Aud), "spn:"))
	id, _, _ := strings.Cut(aud, "/")
	id, _, _ = strings.Cut(id, "@")
	switch id {
	case graphApp:
		return forGraph, ""
	case exchangeApp:
		_, host, _ = strings.Cut(aud, "/")
		host, _, _ = strings.Cut(host, "@")
		return forExchange, host
	}
	u, err := url.Parse(aud)
	if err != nil || u.Host == "" {
		return nobody, ""
	}
	switch h := u.Hostname(); {
	case h == "graph.microsoft.com" || h == "graph.microsoft.us" || h == "dod-graph.microsoft.us" || h == "microsoftgraph.chinacloudapi.cn":
		return forGraph, h
	case strings.HasPrefix(h, "outlook.office") || h == "outlook.office365.us" || h == "webmail.apps.mil" || h == "partner.outlook.cn":
		return forCloud, h
	case len(o.Hosts) == 0 || slices.ContainsFunc(o.Hosts, func(own string) bool { return strings.EqualFold(own, u.Hostname()) || strings.EqualFold(own, u.Host) }):
		return forOnPrem, u.Host
	}
	return nobody, u.Host
}

// predict tells what each service would make of the token.
func (c *claims) predict(kind Kind, o Options) []Prediction {
	who, host := c.audience(o)
	ended := !o.Now.IsZero() && c.Exp > 0 && o.Now.After(c.Exp.time().Add(skew))
	cloud := func(service string, right bool, other string) Prediction {
		switch {
		case ended:
			return Prediction{service, Rejected, 0, "it has ended"}
		case !right:
			return Prediction{service, Rejected, 0, other}
		}
		return Prediction{service, Accepted, 0, "it is meant for this service"}
	}
	all := []Prediction{
		cloud("Graph", who == forGraph, "it is not meant for Graph"),
		cloud("Exchange Online", who == forCloud || who == forExchange && (host == "" || strings.HasPrefix(host, "outlook.")), "it is not meant for Exchange Online"),
	}
	for _, d := range directories {
		p := Prediction{Service: d.name, Verdict: Rejected}
		switch {
		case ended:
			p.Code, p.Why = 2000002, "it has ended"
		case who == forGraph:
			p.Code, p.Why = 2000003, "it is meant for Graph; a token for Exchange on premises names the server's own address as audience"
		case who == forCloud:
			p.Code, p.Why = 2000003, "it is meant for Exchange Online"
		case who == nobody:
			p.Code, p.Why = 2000003, "its audience "+clean(orElse(host, "is missing"))+" is not the deployment's"
		case strings.HasPrefix(strings.ToLower(string(c.Aud)), "http://"):
			p.Code, p.Why = 2000003, "its audience says http, the server's address https: TLS ends at a proxy in front (SSL offload), or resource is misspelt"
		case o.Tenant != "" && c.Tid != "" && !strings.EqualFold(o.Tenant, c.Tid):
			p.Code, p.Why = 2000004, "it is of another tenant"
		case !slices.Contains(d.kinds, kind):
			p.Code, p.Why = 2000001, fmt.Sprintf("token kind %s is not in the list of this directory", kind)
		case kind == V1AppOnly || kind == S2SAppOnly:
			p.Verdict, p.Code, p.Why = Doubtful, 2000008, "the kind is listed, but an application without a user needs rights on premises that only Microsoft's own partners are given"
		default:
			p.Verdict, p.Why = Accepted, "the kind is listed; the user needs a mailbox on premises and the organisation hybrid modern authentication"
		}
		all = append(all, p)
	}
	return all
}
