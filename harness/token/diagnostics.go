package token

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cutover/harness/wire"
)

// meanings are what the codes of x-ms-diagnostics mean. Codes and categories
// are Microsoft's published list; the words are ours.
var meanings = map[int]struct{ category, meaning, remedy string }{
	2000000: {"invalid_signature", "the signature does not fit, or its key is not known to the server",
		"refresh the server's trust: Set-AuthServer EvoSTS -RefreshAuthMetadata; check that the servers reach the token service"},
	2000001: {"invalid_token", "the token is malformed, of a kind that this directory does not take, or lacks a claim",
		"look at the kind and the issuer of the token that was refused"},
	2000002: {"token_expired", "the token has ended", "fetch a new one; if it is new, compare the server's clock with a time server"},
	2000003: {"invalid_resource", "the token is meant for somebody else",
		"ask for the audience https://NAMESPACE of the server, register that name as a service principal name in Entra, and turn SSL offload off where the scheme differs"},
	2000004: {"invalid_tenant", "the tenant in the token is not the organisation's, or is missing", "sign in at the organisation's tenant; compare the realm of Get-AuthServer and Get-PartnerApplication"},
	2000005: {"invalid_user", "the user in the token is not found, or not the only one", "check that the account is synchronised and its mail addresses agree on both sides"},
	2000006: {"invalid_client", "the application in the token is not known to the server", "run the Hybrid Configuration Wizard again, which registers the partner applications"},
	2000007: {"internal_error", "the server could not judge the token", "look into the server's own logs at the time of the request"},
	2000008: {"invalid_grant", "the token is genuine, and what it may do is not enough",
		"use a delegated token with the scope that the request needs"},
	2000020: {"insufficient_claims", "tenant restrictions forbid the sign-in", "look at the tenant restrictions policy of the network"},
	4000000: {"oauth_not_available", "the server does not offer modern authentication for this user or protocol",
		"check hybrid modern authentication: Get-AuthServer (EvoSTS enabled and default), Get-OrganizationConfig (OAuth2ClientProfileEnabled), authentication policies"},
}

var (
	diagnosticsShape = lazy(`(?s)\b([24]0000\d\d)\s*;\s*reason\s*=\s*\\?"(.*?)\\?"\s*;\s*error_(?:category|type)\s*=\s*\\?"([a-z_]+)`)
	bareShape        = lazy(`(?i)x-ms-diagnostics\\?"?\s*[:=,]\s*\\?"?(?:HeaderValue="?)?\s*"?([24]0000\d\d)\b`)
	kindShape        = lazy(`\b(V1S2SAppOnly|V1S2SActAs|V1AppOnly|V1AppActAs|S2SAppOnly|S2SAppActAs|CallbackV2|Callback)\b`)
	traceHeader      = lazy(`(?s)HeaderName="([A-Za-z0-9-]+)",\s*HeaderValue="(.*?)",\s*Replace=`)
	lineHeader       = lazy(`(?m)^[<>\s]*([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*(.+?)\r?$`)
	graphShape       = lazy(`\b` + graphApp + `\b`)
	parameter        = lazy(`([a-z_]+)="([^"]*)"`)
)

// lazy compiles a pattern when it is first needed: most runs never do.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// findDiagnostics lists the refusals in text, each once.
func findDiagnostics(text string) (all []Diagnostic) {
	text = html.UnescapeString(text)
	add := func(code, reason, category string) {
		n, _ := strconv.Atoi(code)
		m := meanings[n]
		d := Diagnostic{Code: n, Category: orElse(category, m.category), Reason: clean(wire.Redact(reason)), Meaning: m.meaning, Remedy: m.remedy}
		if d.Meaning == "" {
			d.Meaning, d.Remedy = "it is not in Microsoft's published list", "look into the server's own logs at the time of the request"
		}
		d.Refused = Kind(kindShape().FindString(reason))
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	for _, m := range diagnosticsShape().FindAllStringSubmatch(text, -1) {
		add(m[1], m[2], m[3])
	}
	for _, m := range bareShape().FindAllStringSubmatch(text, -1) {
		if n, _ := strconv.Atoi(m[1]); !slices.ContainsFunc(all, func(d Diagnostic) bool { return d.Code == n }) {
			add(m[1], "", "")
		}
	}
	return all
}

// findServers tells what headers say about the servers that answered.
func findServers(text string) (all []Fact) {
	add := func(name, value string) {
		f := Fact{name, clean(wire.Redact(value))}
		if value != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	found := traceHeader().FindAllStringSubmatch(html.UnescapeString(text), -1)
	found = append(found, lineHeader().FindAllStringSubmatch(text, -1)...)
	for _, m := range found {
		value := strings.TrimSpace(m[2])
		switch strings.ToLower(m[1]) {
		case "x-owa-version":
			add("server's build", value+" ("+Product(value)+")")
		case "x-feserver":
			add("front-end server", value)
		case "x-calculatedbetarget", "x-targetbeserver", "x-beserver":
			add("back-end server", value)
		case "x-ms-ags-diagnostic":
			add("answered by", "Microsoft Graph")
		case "request-id":
			add("request id", value)
		case "date":
			add("server's clock", value)
		case "www-authenticate":
			challenge(value, add)
		}
	}
	return all
}

// challenge tells what a 401 asks for.
func challenge(value string, add func(name, value string)) {
	scheme, rest, _ := strings.Cut(value, " ")
	add("asks for", strings.TrimSuffix(scheme, ","))
	if !strings.EqualFold(scheme, "Bearer") {
		return
	}
	for _, p := range parameter().FindAllStringSubmatch(rest, -1) {
		switch p[1] {
		case "client_id":
			add("asks for a token for", named(p[2]))
		case "trusted_issuers":
			add("trusts", p[2])
		case "authorization_uri":
			add("sends users to", p[2])
		case "token_types":
			add("takes", p[2])
		}
	}
}

// firstSE is the first build of Exchange Server SE, which shares 15.2 with 2019.
const firstSE = 2562

// Product names the Exchange that has a build such as 15.1.2507.6, as
// X-OWA-Version and X-DiagInfo carry it.
func Product(build string) string {
	parts := strings.Split(build, ".")
	numbers := make([]int, 3)
	for i := range numbers {
		if i < len(parts) {
			numbers[i], _ = strconv.Atoi(parts[i])
		}
	}
	if numbers[0] != 15 {
		return "not a build of Exchange 2013 or later"
	}
	switch minor := numbers[1]; {
	case minor == 0:
		return "Exchange 2013, which has no /api"
	case minor == 1:
		return "Exchange 2016"
	case minor == 2 && numbers[2] < firstSE:
		return "Exchange 2019"
	case minor == 2:
		return "Exchange Server SE"
	case minor == 20:
		return "Exchange Online"
	}
	return fmt.Sprintf("unknown, 15.%d", numbers[1])
}
