package doctor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cutover/harness/where"
)

const sourceAutod = "traces of Autodiscover v2; Microsoft: requirements of REST in hybrid deployments (documented)"

// discoveryChecks are about Autodiscover v2, by which Graph, Teams and mobile
// clients find a mailbox.
func discoveryChecks() []Check {
	reached := append(slices.Clone(transport), "front.preauth", "vdir.health")
	return []Check{
		{ID: "autod.json", Title: "autodiscover.json answers in both URL forms", Blocks: blocksDiscovery, Vantage: "internet", Needs: reached, applies: onPrem, harmless: true,
			Cause:  "a firewall or proxy does not publish autodiscover.json, or the servers are older than 2016 (2013 CU19 has it for mobile clients alone)",
			Remedy: "publish /autodiscover/autodiscover.json and /autodiscover/autodiscover.json/v1.0/ beside autodiscover.xml", Source: sourceAutod, run: (*exam).autodJSON},
		{ID: "autod.agree", Title: "both ends of Autodiscover agree where the mailbox is", Blocks: blocksDiscovery, Vantage: "internet", Needs: append(slices.Clone(reached), "autod.json"), applies: onPrem, harmless: true,
			Cause:  "a move did not finish, or directory synchronisation is behind: the two directories disagree",
			Remedy: "compare Get-RemoteMailbox / Get-Mailbox on premises with Get-MailUser / Get-Mailbox in the cloud; run Start-ADSyncSyncCycle", Source: sourceAutod, run: (*exam).autodAgree},
		{ID: "autod.url", Title: "autodiscover.json names the client namespace", Blocks: blocksDiscovery, Vantage: "internet", Needs: append(slices.Clone(reached), "autod.json", "autod.agree"), applies: onPrem, harmless: true,
			Cause:  "the external URL of a virtual directory is empty or names an internal server",
			Remedy: "Set-WebServicesVirtualDirectory -ExternalUrl https://NAMESPACE/EWS/Exchange.asmx, and the same for the other directories", Source: sourceAutod, run: (*exam).autodURL},
		{ID: "autod.rest", Title: "autodiscover.json knows the REST protocol", Blocks: blocksDiscovery, Vantage: "internet",
			Needs: append(slices.Clone(reached), "array.builds", "autod.json", "autod.agree"), applies: onPrem, harmless: true,
			Cause: "the answering server is older than 2016 CU3: Graph cannot find the REST directory", Remedy: "update every server to the current cumulative update, with /PrepareAD", Source: sourceAutod, run: (*exam).autodREST},
		{ID: "autod.cloud", Title: "the cloud end of Autodiscover knows the mailbox", Blocks: blocksDiscovery, Vantage: "any", applies: cloud, harmless: true, eachMailbox: true,
			Cause:  "the tenant does not know the address, or it has no mailbox",
			Remedy: "check directory synchronisation and the user's licence (Get-Recipient in the cloud)", Source: sourceAutod, run: (*exam).autodCloud},
	}
}

// local are the conditions of every question to the on-premises end.
func (e *exam) local() (email string, f finding, ok bool) {
	email = e.address(e.first())
	switch {
	case e.o.OnPremEnd == "":
		return "", skip("the on-premises end of Autodiscover is not known"), false
	case !strings.Contains(email, "@"):
		return "", skip("no mailbox with a mail address was named"), false
	}
	return email, finding{}, true
}

// document tells whether the answer is Autodiscover's, whatever it says.
func document(a where.Answer) bool {
	return a.Failure == "" && (a.Status == http.StatusOK && a.URL != "" || a.Status >= 300 && a.Status < 400 || a.Code != "")
}

func (e *exam) autodJSON() finding {
	email, f, ok := e.local()
	if !ok {
		return f
	}
	query := e.discover(e.o.OnPremEnd, email, "EWS", where.Query)
	segment := e.discover(e.o.OnPremEnd, email, "EWS", where.Segment)
	switch {
	case strings.HasPrefix(query.Failure, "nobody"):
		return skip("a safety rule does not let the on-premises end be asked")
	case !document(query) && !document(segment):
		return fail("neither form answers: %s", query)
	case !document(segment):
		return fail("the form /v1.0/ADDRESS answers %s", segment)
	case !document(query):
		return fail("the form ?Email= answers %s", query)
	}
	return pass("%s", query)
}

func (e *exam) autodAgree() finding {
	email, f, ok := e.local()
	if !ok {
		return f
	}
	here := e.discover(e.o.OnPremEnd, email, "EWS", where.Query)
	if here.Home != where.OnPrem {
		return fail("the on-premises end says %s", homeless(here))
	}
	if e.o.CloudEnd == "" {
		return skip("the cloud end of Autodiscover is not known")
	}
	there := e.discover(e.o.CloudEnd, email, "EWS", where.Query)
	switch {
	case strings.HasPrefix(there.Failure, "nobody"):
		return skip("a safety rule does not let the cloud end be asked")
	case there.Home == where.OnPrem:
		return pass("both say on premises")
	case there.Home == where.Unknown:
		return fail("the cloud end says %s, the on-premises end answers for the mailbox", homeless(there)).because("the tenant does not know the address as one on premises",
			"check directory synchronisation, and the external address of the mail user in the cloud (Get-MailUser | fl ExternalEmailAddress)")
	}
	return fail("the cloud end says %s, the on-premises end on premises", there.Home)
}

// homeless says an answer that leads to no home.
func homeless(a where.Answer) string {
	switch a.Home {
	case where.Moving:
		return "to ask the other end, which sends back"
	case where.Unknown:
		return a.String()
	}
	return "that it is in the " + string(a.Home)
}

func (e *exam) autodURL() finding {
	email, f, ok := e.local()
	if !ok {
		return f
	}
	a := e.discover(e.o.OnPremEnd, email, "EWS", where.Query)
	if a.URL == "" {
		return skip("no endpoint was named: %s", a)
	}
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" {
		return fail("it names no host: %q", a.URL)
	}
	if !strings.EqualFold(u.Hostname(), e.url.Hostname()) {
		return fail("it names %s, clients use %s", u.Hostname(), e.url.Hostname())
	}
	return pass("%s", a.URL)
}

func (e *exam) autodREST() finding {
	email, f, ok := e.local()
	if !ok {
		return f
	}
	a := e.discover(e.o.OnPremEnd, email, "REST", where.Query)
	if a.URL == "" {
		return fail("%s", a)
	}
	return pass("%s", a.URL)
}

func (e *exam) autodCloud() finding {
	email := e.address(e.mailbox)
	switch {
	case e.o.CloudEnd == "":
		return skip("the cloud end of Autodiscover is not known")
	case !strings.Contains(email, "@"):
		return skip("no mailbox with a mail address was named")
	}
	a := e.discover(e.o.CloudEnd, email, "EWS", where.Query)
	switch {
	case a.Failure != "":
		return skip("the cloud end did not answer: %s", a.Failure)
	case a.Home == where.Cloud:
		return pass("%s", a)
	case a.Home == where.OnPrem:
		return fail("it leads on premises, to %s", a.Host).because("the mailbox that this path should reach lives on premises", "name a mailbox in the cloud, or move this one; `cutover where` tells them apart")
	case a.Home == where.Moving:
		return fail("the two ends send it to each other").because("a move did not finish", "compare both directories, and run Start-ADSyncSyncCycle")
	}
	return fail("the cloud end says %s", a)
}
