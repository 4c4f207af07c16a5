package lab

import (
	"net/http"

	"cutover/harness/lab/graph"
	"cutover/harness/lab/token"
)

// graphChallenge is what Graph says beside a 401.
const graphChallenge = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="` + token.GraphApp + `"`

// graphTexts are Graph's words for a token that is wrong in itself. Those for
// an unknown key, another tenant and missing claims are inferred.
var graphTexts = map[token.Defect]string{
	token.Empty:     "Access token is empty.",
	token.Malformed: "CompactToken parsing failed with error code: 80049217",
	token.Algorithm: "Access token validation failure.",
	token.Key:       "Access token validation failure.",
	token.Signature: "Access token validation failure. Signature is invalid.",
	token.Tenant:    "Access token validation failure. Invalid issuer.",
	token.Claims:    "Access token validation failure.",
	token.Early:     "Access token has expired or is not yet valid.",
	token.Expired:   "Lifetime validation failed, the token is expired.",
}

// authorise checks the token of a request to Graph: signature, times, tenant,
// audience. Whether it permits the operation is Graph's question.
func authorise(a *token.Authority) func(*http.Request) (graph.Caller, *graph.Refusal) {
	refuse := func(text string) *graph.Refusal {
		return &graph.Refusal{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: text,
			Header: http.Header{"Www-Authenticate": {graphChallenge}}}
	}
	return func(r *http.Request) (graph.Caller, *graph.Refusal) {
		raw, _ := token.Bearer(r.Header.Get("Authorization"))
		t, fault := a.Verify(raw)
		if fault != nil {
			return graph.Caller{}, refuse(graphTexts[fault.Defect])
		}
		if !t.For(token.GraphAudience, token.GraphApp) {
			return graph.Caller{}, refuse("Access token validation failure. Invalid audience.")
		}
		c := graph.Caller{Kind: graph.User, AppID: t.App, OID: t.Object, UPN: t.UPN, Scopes: t.Scopes}
		if t.AppOnly {
			c = graph.Caller{Kind: graph.App, AppID: t.App, Roles: t.Roles}
		}
		return c, nil
	}
}
