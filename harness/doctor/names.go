package doctor

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"cutover/harness/guard"
)

// domain is the mail domain of the examined mailbox; ok is false with the
// finding that says why there is none to look at.
func (e *exam) domain() (domain string, f finding, ok bool) {
	_, domain, known := strings.Cut(e.address(e.first()), "@")
	switch {
	case !known:
		return "", skip("no mailbox names a mail domain"), false
	case e.literal():
		return "", skip("%s is an address, not a name", e.url.Hostname()), false
	}
	return domain, finding{}, true
}

func (e *exam) dnsSRV() finding {
	domain, f, ok := e.domain()
	switch {
	case !ok:
		return f
	case e.d.Resolver == nil:
		return skip("names are not looked up here")
	}
	_, records, err := e.d.Resolver.LookupSRV(e.ctx, "autodiscover", "tcp", domain)
	var refused *guard.Refusal
	var dns *net.DNSError
	switch {
	case errors.As(err, &refused):
		return skip("the consent does not name %s", domain)
	case errors.As(err, &dns) && !dns.IsNotFound:
		return skip("the name service did not answer")
	case err != nil || len(records) == 0:
		return pass("there is none")
	}
	right := []string{strings.ToLower(e.url.Hostname()), "autodiscover." + strings.ToLower(domain)}
	var targets, wrong []string
	for _, r := range records {
		target := strings.ToLower(strings.TrimSuffix(r.Target, "."))
		targets = append(targets, target)
		if !slices.Contains(right, target) {
			wrong = append(wrong, target)
		}
	}
	if len(wrong) > 0 {
		return fail("_autodiscover._tcp.%s names %s", domain, strings.Join(wrong, ", "))
	}
	return pass("_autodiscover._tcp.%s names %s", domain, strings.Join(targets, ", "))
}

func (e *exam) rootWeb() finding {
	domain, f, ok := e.domain()
	if !ok {
		return f
	}
	at := "https://" + domain + "/autodiscover/autodiscover.json"
	if e.d.Anonymous(at) == nil {
		return skip("the consent does not name %s", domain)
	}
	call := e.ask(at)
	switch {
	case call.Failure != nil:
		return pass("nothing answers there: %s", call.Failure.Kind)
	case call.Response.Status >= 300 && call.Response.Status < 400:
		return warn("%d to %s", call.Response.Status, place(call.Response.Header.Value("Location")))
	case call.Response.Status == http.StatusOK:
		return fail("200 from the web site of %s", domain)
	}
	return pass("%d", call.Response.Status)
}
