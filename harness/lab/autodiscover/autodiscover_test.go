package autodiscover_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cutover/harness/lab/autodiscover"
	"cutover/harness/lab/store"
)

const (
	onPrem = "https://mail.contoso.test"
	cloud  = "https://autodiscover.cloud.test"
)

func TestBothEndsSendAClientToItsMailbox(t *testing.T) {
	s := store.New(store.Config{Pairs: 2})
	here, there := s.Pairs()[0].OnPrem.User().SMTP, s.Pairs()[0].Cloud.User().SMTP
	ends := map[string]*autodiscover.Service{
		"cloud":  autodiscover.New(autodiscover.Config{Store: s, End: autodiscover.Cloud, OnPremBase: onPrem, CloudBase: cloud}),
		"onprem": autodiscover.New(autodiscover.Config{Store: s, End: autodiscover.OnPrem, OnPremBase: onPrem, CloudBase: cloud}),
		"old":    autodiscover.New(autodiscover.Config{Store: s, End: autodiscover.OnPrem, OnPremBase: onPrem, CloudBase: cloud, NoREST: true, Internal: "ex01.corp.test"}),
	}
	unlicensed := s.Others()[0].User().SMTP
	for _, row := range []struct {
		name, end, target string
		status            int
		body, location    string
	}{
		{"it tells the endpoint of its own mailbox", "onprem", "?Email=" + here + "&Protocol=EWS", 200, `{"Protocol":"EWS","Url":"https://mail.contoso.test/EWS/Exchange.asmx"}`, ""},
		{"it echoes the protocol as it was spelt", "onprem", "?email=" + here + "&protocol=activesync", 200, `{"Protocol":"activesync","Url":"https://mail.contoso.test/Microsoft-Server-ActiveSync"}`, ""},
		{"it takes the address in the path", "onprem", "/v1.0/" + here + "?Protocol=Rest", 200, `{"Protocol":"Rest","Url":"https://mail.contoso.test/api"}`, ""},
		{"it names Autodiscover v1", "onprem", "?Email=" + here + "&Protocol=Autodiscoverv1", 200, `{"Protocol":"Autodiscoverv1","Url":"https://mail.contoso.test/autodiscover/autodiscover.xml"}`, ""},
		{"it tells a location only in the cloud", "cloud", "?Email=" + there + "&Protocol=REST&ServerLocation=true", 200, `{"Protocol":"REST","Url":"https://autodiscover.cloud.test/api","ServerLocation":"Lab"}`, ""},
		{"the cloud sends an on-prem mailbox home", "cloud", "?Email=" + here + "&Protocol=EWS", 302, "Object moved", onPrem + "/autodiscover/autodiscover.json?Email=" + strings.Replace(here, "@", "%40", 1) + "&Protocol=EWS&RedirectCount=1"},
		{"on-prem sends a cloud mailbox to the cloud", "onprem", "?Email=" + there + "&Protocol=EWS&RedirectCount=2", 302, "Object moved", cloud + "/autodiscover/autodiscover.json?Email=" + strings.Replace(there, "@", "%40", 1) + "&Protocol=EWS&RedirectCount=3"},
		{"the cloud sends an unknown address of its domain to itself", "cloud", "?Email=ghost@contoso.test&Protocol=EWS", 302, "Object moved", cloud + "/autodiscover/autodiscover.json?Email=ghost%40contoso.test&Protocol=EWS&RedirectCount=1"},
		{"the cloud sends a user without a mailbox to itself", "cloud", "?Email=" + unlicensed + "&Protocol=EWS", 302, "Object moved", cloud + "/autodiscover/autodiscover.json?Email=" + strings.Replace(unlicensed, "@", "%40", 1) + "&Protocol=EWS&RedirectCount=1"},
		{"it stops a client that goes in circles", "cloud", "?Email=ghost@contoso.test&Protocol=EWS&RedirectCount=10", 404, "UserNotFound", ""},
		{"it does not know other domains", "cloud", "?Email=x@other.test&Protocol=EWS", 404, "UserNotFound", ""},
		{"on-prem does not know strangers", "onprem", "?Email=ghost@contoso.test&Protocol=EWS", 404, "UserNotFound", ""},
		{"it names the protocols that it has", "onprem", "?Email=" + here + "&Protocol=X", 400, `{"ErrorCode":"InvalidProtocol","ErrorMessage":"The given protocol value 'X' is invalid. Supported values are 'ActiveSync,AutodiscoverV1,Ews,Rest'"}`, ""},
		{"it wants a protocol", "onprem", "?Email=" + here, 400, `"MandatoryParameterMissing"`, ""},
		{"it wants an address", "onprem", "?Protocol=EWS", 400, `"MandatoryParameterMissing"`, ""},
		{"an old server has no REST", "old", "?Email=" + here + "&Protocol=Rest", 400, "'ActiveSync,AutodiscoverV1,Ews'", ""},
		{"a wrong setting names an internal host", "old", "?Email=" + here + "&Protocol=Ews", 200, "https://ex01.corp.test/EWS/Exchange.asmx", ""},
		{"it knows no other version", "onprem", "/v2.0/" + here + "?Protocol=Ews", 404, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			ends[row.end].ServeHTTP(w, httptest.NewRequest(http.MethodGet, onPrem+"/autodiscover/autodiscover.json"+row.target, nil))
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.body) || w.Header().Get("Location") != row.location {
				t.Errorf("got %d %s, location %s", w.Code, w.Body, w.Header().Get("Location"))
			}
		})
	}
	w := httptest.NewRecorder()
	ends["onprem"].ServeHTTP(w, httptest.NewRequest(http.MethodPost, onPrem+"/autodiscover/autodiscover.json", nil))
	if w.Code != 404 {
		t.Errorf("POST: %d", w.Code)
	}
}
