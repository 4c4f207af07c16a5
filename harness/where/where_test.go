package where_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cutover/harness/auth"
	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deployment is a lab with a finder that may ask it.
type deployment struct {
	lab    *lab.Lab
	info   lab.Info
	finder *where.Finder
}

func deploy(t *testing.T, o lab.Options) *deployment {
	t.Helper()
	o.LatencyOnPrem, o.LatencyCloud = "none", "none"
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	info := l.Info()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(l.CAPEM())
	hosts := map[string][]string{"cloud": {host(t, info.Graph)}, "onprem": {host(t, info.Rest)},
		"anonymous": {host(t, info.Autodiscover), host(t, info.AutodiscoverOnPrem)}}
	door, err := guard.Open(guard.Rules{Simulated: true, Hosts: hosts, SignIn: map[string][]string{"cloud": {host(t, info.Authority)}, "onprem": {host(t, info.Authority)}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(door.Close)
	anonymous, err := door.Path("anonymous", guard.Options{CA: pool})
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{lab: l, info: info, finder: &where.Finder{Discovery: where.Discovery{
		Anonymous: func(string) wire.Doer { return anonymous }, CloudEnd: info.Autodiscover, OnPremEnd: info.AutodiscoverOnPrem}}}
	app := info.Clients[0]
	d.finder.Cloud = route(t, door, pool, profiles.Path{Name: "cloud", URL: info.Graph,
		Dialect: strictyaml.NewBlock("graph", strictyaml.Pos{}, map[string]any{"url": info.Graph, "as": "app"}),
		Auth: strictyaml.NewBlock("entra", strictyaml.Pos{}, map[string]any{"authority": info.Authority, "tenant": info.Tenant, "client": app.ID,
			"secret": profiles.SecretValue(app.Secret)})})
	d.finder.OnPrem = route(t, door, pool, profiles.Path{Name: "onprem", URL: info.Rest,
		Dialect: strictyaml.NewBlock("rest", strictyaml.Pos{}, map[string]any{"url": info.Rest}),
		Auth:    strictyaml.NewBlock("basic", strictyaml.Pos{}, map[string]any{"user": "mailbox"})})
	return d
}

func host(t *testing.T, url string) string {
	t.Helper()
	h, err := guard.HostPort(url)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func route(t *testing.T, door *guard.Door, pool *x509.CertPool, p profiles.Path) *where.Route {
	t.Helper()
	h, err := door.HTTP(p.Name, wire.Token, guard.Options{CA: pool})
	if err != nil {
		t.Fatal(err)
	}
	source, err := auth.New(p, p.Auth, h, auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	doer, err := door.Path(p.Name, guard.Options{CA: pool})
	if err != nil {
		t.Fatal(err)
	}
	return &where.Route{Path: p, Doer: doer, Auth: source}
}

func TestFiftyMixedMailboxesAreFound(t *testing.T) {
	d := deploy(t, lab.Options{Mailboxes: 24})
	right := 0
	for _, u := range d.info.Users {
		got := d.finder.Find(t.Context(), profiles.Mailbox{Name: u.UPN}, u.UPN)
		if string(got.Location) == u.Location && got.Decided != "" && len(got.Probes) >= 3 {
			right++
		} else {
			t.Errorf("%s is %s, found %+v", u.UPN, u.Location, got)
		}
	}
	if len(d.info.Users) != 50 || right != 50 {
		t.Errorf("%d of %d are right", right, len(d.info.Users))
	}
}

func TestWhereDecides(t *testing.T) {
	ideal := deploy(t, lab.Options{Mailboxes: 3})
	circle := deploy(t, lab.Options{Mailboxes: 3, Misconfigure: []string{"autodiscover-disagree"}})
	denied := deploy(t, lab.Options{Mailboxes: 3, Misconfigure: []string{"graph-denied"}})
	silent := deploy(t, lab.Options{Mailboxes: 3, Misconfigure: []string{"autodiscover-missing"}})
	moved := deploy(t, lab.Options{Mailboxes: 3})
	if err := moved.lab.Move(moved.info.Pairs[0].OnPremUPN, "cloud"); err != nil {
		t.Fatal(err)
	}
	preview := deploy(t, lab.Options{Mailboxes: 3, Proxy: "preview"})
	for _, f := range []*where.Finder{preview.finder, silent.finder} {
		f.OnPrem = nil
	}
	preview.finder.Discovery = where.Discovery{}
	anonymous := *ideal.finder
	anonymous.Cloud, anonymous.OnPrem = nil, nil
	onPrem, cloud := ideal.info.Pairs[0].OnPremUPN, ideal.info.Pairs[0].CloudUPN
	own := profiles.Mailbox{Name: "ann", Address: map[string]profiles.Address{
		"onprem": {UPN: onPrem, Secret: profiles.SecretValue(ideal.info.Pairs[0].OnPremPassword)}, "cloud": {UPN: cloud}}}
	for _, row := range []struct {
		name     string
		finder   *where.Finder
		mailbox  profiles.Mailbox
		address  string
		location where.Location
		decided  string
	}{
		{"the mailbox itself answers on premises: it decides", ideal.finder, own, onPrem, where.OnPrem, "Exchange on premises answered 200"},
		{"its twin answers Graph: it decides", ideal.finder, own, cloud, where.Cloud, "Graph answered 200"},
		{"nobody signs in: it is decided by Autodiscover alone", &anonymous, profiles.Mailbox{}, onPrem, where.OnPrem, "the cloud end of Autodiscover leads to"},
		{"nobody signs in for a twin: it is decided by the cloud end", &anonymous, profiles.Mailbox{}, cloud, where.Cloud, "the cloud end of Autodiscover answers for it"},
		{"the ends send each other in circles: it is moving", circle.finder, profiles.Mailbox{}, onPrem, where.Moving, "send it to each other"},
		{"it has moved: it is found at its new home", moved.finder, profiles.Mailbox{}, onPrem, where.Cloud, "Graph answered 200"},
		{"a policy denies: it says so where Autodiscover does not know", denied.finder, profiles.Mailbox{}, "x@contoso.test", where.Unknown, "policy"},
		{"a stranger: it is unknown", ideal.finder, profiles.Mailbox{}, "x@other.test", where.Unknown, "no such user"},
		{"only Graph of the preview can be asked: it recognises Exchange's refusal", preview.finder, profiles.Mailbox{}, onPrem, where.OnPrem, "an application without a user"},
		{"on-premises Autodiscover is silent: it takes the cloud end's word", silent.finder, profiles.Mailbox{}, onPrem, where.OnPrem, "leads to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := row.finder.Find(t.Context(), row.mailbox, row.address)
			if got.Location != row.location || !strings.Contains(got.Decided, row.decided) {
				t.Errorf("got %s (%s), want %s (%s)\n%+v", got.Location, got.Decided, row.location, row.decided, got.Probes)
			}
		})
	}
}

const previewSentence = " REST APIs for this mailbox are currently in preview. You can find more information about the preview REST APIs at https://dev.outlook.com/."

func TestTheShapesOfAMailboxThatIsNotHere(t *testing.T) {
	for _, row := range []struct {
		name          string
		status        int
		code, message string
		want          where.Class
		onPrem        bool
	}{
		{"the preview refuses an unknown request: it proves on premises", 400, "ErrorInvalidRequest", "The OData request is not supported." + previewSentence, where.Preview, true},
		{"a body in Graph's case reaches Exchange: it was not translated", 400, "RequestBodyRead", "The property 'subject' does not exist on type 'Microsoft.OutlookServices.Message'." + previewSentence, where.Untranslated, true},
		{"a type of Graph's reaches Exchange: it was not translated", 400, "RequestBodyRead", "A type named 'microsoft.graph.message' could not be resolved by the model." + previewSentence, where.Untranslated, true},
		{"an empty UnknownError with 401: it is Graph's token that was refused", 401, "UnknownError", "", where.AppOnly, true},
		{"the wording until 2021: it says not here", 404, "MailboxNotEnabledForRESTAPI", "REST API is not yet supported for this mailbox.", where.NotHere, false},
		{"the wording since 2022: it says not here", 404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.", where.NotHere, false},
		{"the code that alternates with it: it says not here", 404, "ResourceNotFound", "Resource could not be discovered.", where.NotHere, false},
		{"a bare 404: it says not here", 404, "", "", where.NotHere, false},
		{"an empty UnknownError with 404: it says not here", 404, "UnknownError", "", where.NotHere, false},
		{"a subscription: it proves on premises", 400, "ExtensionError", "Operation: Create; Exception: [Status Code: NotFound; Reason: REST API is not yet supported for this mailbox.]", where.NoExtension, true},
		{"objects missing on premises: it proves on premises", 401, "AuthenticationError", "Error authenticating with resource", where.NoTrust, true},
		{"the caller's own token: it says nothing of the place", 401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", where.NoToken, false},
		{"a policy: it says nothing of the place", 403, "ErrorAccessDenied", "Access to OData is disabled.", where.Denied, false},
		{"a permission: it says nothing of the place", 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", where.Denied, false},
		{"an item that is not there: it is no answer about the mailbox", 404, "ErrorItemNotFound", "The specified object was not found in the store.", where.Unclear, false},
		{"a throttled request: it is no answer about the mailbox", 429, "ApplicationThrottled", "", where.Unclear, false},
		{"an answer: it is here", 200, "", "", where.Here, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			call := &wire.Call{Response: wire.Response{Status: row.status, Body: []byte(fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, row.code, row.message))}}
			got := where.Classify(call)
			if got.Class != row.want || got.OnPrem() != row.onPrem || got.Meaning == "" || !strings.HasPrefix(got.Says, fmt.Sprint(row.status)) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if s := where.Classify(&wire.Call{Failure: &wire.Failure{Kind: wire.Timeout, Err: errors.New("late")}}); s.Class != where.Unclear || s.Says != "timeout: late" {
		t.Errorf("no answer: %+v", s)
	}
	hostile := &wire.Call{Response: wire.Response{Status: 404, Body: []byte(`{"error":{"code":"\u001b[31mred"}}`)}}
	if s := where.Classify(hostile); s.Says != "404" {
		t.Errorf("a hostile code is printed: %q", s.Says)
	}
}

// scripted answers each URL with a fixed status, location and body.
type scripted map[string]wire.Response

// Do answers.
func (s scripted) Do(_ context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	r, ok := s[strings.Split(req.URL, "?")[0]]
	if !ok {
		into.Failure = &wire.Failure{Kind: wire.DNS, Err: errors.New("no such host")}
		return
	}
	into.Response = r
}

func to(location string) wire.Response {
	return wire.Response{Status: 302, Header: wire.Header{{Name: "Location", Value: location}}}
}

func TestAutodiscoverIsFollowed(t *testing.T) {
	const document = "/autodiscover/autodiscover.json"
	s := scripted{
		"https://outlook.office365.com" + document:    to("https://autodiscover.contoso.com" + document + "?Email=a"),
		"https://autodiscover.contoso.com" + document: to("/elsewhere"),
		"https://mail.contoso.com" + document:         {Status: 200, Body: []byte(`{"Protocol":"EWS","Url":"https://mail.contoso.com/EWS/Exchange.asmx"}`)},
		"https://bad.contoso.com" + document:          {Status: 400, Body: []byte(`{"ErrorCode":"InvalidProtocol","ErrorMessage":"x"}`)},
		"https://html.contoso.com" + document:         {Status: 200, Body: []byte(`<html>`)},
		"https://odd.contoso.com" + document:          to("https://odd.contoso.com/\x7f"),
	}
	d := where.Discovery{CloudEnd: "https://outlook.office365.com", OnPremEnd: "https://mail.contoso.com",
		Anonymous: func(url string) wire.Doer {
			if strings.Contains(url, "forbidden") {
				return nil
			}
			return s
		}}
	for _, row := range []struct{ name, base, says string }{
		{"found: it tells the endpoint", "https://mail.contoso.com", "onprem|200 https://mail.contoso.com/EWS/Exchange.asmx"},
		{"one end sends on to a host that stays with itself: it stops there", "https://outlook.office365.com", "unknown|302 to autodiscover.contoso.com:443"},
		{"a refusal: it tells the code", "https://bad.contoso.com", "unknown|400 InvalidProtocol"},
		{"a page: it is no answer", "https://html.contoso.com", "unknown|200"},
		{"no such host: it tells the failure", "https://gone.contoso.com", "unknown|dns: no such host"},
		{"nobody may ask: it says so", "https://forbidden.contoso.com", "unknown|nobody may ask forbidden.contoso.com:443"},
		{"a location that cannot be read: it is not followed", "https://odd.contoso.com", "unknown|a redirect that cannot be read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := d.Ask(t.Context(), row.base, "a@contoso.com", "EWS", where.Query)
			if got := string(a.Home) + "|" + a.String(); got != row.says {
				t.Errorf("got %s, want %s", got, row.says)
			}
		})
	}
	if got := where.Address("https://x", "a b@c.test", "REST", where.Segment); got != "https://x/autodiscover/autodiscover.json/v1.0/a%20b@c.test?Protocol=REST" {
		t.Error(got)
	}
}
