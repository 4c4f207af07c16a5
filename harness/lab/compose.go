package lab

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"cutover/harness/lab/autodiscover"
	"cutover/harness/lab/faults"
	"cutover/harness/lab/graph"
	"cutover/harness/lab/onprem"
	"cutover/harness/lab/quirks"
	"cutover/harness/lab/store"
	"cutover/harness/lab/sts"
	"cutover/harness/lab/token"
)

// Names of the services, as Stats has them.
const (
	graphName    = "graph"
	graph2019    = "graph-2019"
	uploadName   = "graph-upload"
	restName     = "rest"
	autodName    = "autodiscover"
	stsName      = "authority"
	controlName  = "control"
	serviceLogin = "svc-cutover"
)

// world is what the services share while they are put together.
type world struct {
	l         *Lab
	preset    preset
	d         deployment
	tokens    *token.Authority
	apps      []sts.App
	at        map[string]*service
	inner     http.Handler // the on-prem front end without counting and delay in front
	lifetime  time.Duration
	onPremTLS *tls.Config
	cloudTLS  *tls.Config
	volatile  *volatility
}

// start opens the ports, then builds what is served there.
func (l *Lab) start(ctx context.Context, p preset) error {
	o := l.options
	w := &world{l: l, preset: p, at: map[string]*service{}, d: deployment{autodiscover: true}}
	var err error
	if w.lifetime, err = lifetime(o.TokenLifetime); err != nil {
		return fmt.Errorf("lab.token.lifetime: %w", err)
	}
	if _, err := lagOf(o.MoveLag); err != nil {
		return fmt.Errorf("lab.move.lag: %w", err)
	}
	if w.volatile, err = parseVolatile(o.Volatile); err != nil {
		return fmt.Errorf("lab.volatile: %w", err)
	}
	ids, err := quirks.Expand(o.Quirks)
	if err != nil {
		return fmt.Errorf("lab.quirks: %w", err)
	}
	l.quirks = quirks.NewSet(ids, o.Mailboxes)
	if l.ca, err = newAuthority(o.Clock.Now()); err != nil {
		return err
	}
	if l.info.CA, err = l.writeCA(o.Dir); err != nil {
		return err
	}
	l.store = store.New(store.Config{Seed: o.Seed, Pairs: o.Mailboxes, Items: o.Items, Zipf: o.Folders == "zipf", Now: o.Clock.Now})
	for i, pair := range l.store.Pairs() {
		l.numbers[pair.OnPrem], l.numbers[pair.Cloud] = i, i
	}
	for _, name := range []string{graphName, graph2019, uploadName, restName, autodName, stsName, controlName} {
		scheme := "https"
		if name == controlName {
			scheme = "http"
		}
		s, err := listen(ctx, name, scheme)
		if err != nil {
			return err
		}
		w.at[name] = s
		l.services = append(l.services, s)
	}
	key, err := w.keys()
	if err != nil {
		return err
	}
	if o.Era != 0 {
		w.preset.era = o.Era
	}
	if o.Nodes != "" {
		if w.preset.nodes, err = nodesOf(o.Nodes); err != nil {
			return fmt.Errorf("lab.nodes: %w", err)
		}
	}
	if err := l.writePlanted(o.Dir); err != nil {
		return err
	}
	if err := w.configure(key); err != nil {
		return err
	}
	return w.serve()
}

// keys makes the two RSA keys of the lab at once.
func (w *world) keys() (*rsa.PublicKey, error) {
	var key *rsa.PublicKey
	var clientErr, tokenErr error
	var both sync.WaitGroup
	now := w.l.options.Clock.Now()
	both.Go(func() { key, w.l.client, clientErr = clientCertificate(now) })
	both.Go(func() { w.tokens, tokenErr = token.New(w.l.store.Tenant(), w.l.options.Clock) })
	both.Wait()
	if clientErr != nil {
		return nil, clientErr
	}
	return key, tokenErr
}

// configure settles the on-prem deployment, spoilt as asked, and the directory.
func (w *world) configure(key *rsa.PublicKey) error {
	o, base := w.l.options, w.at[restName].base
	domain, _ := w.l.store.Domains()
	port := base[strings.LastIndexByte(base, ':'):]
	w.d.onprem = onprem.Config{
		Store: w.l.store, Authority: w.tokens, Clock: o.Clock, Base: base, Domain: domain,
		Audiences: []string{base, "https://localhost" + port, "https://mail.contoso.test" + port, "https://mail.contoso.test"},
		Nodes:     append([]onprem.Node(nil), w.preset.nodes...), ServiceAccount: serviceLogin, ServicePassword: secret(o.Seed, 9),
		IgnoreUnknownSelect: o.UnknownSelect == "ignore", Quirk: w.l.at, Newer: w.preset.newer,
	}
	misconfigure(&w.d, o.Misconfigure)
	if w.l.quirks.On("auth.partner_perm") {
		w.d.onprem.Profiles = append(onprem.CapturedProfiles(), token.V1S2SAppOnly)
	}
	w.apps = applications(o.Seed, base, key, &w.d)
	certificate, err := w.l.ca.issue(w.d.certificate)
	if err != nil {
		return err
	}
	w.d.onprem.ServerCertificateHash = bindingHash(certificate)
	if w.d.otherCertificate {
		w.d.onprem.ServerCertificateHash = make([]byte, len(w.d.onprem.ServerCertificateHash)) // of no certificate
	}
	w.onPremTLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: protocols(), DynamicRecordSizingDisabled: true}
	if w.d.mixedCertificates {
		if err := w.l.ca.mix(w.onPremTLS, w.d.certificate); err != nil {
			return err
		}
	}
	if w.d.oldTLS {
		w.onPremTLS.MinVersion = tls.VersionTLS10
	}
	w.onPremTLS.MaxVersion = w.d.newestTLS()
	cloud, err := w.l.ca.issue(leaf{})
	if err != nil {
		return err
	}
	w.cloudTLS = &tls.Config{Certificates: []tls.Certificate{cloud}, MinVersion: tls.VersionTLS12, NextProtos: protocols(), DynamicRecordSizingDisabled: true}
	return nil
}

// protocols are what the services speak. Records are not grown slowly: an answer
// of 10 KB would leave in many small ones.
func protocols() []string { return []string{"h2", "http/1.1"} }

// serve builds every service and starts it.
func (w *world) serve() error {
	l, o := w.l, w.l.options
	slow, err := newTrouble(o)
	if err != nil {
		return err
	}
	identity, err := w.tokenService()
	if err != nil {
		return err
	}
	if w.inner, err = policed(w.onPrem(), o.ThrottlePrem, o.Clock, w.tokens); err != nil {
		return err
	}
	limits, err := faults.ParseLimits(o.Throttle)
	if err != nil {
		return err
	}
	limiter := faults.NewLimiter(limits.In(w.preset.era), o.Clock)
	l.limiter = limiter
	today := w.graph(w.at[graphName].base, w.preset.era, o.Proxy, limiter)
	past := w.graph(w.at[graph2019].base, 2019, "preview", limiter)

	start := func(name string, config *tls.Config, h http.Handler) { w.at[name].serve(&l.wait, config, h) }
	start(graphName, w.cloudTLS, slow.cloud(w.denied(today.front), 1))
	start(graph2019, w.cloudTLS, slow.cloud(past.front, 2))
	start(uploadName, w.cloudTLS, uploads(past.service, today.service))
	start(restName, w.onPremTLS, slow.onPrem(w.d.inFront(w.inner, o.Clock), 3))
	start(autodName, w.cloudTLS, autodiscover.New(autodiscover.Config{
		Store: l.store, End: autodiscover.Cloud, OnPremBase: w.at[restName].base, CloudBase: w.at[autodName].base,
		ProtocolBase: w.at[graphName].base, Locate: l.locate,
	}))
	start(stsName, w.cloudTLS, identity)
	start(controlName, nil, l.control())
	w.describe()
	return nil
}

// tokenService builds the token service.
func (w *world) tokenService() (http.Handler, error) {
	base := w.at[restName].base
	own := sts.Resource{Audience: base, Names: w.d.onprem.Audiences}
	resources := []sts.Resource{
		{Audience: token.GraphAudience, Names: []string{token.GraphApp, w.at[graphName].base, w.at[graph2019].base}},
		{Audience: "https://outlook.office365.com", Names: []string{token.ExchangeApp, "https://outlook.office.com"}},
	}
	if !w.d.spnMissing {
		resources = append(resources, own)
	}
	conditions := map[string]int{}
	if w.d.userCondition != 0 {
		w.l.store.Users(func(mb *store.Mailbox) bool {
			conditions[strings.ToLower(mb.User().UPN)] = w.d.userCondition
			return true
		})
	}
	issuer := ""
	if w.d.issuerBroken {
		issuer = "https://sts.contoso.test"
	}
	return sts.New(sts.Config{
		Authority: w.tokens, Store: w.l.store, Clock: w.l.options.Clock, Base: w.at[stsName].base,
		Apps: w.apps, Resources: resources, Lifetime: w.lifetime, Conditions: conditions, Issuer: issuer,
	})
}

// onPrem builds the front end with its Autodiscover and its quirks.
func (w *world) onPrem() http.Handler {
	locate := w.l.locate
	if w.d.cloudDisagree {
		locate = func(*store.Mailbox) store.Location { return store.Cloud }
	}
	if w.d.autodiscover {
		w.d.onprem.Autodiscover = autodiscover.New(autodiscover.Config{
			Store: w.l.store, End: autodiscover.OnPrem, OnPremBase: w.at[restName].base, CloudBase: w.at[autodName].base,
			Locate: locate, NoREST: w.d.noRESTInAutoD, Internal: w.d.internalName,
		})
	} else {
		w.d.onprem.Autodiscover = http.NotFoundHandler()
	}
	return w.l.quirks.Wrap("onprem", w.volatile.wrap("onprem", onprem.New(w.d.onprem)), w.pair)
}

// uploadHost is the upload service under another host name than Graph's: clients
// must not send it their token, and decide that by the name.
func (w *world) uploadHost() string {
	return strings.Replace(w.at[uploadName].base, "127.0.0.1", "localhost", 1)
}

// uploads serves the sessions that Graph of either time opened.
func uploads(past, today *graph.Service) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if past.Opened(r.URL.Path) {
			past.Uploads().ServeHTTP(rw, r)
			return
		}
		today.Uploads().ServeHTTP(rw, r)
	})
}

// era is Graph as it was at one time.
type era struct {
	service *graph.Service
	front   http.Handler
}

func (w *world) graph(base string, year int, mode string, limiter *faults.Limiter) era {
	o := w.l.options
	p := &proxy{
		mode: mode, front: w.inner, audience: w.at[restName].base, graphBase: base, authority: w.tokens, clock: o.Clock, log: &w.l.log,
		quirk: w.l.at,
	}
	service := graph.New(graph.Config{
		Store: w.l.store, Authorise: authorise(w.tokens), Hybrid: p, Throttle: limiter, Now: o.Clock.Now,
		Base: base, Upload: w.uploadHost(), Era: year, Seed: o.Seed, Quirk: w.l.at,
	})
	p.service = service
	front := w.l.quirks.Wrap("cloud", w.volatile.wrap("cloud", service), w.pair)
	if mode == "preview" || mode == "writesBroken" {
		front = &outside{next: front, proxy: p, caller: authorise(w.tokens), store: w.l.store}
	}
	return era{service, front}
}

// denied is an application access policy in front of Graph.
func (w *world) denied(next http.Handler) http.Handler {
	if !w.d.graphDenied {
		return next
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, http.StatusForbidden, map[string]any{"error": map[string]string{"code": "ErrorAccessDenied", "message": "Access to OData is disabled."}})
	})
}

// pair is the number of the twin pair that a request is about, -1 for none: by
// the address in its path, else by who signed in.
func (w *world) pair(r *http.Request) int {
	name := addressed(r.URL.Path)
	if name == "" {
		if raw, ok := token.Bearer(r.Header.Get("Authorization")); ok {
			if t, fault := w.tokens.Verify(raw); fault == nil {
				name = t.UPN
			}
		} else if user, _, ok := r.BasicAuth(); ok {
			name = user
		}
	}
	mb, ok := w.l.store.Lookup(name)
	if !ok {
		return -1
	}
	if n, ok := w.l.numbers[mb]; ok {
		return n
	}
	return -1
}

// addressed is the user in the path of a request, "" for /me.
func addressed(path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if i > 2 {
			break
		}
		lower := strings.ToLower(s)
		if lower == "users" && i+1 < len(segments) {
			return segments[i+1]
		}
		if strings.HasPrefix(lower, "users('") {
			return strings.TrimSuffix(s[len("users('"):], "')")
		}
	}
	return ""
}

// describe fills in what clients are told.
func (w *world) describe() {
	l := w.l
	info := &l.info
	info.Graph = w.at[graphName].base + "/v1.0"
	info.GraphUpload = w.uploadHost()
	info.Rest = w.at[restName].base + "/api/v2.0"
	info.Autodiscover, info.AutodiscoverOnPrem = w.at[autodName].base, w.at[restName].base
	info.Authority = w.at[stsName].base + "/" + l.store.Tenant()
	info.Control = w.at[controlName].base
	info.Tenant, info.Preset, info.Proxy = l.store.Tenant(), l.options.Preset, l.options.Proxy
	info.GraphEras = map[string]string{"2019": w.at[graph2019].base + "/v1.0"}
	info.Clients = clientsOf(w.apps)
	info.ServiceAccount = Account{Login: `CONTOSO\` + serviceLogin, Password: w.d.onprem.ServicePassword}
	l.store.Users(func(mb *store.Mailbox) bool {
		u := mb.User()
		info.Users = append(info.Users, User{UPN: u.UPN, Password: u.Password, Location: u.Born.String()})
		return true
	})
	for _, p := range l.store.Pairs() {
		on, cloud := p.OnPrem.User(), p.Cloud.User()
		info.Pairs = append(info.Pairs, Pair{Name: p.Name, OnPremUPN: on.UPN, OnPremPassword: on.Password, CloudUPN: cloud.UPN, CloudPassword: cloud.Password})
	}
}
