package sts

import (
	"net/url"
	"strings"

	"cutover/harness/lab/token"
)

// wanted is what a scope parameter asks for.
type wanted struct {
	resource    *Resource
	prefix      string   // how the client wrote the resource, with its slash; "" for Graph's short names
	permissions []string // named ones
	everything  bool     // /.default
	asked       []string // the scopes of the resource as written
	oidc        []string // openid, profile, offline_access, email
	nonce       string
}

// scopes reads the scope parameter, or resource of the first endpoint's form.
// All scopes belong to one resource; a bare name belongs to Graph.
func (s *Service) scopes(form url.Values) (wanted, *refusal) {
	var out wanted
	text := form.Get("scope")
	if resource := form.Get("resource"); resource != "" {
		text = strings.TrimSuffix(resource, "/") + "/.default " + text
	}
	if strings.TrimSpace(text) == "" {
		return out, missing("scope")
	}
	for _, scope := range strings.Fields(text) {
		switch strings.ToLower(scope) {
		case "openid", "profile", "offline_access", "email":
			out.oidc = append(out.oidc, strings.ToLower(scope))
			continue
		}
		if f := s.scope(&out, scope); f != nil {
			return out, f
		}
	}
	if out.resource == nil {
		out.resource = s.names[token.GraphAudience]
	}
	if out.resource == nil {
		return out, fail(70011, "invalid_scope", "The provided value for the input parameter 'scope' is not valid.")
	}
	return out, nil
}

func (s *Service) scope(out *wanted, scope string) *refusal {
	resource, permission := token.GraphAudience, scope
	prefix := ""
	if i := strings.LastIndexByte(scope, '/'); i >= 0 {
		prefix, permission = scope[:i+1], scope[i+1:]
		resource = strings.TrimRight(prefix, "/")
	}
	if permission == "" {
		return fail(70011, "invalid_scope", "The provided value for the input parameter 'scope' is not valid. The scope "+clip(scope)+" is not valid.")
	}
	known := s.names[strings.ToLower(resource)]
	if known == nil {
		return fail(500011, "invalid_resource", "The resource principal named "+clip(resource)+" was not found in the tenant.")
	}
	if out.resource != nil && out.resource != known {
		return fail(28000, "invalid_request", "The input parameter scope is not valid because it contains more than one resource.")
	}
	out.resource, out.prefix = known, prefix
	out.asked = append(out.asked, scope)
	if permission == ".default" {
		out.everything = true
	} else {
		out.permissions = append(out.permissions, permission)
	}
	return nil
}
