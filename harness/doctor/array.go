package doctor

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cutover/harness/token"
	"cutover/harness/wire"
)

const (
	sourceBuilds  = "Microsoft: build numbers of Exchange; the REST directory came with 2016 CU3 (documented)"
	sourceBalance = "Microsoft: load balancing with health pages (documented)"
)

// transport are the checks without which no request arrives.
var transport = []string{"net.reach", "tls.chain", "tls.san", "tls.expiry", "tls.version"}

// arrayChecks are about what stands before the servers, and about the servers
// behind one name.
func arrayChecks() []Check {
	return []Check{
		{ID: "front.preauth", Title: "nothing in front asks for a sign-in of its own", Blocks: blocksReach, Vantage: "internet", Needs: transport, applies: onPrem,
			Cause:  "a gateway answers before Exchange does: with a redirect to a sign-in page, or a page of its own",
			Remedy: "publish /api, /EWS, /autodiscover and /Microsoft-Server-ActiveSync with pass-through authentication", Source: "Microsoft: hybrid modern authentication does not work behind pre-authentication (documented)",
			run: (*exam).preAuth},
		{ID: "front.iis", Title: "the servers' own web server answers", Blocks: blocksReach, Vantage: "internet", Needs: append(slices.Clone(transport), "front.preauth"), applies: onPrem, harmless: true,
			Cause:  "a reverse proxy answers itself, or takes away the headers by which servers are told apart",
			Remedy: "let it pass requests and answers through unchanged; look which device answers on this name", Source: "observed: Microsoft-HTTPAPI without IIS's headers is a proxy's own answer",
			run: (*exam).iis},
		{ID: "vdir.health", Title: "every protocol's health page answers on every server", Blocks: blocksREST, Vantage: "any", Needs: append(slices.Clone(transport), "front.preauth"), applies: onPrem,
			Cause:  "Managed Availability took a protocol of a server out, its application pool is stopped, or the directory is not published",
			Remedy: "Get-ServerComponentState and Test-ServiceHealth on each server; have the load balancer probe /DIRECTORY/healthcheck.htm", Source: sourceBalance, run: (*exam).vdirHealth},
		{ID: "array.2013", Title: "no Exchange 2013 answers on this name", Blocks: blocksREST, Vantage: "any", Needs: append(slices.Clone(transport), "front.preauth", "front.iis"), applies: onPrem,
			Cause:  "a server of 2013 is in the load-balanced array: it has no REST directory, so a share of the requests fails with 404",
			Remedy: "take it out of the load balancer's pool, or decommission it", Source: sourceNeeds, run: (*exam).old2013},
		{ID: "array.builds", Title: "every server is Exchange 2016 CU3 or later, of one product", Blocks: blocksREST, Vantage: "any",
			Needs: append(slices.Clone(transport), "front.preauth", "front.iis"), applies: onPrem,
			Cause: "a server is older than the first build with the REST directory", Remedy: "install the current cumulative update on every server, with /PrepareAD (Get-ExchangeServer | fl Name,AdminDisplayVersion)",
			Source: sourceBuilds, run: (*exam).builds},
		newVersionCheck,
		{ID: "vdir.api", Title: "the REST directory /api is there and asks for a sign-in", Blocks: blocksREST, Vantage: "internet",
			Needs:  append(slices.Clone(transport), "front.preauth", "array.builds"),
			Cause:  "a firewall or reverse proxy does not publish /api, or the servers do not have it",
			Remedy: "publish /api beside /EWS and /autodiscover; Get-WebApplication on the server shows whether the directory is there", Source: sourceNeeds, applies: onPrem, run: (*exam).vdirAPI},
		{ID: "array.down", Title: "the REST directory runs on every server", Blocks: blocksREST, Vantage: "any", Needs: []string{"vdir.health", "vdir.api"}, applies: onPrem,
			Cause:  "the application pool of the REST directory is stopped on a server that still gets requests",
			Remedy: "start MSExchangeRestFrontEndAppPool and MSExchangeRestAppPool on that server, and let the load balancer probe /api/healthcheck.htm", Source: sourceBalance, run: (*exam).apiDown},
		{ID: "array.mixed404", Title: "the same question has the same answer on every server", Blocks: blocksREST, Vantage: "any", Needs: []string{"vdir.api", "array.2013"}, applies: onPrem,
			Cause:  "a server in the pool lacks the REST directory; it shows on a share of the requests only",
			Remedy: "find the server by the evidence, then update it or take it out of the pool", Source: sourceNeeds, run: (*exam).mixed404},
		{ID: "api.health", Title: "the REST directory's health page answers on every server", Blocks: blocksREST, Vantage: "any", Needs: []string{"vdir.api", "array.down", "array.mixed404"}, applies: onPrem, harmless: true,
			Cause: "Managed Availability took the REST directory of a server out", Remedy: "Get-ServerComponentState on each server", Source: sourceBalance, run: (*exam).apiHealth},
	}
}

// answered tells whether any of the calls got an answer, and which failure there was.
func answered(calls []*wire.Call) (ok []*wire.Call, failure *wire.Failure) {
	for _, c := range calls {
		if c.Failure == nil {
			ok = append(ok, c)
		} else if failure == nil {
			failure = c.Failure
		}
	}
	return ok, failure
}

// silent is the finding of a check that got no answer to its question.
func silent(f *wire.Failure) finding {
	if f == nil || f.Kind == wire.Refused {
		return skip("a safety rule does not let it be asked")
	}
	return fail("no answer: %s", f.Kind).because("the connection ended before an answer came", "look at the load balancer and the server's web logs at this time")
}

func (e *exam) preAuth() finding {
	calls, failure := answered(e.ewsAnswers())
	if len(calls) == 0 {
		return silent(failure)
	}
	for _, c := range calls {
		status, to := c.Response.Status, c.Response.Header.Value("Location")
		switch {
		case status >= 300 && status < 400:
			return fail("%d to %s", status, place(to))
		case status == http.StatusOK:
			return fail("200 without a sign-in")
		}
		for _, cookie := range c.Response.Header.Values("Set-Cookie") {
			if name, _, _ := strings.Cut(cookie, "="); strings.HasPrefix(name, "MRHSession") || strings.HasPrefix(name, "MSISAuth") || strings.HasPrefix(name, "NSC_") {
				return warn("a gateway sets the cookie %s", name)
			}
		}
	}
	return pass("Exchange itself answered %d", calls[0].Response.Status)
}

// place is a redirect's target without its query, which may hold anything.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

func (e *exam) iis() finding {
	calls, failure := answered(e.ewsAnswers())
	if len(calls) == 0 {
		return silent(failure)
	}
	for _, c := range calls {
		server := c.Response.Header.Value("Server")
		if server != "" && !strings.HasPrefix(server, "Microsoft-IIS/") {
			return fail("Server: %s", server)
		}
	}
	if !calls[0].Response.Header.Has("X-FEServer") && !calls[0].Response.Header.Has("request-id") {
		return warn("the answers carry neither X-FEServer nor request-id: servers cannot be told apart")
	}
	return pass("%s", orElse(calls[0].Response.Header.Value("Server"), "X-FEServer is there"))
}

// published are the directories whose health pages are asked, beside /api.
var published = []string{"ews", "autodiscover", "mapi", "Microsoft-Server-ActiveSync", "owa"}

func (e *exam) vdirHealth() finding {
	var wrong []string
	for _, d := range published {
		if text := e.sick(e.healthOf(d)); text != "" {
			wrong = append(wrong, d+" "+text)
		}
	}
	if len(wrong) > 0 {
		return fail("%s", strings.Join(wrong, "; "))
	}
	return pass("200 for %s", strings.Join(published, ", "))
}

// sick counts what is not 200; "" when everything is.
func (e *exam) sick(calls []*wire.Call) string {
	counts := map[string]int{}
	for _, c := range calls {
		switch {
		case c.Failure != nil:
			counts[strings.TrimSpace(c.Failure.Kind.String()+" "+e.server(c))]++
		case c.Response.Status != http.StatusOK:
			counts[strings.TrimSpace(strconv.Itoa(c.Response.Status)+" "+e.server(c))]++
		}
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s (%d of %d)", what, counts[what], len(calls)))
	}
	return strings.Join(all, ", ")
}

// node is one server as its headers tell it.
type node struct{ name, build string }

// nodes are the servers that showed their build.
func (e *exam) nodes() []node {
	var all []node
	for _, c := range slices.Concat(e.ewsAnswers(), e.seen()) {
		if c.Failure != nil {
			continue
		}
		n := node{c.Response.Header.Value("X-FEServer"), c.Response.Header.Value("X-OWA-Version")}
		if n.build != "" && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b node) int { return strings.Compare(a.name+" "+a.build, b.name+" "+b.build) })
	return all
}

// seen are answers of the REST directory that were asked already.
func (e *exam) seen() []*wire.Call { return e.api }

func inventory(nodes []node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s (%s)", n.name, n.build, token.Product(n.build))))
	}
	return strings.Join(all, ", ")
}

// build reads 15.1.1713.5.
func build(text string) (v [4]int) {
	for i, part := range strings.SplitN(text, ".", 4) {
		v[i], _ = strconv.Atoi(part)
	}
	return v
}

func (e *exam) old2013() finding {
	nodes := e.nodes()
	if len(nodes) == 0 {
		return skip("the answers carry no build (X-OWA-Version)")
	}
	old := slices.DeleteFunc(slices.Clone(nodes), func(n node) bool { return build(n.build)[1] != 0 })
	if len(old) > 0 {
		return fail("%s, among %s", inventory(old), inventory(nodes))
	}
	return pass("%d servers showed their build in %d answers", len(nodes), len(e.ewsAnswers()))
}

// firstREST is 2016 CU3, the first build with the REST directory.
var firstREST = [4]int{15, 1, 544, 27}

func (e *exam) builds() finding {
	nodes := slices.DeleteFunc(e.nodes(), func(n node) bool { return build(n.build)[1] == 0 })
	if len(nodes) == 0 {
		return skip("the answers carry no build (X-OWA-Version)")
	}
	lines := map[string]bool{}
	for _, n := range nodes {
		v := build(n.build)
		if slices.Compare(v[:], firstREST[:]) < 0 {
			return fail("%s is older than 15.1.544.27: %s", n.name, inventory(nodes))
		}
		lines[token.Product(n.build)] = true
	}
	if len(lines) > 1 {
		return warn("%s", inventory(nodes)).because("servers of different products share one name: answers may differ from request to request",
			"no harm by itself; expect differences in a comparison, and update the older ones")
	}
	return pass("%s", inventory(nodes))
}

// statuses counts answers by status and server.
func (e *exam) statuses(calls []*wire.Call) string {
	var all []string
	for _, c := range calls {
		text := strings.TrimSpace("no answer " + e.server(c))
		if c.Failure == nil {
			text = strings.TrimSpace(fmt.Sprintf("%d %s", c.Response.Status, e.server(c)))
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func count(calls []*wire.Call, holds func(status int) bool) (n int) {
	for _, c := range calls {
		if c.Failure == nil && holds(c.Response.Status) {
			n++
		}
	}
	return n
}

func (e *exam) vdirAPI() finding {
	calls, failure := answered(e.apiAnswers())
	if len(calls) == 0 {
		return silent(failure)
	}
	switch asks := count(calls, func(s int) bool { return s == http.StatusUnauthorized }); {
	case asks > 0:
		return pass("%s", e.statuses(calls))
	case count(calls, func(s int) bool { return s == http.StatusNotFound }) == len(calls):
		return fail("404 to each of %d requests: %s", len(calls), e.statuses(calls))
	case count(calls, func(s int) bool { return s == http.StatusOK }) > 0:
		return fail("200 without a sign-in").because("something in front answers, or anonymous access is on", "look which device answers on /api")
	}
	return fail("%s", e.statuses(calls))
}

func (e *exam) apiDown() finding {
	calls := e.apiAnswers()
	bad := count(calls, func(s int) bool { return s >= 500 })
	if _, failure := answered(calls); failure != nil {
		bad++
	}
	if bad > 0 {
		return fail("%d of %d requests: %s", bad, len(calls), e.statuses(calls))
	}
	return pass("%s", e.statuses(calls))
}

func (e *exam) mixed404() finding {
	calls := e.apiAnswers()
	missing := count(calls, func(s int) bool { return s == http.StatusNotFound })
	if missing > 0 {
		return fail("404 to %d of %d requests: %s", missing, len(calls), e.statuses(calls))
	}
	return pass("%d of %d alike", len(calls), len(calls))
}

func (e *exam) apiHealth() finding {
	if text := e.sick(e.healthOf("api")); text != "" {
		return fail("%s", text)
	}
	return pass("200")
}
