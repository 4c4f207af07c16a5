package sts

import (
	"encoding/json"
	"net/http"
	"strings"
)

// metadata is the OpenID configuration. Its issuer has the service's own host:
// MSAL refuses any other, although the tokens name sts.windows.net.
func (s *Service) metadata(w http.ResponseWriter, r *http.Request, _ string) {
	root := s.root()
	answer(w, http.StatusOK, map[string]any{
		"token_endpoint":                        root + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri":                              root + "/discovery/v2.0/keys",
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"issuer":                                s.issuer(),
		"request_uri_parameter_supported":       false,
		"authorization_endpoint":                root + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         root + "/oauth2/v2.0/devicecode",
		"http_logout_supported":                 true,
		"frontchannel_logout_supported":         true,
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"},
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   s.host(),
		"cloud_graph_host_name":                 "graph.windows.net",
		"msgraph_host":                          "graph.microsoft.com",
	})
}

// issuer is that of the discovery document and of id tokens.
func (s *Service) issuer() string {
	if s.cfg.Issuer != "" {
		return s.cfg.Issuer + "/" + s.cfg.Authority.Tenant() + "/v2.0"
	}
	return s.root() + "/v2.0"
}

func (s *Service) host() string { return strings.TrimPrefix(s.cfg.Base, "https://") }

// instance answers instance discovery: the service knows no other authority than itself.
func (s *Service) instance(w http.ResponseWriter, r *http.Request) {
	endpoint := r.URL.Query().Get("authorization_endpoint")
	if !strings.HasPrefix(endpoint, s.cfg.Base+"/") {
		s.refuse(w, r, fail(50049, "invalid_instance", "Unknown or invalid instance."))
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": s.root() + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": s.host(), "preferred_cache": s.host(), "aliases": []string{s.host()},
		}},
	})
}

func (s *Service) keys(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(s.cfg.Authority.JWKS())
}

// realm says whether a user's domain is managed by the tenant. There are no
// federated domains in the lab.
func (s *Service) realm(w http.ResponseWriter, upn string) {
	onPrem, cloud := s.cfg.Store.Domains()
	_, domain, _ := strings.Cut(upn, "@")
	out := map[string]any{
		"ver": "1.0", "account_type": "Managed", "domain_name": domain,
		"cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
	}
	if !strings.EqualFold(domain, onPrem) && !strings.EqualFold(domain, cloud) {
		out["account_type"] = "Unknown"
	}
	answer(w, http.StatusOK, out)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
