package lab

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/onprem"
	"cutover/harness/lab/token"
)

// deployment is everything that a misconfiguration can spoil, before it starts.
type deployment struct {
	onprem            onprem.Config
	certificate       leaf
	mixedCertificates bool // every second connection shows another certificate
	otherCertificate  bool // the servers know another certificate than clients see
	oldTLS            bool // the on-prem front end accepts TLS 1.0
	newTLS            bool // and TLS 1.3, whatever the servers support
	clockAhead        time.Duration
	preAuth           bool // something in front asks for a sign-in of its own
	reverseProxy      bool // something that is not IIS answers
	autodiscover      bool // the JSON document exists
	internalName      string
	noRESTInAutoD     bool
	cloudDisagree     bool // the on-prem end believes that every mailbox is in the cloud
	spnMissing        bool // the token service does not know the on-prem namespace
	noRoles           bool // the applications have no application permissions
	noScopes          bool // and no delegated ones
	secretExpired     bool
	appDisabled       bool
	userCondition     int // AADSTS number for every user
	issuerBroken      bool
	graphDenied       bool // application access policy
}

// Misconfiguration is a switch that breaks one thing of an otherwise healthy deployment.
type Misconfiguration struct {
	ID, About string
	apply     func(*deployment)
}

// Misconfigurations lists the switches. Each breaks one thing, so that a check
// for it can be tested.
func Misconfigurations() []Misconfiguration { return slices.Clone(misconfigurations) }

var misconfigurations = []Misconfiguration{
	{"api-blocked", "the firewall or an old build: /api answers 404 on every node", func(d *deployment) { eachNode(d, func(n *onprem.Node) { n.API = false }) }},
	{"node-2013", "an Exchange 2013 server in the array: every third request", func(d *deployment) {
		d.onprem.Nodes = append(d.onprem.Nodes, onprem.Node{Name: "EX13", Build: "15.0.1497.48"})
	}},
	{"old-build", "all servers are older than 2016 CU3", func(d *deployment) {
		eachNode(d, func(n *onprem.Node) { n.Build, n.API = "15.1.466.34", false })
		d.noRESTInAutoD = true
	}},
	{"mixed-builds", "2016 and 2019 servers in one array", func(d *deployment) { d.onprem.Nodes[1].Build = "15.2.1748.10" }},
	{"api-down", "the REST application pool of one node is down: 503", func(d *deployment) { d.onprem.Nodes[1].Down = []string{"api"} }},
	{"health-down", "Managed Availability took every protocol of one node out", func(d *deployment) {
		d.onprem.Nodes[1].Down = []string{"api", "ews", "mapi", "owa", "oab", "microsoft-server-activesync", "autodiscover"}
	}},
	{"autodiscover-missing", "autodiscover.json does not exist on-prem", func(d *deployment) { d.autodiscover = false }},
	{"autodiscover-internal", "autodiscover.json names an internal host", func(d *deployment) { d.internalName = "ex01.corp.contoso.test" }},
	{"autodiscover-no-rest", "autodiscover.json does not know the REST protocol", func(d *deployment) { d.noRESTInAutoD = true }},
	{"autodiscover-disagree", "the on-prem end believes that all mailboxes are in the cloud", func(d *deployment) { d.cloudDisagree = true }},
	{"wrong-realm", "the trusted issuer belongs to another tenant", func(d *deployment) { d.onprem.Realm = "11111111-2222-4333-8444-555555555555" }},
	{"evosts-missing", "no authorization server is the default: the challenge lacks authorization_uri", func(d *deployment) { d.onprem.NoEvoSTS = true }},
	{"oauth-off", "the virtual directories do not offer OAuth", func(d *deployment) { d.onprem.NoOAuth = true }},
	{"basic-off", "Basic sign-in is off", func(d *deployment) { d.onprem.NoBasic = true }},
	{"ntlm-off", "Windows sign-in is off", func(d *deployment) { d.onprem.NoNTLM = true }},
	{"ep-required", "Extended Protection is required", func(d *deployment) { d.onprem.ExtendedProtection = "require" }},
	{"ep-allowed", "Extended Protection is allowed", func(d *deployment) { d.onprem.ExtendedProtection = "allow" }},
	{"ep-bridged", "Extended Protection is required, and a load balancer in front has another certificate than the servers", func(d *deployment) {
		d.onprem.ExtendedProtection, d.otherCertificate = "require", true
	}},
	{"ssl-offload", "TLS ends in front of the servers: they expect http audiences", func(d *deployment) { d.onprem.AudienceScheme = "http" }},
	{"wrong-audience", "the servers know another namespace than clients use", func(d *deployment) { d.onprem.Audiences = []string{"https://owa.contoso.test"} }},
	{"profile-forced", "V1S2SAppOnly was written into web.config: the refusal becomes 2000008", func(d *deployment) {
		d.onprem.Profiles = append(onprem.CapturedProfiles(), token.V1S2SAppOnly)
	}},
	{"cert-expired", "the on-prem certificate has expired", func(d *deployment) { d.certificate.expired = true }},
	{"cert-self-signed", "the on-prem certificate is self-signed", func(d *deployment) { d.certificate.selfSigned = true }},
	{"cert-differs", "one of the on-prem servers has another certificate than the others", func(d *deployment) { d.mixedCertificates = true }},
	{"san-missing", "the on-prem certificate is for another name", func(d *deployment) {
		d.certificate.names, d.certificate.noAddresses = []string{"owa.contoso.test"}, true
	}},
	{"tls-1.0", "the on-prem front end accepts TLS 1.0", func(d *deployment) { d.oldTLS = true }},
	{"tls-1.3", "the on-prem front end speaks TLS 1.3 before servers that do not support it", func(d *deployment) { d.newTLS = true }},
	{"clock-ahead", "the on-prem servers' clock is ten minutes ahead", func(d *deployment) { d.clockAhead = 10 * time.Minute }},
	{"pre-auth", "a gateway in front asks for a sign-in of its own", func(d *deployment) { d.preAuth = true }},
	{"reverse-proxy", "something that is not IIS answers in front", func(d *deployment) { d.reverseProxy = true }},
	{"spn-missing", "the namespace is not registered with the token service: AADSTS500011", func(d *deployment) { d.spnMissing = true }},
	{"roles-missing", "the application has no application permissions", func(d *deployment) { d.noRoles = true }},
	{"consent-missing", "nobody consented to delegated permissions: AADSTS65001", func(d *deployment) { d.noScopes = true }},
	{"secret-expired", "the client secret has expired: AADSTS7000222", func(d *deployment) { d.secretExpired = true }},
	{"app-disabled", "the application is disabled in the tenant", func(d *deployment) { d.appDisabled = true }},
	{"mfa-required", "users need a second factor: AADSTS50076", func(d *deployment) { d.userCondition = 50076 }},
	{"access-blocked", "conditional access blocks users: AADSTS53003", func(d *deployment) { d.userCondition = 53003 }},
	{"issuer-mismatch", "the discovery document names another issuer", func(d *deployment) { d.issuerBroken = true }},
	{"graph-denied", "an application access policy denies every mailbox", func(d *deployment) { d.graphDenied = true }},
}

func eachNode(d *deployment, change func(*onprem.Node)) {
	for i := range d.onprem.Nodes {
		change(&d.onprem.Nodes[i])
	}
}

func misconfigurationNames() []string {
	var names []string
	for _, m := range misconfigurations {
		names = append(names, m.ID)
	}
	return names
}

func misconfigure(d *deployment, ids []string) {
	for _, m := range misconfigurations {
		if slices.Contains(ids, m.ID) {
			m.apply(d)
		}
	}
}

// inFront puts what stands before the on-prem servers, or is wrong with all of
// them, around their handler.
func (d *deployment) inFront(next http.Handler, c clock.Clock) http.Handler {
	if d.preAuth {
		next = preAuthentication(next)
	}
	if d.reverseProxy {
		inner := next
		next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(&foreign{ResponseWriter: w}, r) })
	}
	if d.clockAhead != 0 {
		inner := next
		next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", c.Now().Add(d.clockAhead).UTC().Format(http.TimeFormat))
			inner.ServeHTTP(w, r)
		})
	}
	return next
}

// preAuthentication sends everybody without its cookie to a sign-in page.
func preAuthentication(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("MRHSession"); err == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Server", "BigIP")
		w.Header().Set("Set-Cookie", "MRHSession=0; path=/; secure")
		w.Header().Set("Location", "/my.policy")
		w.WriteHeader(http.StatusFound)
	})
}

// foreign makes an answer look as if no IIS had given it.
type foreign struct {
	http.ResponseWriter
	done bool
}

// WriteHeader takes Exchange's headers off.
func (f *foreign) WriteHeader(status int) {
	if !f.done {
		f.done = true
		for name := range f.Header() {
			if strings.HasPrefix(name, "X-") || name == "Request-Id" {
				f.Header().Del(name)
			}
		}
		f.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	}
	f.ResponseWriter.WriteHeader(status)
}

// Write writes the body.
func (f *foreign) Write(b []byte) (int, error) {
	if !f.done {
		f.WriteHeader(http.StatusOK)
	}
	return f.ResponseWriter.Write(b)
}
