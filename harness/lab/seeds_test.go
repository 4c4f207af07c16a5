package lab_test

import (
	"testing"

	"cutover/harness/lab"
)

// The refusals that the reports behind this project quote, word for word.
func TestTheReportedRefusalsComeWordForWord(t *testing.T) {
	w := start(t, lab.Options{Proxy: "preview"})
	onPrem := "/users/" + w.info.Pairs[0].OnPremUPN + "/messages"
	w.refused(w.app(0), "GET", w.info.Graph+onPrem, "", 401, "UnknownError", "")
	w.refused(w.onPremUser(), "GET", w.info.Graph+"/me/drive", "", 400, "ErrorInvalidRequest", "The OData request is not supported. REST APIs for this mailbox are currently in preview. "+
		"You can find more information about the preview REST APIs at https://dev.outlook.com/.")
	said := w.frontEnd(onPrem)
	if want := `2000001;reason="This token profile 'V1S2SAppOnly' is not applicable for the current protocol.";error_category="invalid_token"`; said["x_ms_diagnostics"] != want {
		t.Errorf("diagnostics %v, want %s", said["x_ms_diagnostics"], want)
	}
	if want := `Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@` + w.info.Tenant +
		`", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"`; said["www_authenticate"] != want {
		t.Errorf("challenge %v, want %s", said["www_authenticate"], want)
	}

	w = start(t, lab.Options{Proxy: "preview", Quirks: []string{"auth.partner_perm"}})
	said = w.frontEnd("/users/" + w.info.Pairs[0].OnPremUPN + "/messages")
	if want := `2000008;reason="The token should have valid permissions or linked account associated with partner application '00000003-0000-0000-c000-000000000000'.";error_category="invalid_grant"`; said["x_ms_diagnostics"] != want {
		t.Errorf("diagnostics %v, want %s", said["x_ms_diagnostics"], want)
	}

	for mode, text := range map[string]string{"off2016": "REST API is not yet supported for this mailbox.", "retired": "The mailbox is either inactive, soft-deleted, or is hosted on-premise."} {
		w = start(t, lab.Options{Proxy: mode})
		w.refused(w.app(0), "GET", w.info.Graph+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", "", 404, "MailboxNotEnabledForRESTAPI", text)
	}
}

// frontEnd is what the on-prem front end's log says of an app-only call of Graph.
func (w *world) frontEnd(path string) map[string]any {
	w.t.Helper()
	w.get(w.app(0), w.info.Graph+path, "client-request-id", "seed")
	entries, _ := w.get("", w.info.Control+"/frontend-log?client-request-id=seed").doc["entries"].([]any)
	if len(entries) != 1 {
		w.t.Fatalf("%d entries", len(entries))
	}
	e, _ := entries[0].(map[string]any)
	return e
}
