package guard_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

func pool(s *sink) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(s.Certificate())
	return p
}

// real are the rules for a deployment whose hosts are mapped to a loopback
// sink: consent is judged as for any other.
func real(t *testing.T, own *sink, consent *guard.Consent) guard.Rules {
	t.Helper()
	return guard.Rules{Consent: consent, AllowWrite: true, Hosts: map[string][]string{"cloud": {"mail.contoso.test:443"}},
		Resolve:   map[string]string{"mail.contoso.test:443": own.host()},
		Mailboxes: map[string][]string{"ann": {"ann@contoso.test"}, "bob": {"bob@lab.test"}},
		Mine:      func(path, id string) bool { return path == "cloud" && id == "mine" }}
}

const root = "https://mail.contoso.test/v1.0"

// through opens a path whose certificate the sink presents.
func through(t *testing.T, own *sink, r guard.Rules) wire.Doer {
	t.Helper()
	p, err := door(t, r).Path("cloud", guard.Options{CA: pool(own), ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWritesNeedPermissionAndConsent(t *testing.T) {
	own := listen(t, true)
	write := wire.Request{Method: "POST", URL: root + "/me/messages", Effect: wire.Effect{Writes: true, Creates: "message"}, Mailbox: "ann"}
	read := wire.Request{Method: "GET", URL: root + "/me/messages", Mailbox: "ann"}
	with := func(r wire.Request, change func(*wire.Request)) wire.Request { change(&r); return r }
	tests := []struct {
		name  string
		rules func(*guard.Rules)
		req   wire.Request
		rule  string
	}{
		{"lets a consented read through", nil, read, ""},
		{"lets a consented write through", nil, write, ""},
		{"refuses a write without --allow-write", func(r *guard.Rules) { r.AllowWrite = false }, write, "write"},
		{"refuses an operation that the consent does not name", func(r *guard.Rules) { r.Consent = agreed(t, "operations: [read, change]") }, write, "operation"},
		{"refuses reading where only writing is consented", func(r *guard.Rules) { r.Consent = agreed(t, "operations: [create]") }, read, "operation"},
		{"takes DELETE for a delete whatever is said about it", func(r *guard.Rules) { r.Consent = agreed(t, "operations: [read, create]") },
			with(read, func(r *wire.Request) { r.Method = "DELETE" }), "operation"},
		{"takes PATCH for a change whatever is said about it", func(r *guard.Rules) { r.AllowWrite = false }, with(read, func(r *wire.Request) { r.Method = "PATCH" }), "write"},
		{"lets a POST through that the dialect calls a read", func(r *guard.Rules) { r.AllowWrite = false },
			with(read, func(r *wire.Request) { r.Method, r.URL = "POST", root+"/me/calendar/getSchedule" }), ""},
		{"refuses a mailbox pair that the profile does not have", nil, with(read, func(r *wire.Request) { r.Mailbox = "eve" }), "mailbox"},
		{"refuses a URL that addresses a mailbox without consent", nil, with(read, func(r *wire.Request) { r.URL = root + "/users/ceo@contoso.test/messages" }), "mailbox"},
		{"reads escapes in such a URL", nil, with(read, func(r *wire.Request) { r.URL = root + "/users/ceo%40contoso.test/messages" }), "mailbox"},
		{"lets a URL through that addresses a consented mailbox", nil, with(read, func(r *wire.Request) { r.URL = root + "/users/Ann%40Contoso.test/messages" }), ""},
		{"refuses to change what the run did not create", nil,
			with(write, func(r *wire.Request) { r.Method, r.Effect = "PATCH", wire.Effect{Writes: true, Target: "theirs"} }), "not ours"},
		{"refuses to delete what the run did not create", nil,
			with(write, func(r *wire.Request) { r.Method, r.Effect = "DELETE", wire.Effect{Deletes: true, Target: "theirs"} }), "not ours"},
		{"changes what the run created", nil, with(write, func(r *wire.Request) {
			r.Method, r.URL, r.Effect = "PATCH", root+"/me/messages/mine", wire.Effect{Writes: true, Target: "mine"}
		}), ""},
		{"refuses every change where no journal knows what the run created", func(r *guard.Rules) { r.Mine = nil },
			with(write, func(r *wire.Request) { r.Method, r.Effect = "PATCH", wire.Effect{Writes: true, Target: "mine"} }), "not ours"},
		{"wants inbox rules named", nil, with(write, func(r *wire.Request) { r.URL = root + "/me/mailFolders/inbox/messageRules" }), "operation"},
		{"wants automatic replies named", nil, with(write, func(r *wire.Request) { r.Method, r.URL = "PATCH", root+"/me/mailboxSettings" }), "operation"},
		{"wants delegates named", nil, with(write, func(r *wire.Request) {
			r.URL, r.Body = "https://mail.contoso.test/EWS/Exchange.asmx", []byte(`<m:AddDelegate xmlns:m="m"/>`)
		}), "operation"},
		{"wants webhooks named", nil, with(write, func(r *wire.Request) { r.URL = root + "/subscriptions" }), "operation"},
		{"finds them in a batch", nil, with(write, func(r *wire.Request) {
			r.URL, r.Body = root+"/$batch", []byte(`{"requests":[{"id":"1","method":"POST","url":"/me/mailFolders/inbox/messageRules","body":{}}]}`)
		}), "operation"},
		{"lets inbox rules through that are named", func(r *guard.Rules) { r.Consent = agreed(t, "operations: [read, create, inbox-rules]") },
			with(write, func(r *wire.Request) { r.URL = root + "/me/mailFolders/inbox/messageRules" }), ""},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			rules := real(t, own, agreed(t))
			if test.rules != nil {
				test.rules(&rules)
			}
			before := len(own.reached())
			req := test.req
			if got := rule(t, through(t, own, rules), &req); got != test.rule {
				t.Errorf("rule = %q, want %q", got, test.rule)
			}
			if sent := len(own.reached()) - before; (sent == 1) != (test.rule == "") {
				t.Errorf("requests that reached the server: %d", sent)
			}
		})
	}
}

func TestTheLabNeedsNeitherPermissionNorConsent(t *testing.T) {
	own := listen(t, false)
	p := path(t, door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}}), "cloud")
	req := &wire.Request{Method: "POST", URL: own.URL + "/me/sendMail", Effect: wire.Effect{Writes: true, Mails: true, Recipients: []string{"anybody@anywhere.test"}}, Mailbox: "x"}
	if got := rule(t, p, req); got != "" {
		t.Errorf("rule = %q, want none", got)
	}
}

func TestConsentEndsWhileTheRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on Saturday 2000-01-01 00:00 UTC
		c := agreed(t, "window: {days: [sat], from: '00:00', to: '01:00', zone: UTC}")
		r := guard.Rules{Consent: c, Hosts: map[string][]string{"cloud": {"mail.contoso.test:443"}}, Resolve: map[string]string{"mail.contoso.test:443": "192.0.2.1"}}
		d, err := guard.Open(r)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		p, err := d.Path("cloud", guard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := rule(t, p, &wire.Request{Method: "GET", URL: root + "/me"}); got != "window" {
			t.Errorf("rule after the window = %q, want window", got)
		}
		if _, err := guard.Open(r); !refusedBy(err, "window") {
			t.Errorf("Open after the window = %v, want window", err)
		}
	})
}

func refusedBy(err error, rule string) bool {
	var r *guard.Refusal
	return errors.As(err, &r) && r.Rule == rule
}

func TestAProbeConsentAllowsNoRunThatWrites(t *testing.T) {
	probe := agreed(t, "kind: probe", "operations: [read]")
	if _, err := guard.Open(guard.Rules{Consent: probe, AllowWrite: true}); !refusedBy(err, "write") {
		t.Errorf("Open = %v, want write", err)
	}
}

func TestAPairNeedsConsentForAllItsAddresses(t *testing.T) {
	for _, test := range []struct {
		name      string
		addresses []string
		rule      string
	}{
		{"accepts listed addresses and domains", []string{"ANN@contoso.test", "x@lab.test"}, ""},
		{"refuses one address that is not listed", []string{"ann@contoso.test", "ceo@contoso.test"}, "mailbox"},
		{"refuses a pair without addresses", nil, "mailbox"},
		{"refuses an address that hides another", []string{"ceo%contoso.test@lab.test"}, "mailbox"},
	} {
		t.Run("it "+test.name, func(t *testing.T) {
			_, err := guard.Open(guard.Rules{Consent: agreed(t), Mailboxes: map[string][]string{"pair": test.addresses}})
			if (test.rule != "" || err != nil) && !refusedBy(err, test.rule) {
				t.Errorf("Open = %v, want %q", err, test.rule)
			}
		})
	}
}

func TestStressIsKeptFromClouds(t *testing.T) {
	rules := func(consent *guard.Consent, hosts ...string) guard.Rules {
		return guard.Rules{Consent: consent, Hosts: map[string][]string{"p": hosts}}
	}
	for _, test := range []struct {
		name  string
		rules guard.Rules
		want  bool // refused
	}{
		{"allows it on this machine", rules(nil, "127.0.0.1:443"), false},
		{"refuses it on premises by default", rules(agreed(t), "mail.contoso.test:443"), true},
		{"allows it on premises with consent", rules(agreed(t, "stress: true"), "mail.contoso.test:443"), false},
		{"refuses it in the cloud whatever is consented", rules(agreed(t, "stress: true", "hosts: [graph.microsoft.com]"), "graph.microsoft.com:443"), true},
		{"knows the sovereign clouds", rules(agreed(t, "stress: true"), "dod-graph.microsoft.us:443"), true},
		{"knows China's", rules(agreed(t, "stress: true"), "microsoftgraph.chinacloudapi.cn:443"), true},
		{"is not deceived by a name that ends alike", rules(agreed(t, "stress: true"), "notmicrosoft.com:443"), false},
	} {
		t.Run("it "+test.name, func(t *testing.T) {
			if err := test.rules.CheckStress("load model spike"); refusedBy(err, "stress") != test.want {
				t.Errorf("CheckStress = %v", err)
			}
		})
	}
}

func TestABatchReachesNoMailboxBesideTheConsent(t *testing.T) {
	s := listen(t, false)
	c := agreed(t, "hosts: ["+s.host()+"]", "networks: [127.0.0.0/8]")
	d := door(t, guard.Rules{Consent: c, AllowWrite: true, Hosts: map[string][]string{"cloud": {s.host()}}})
	p := path(t, d, "cloud")
	ask := func(url string) string {
		body := `{"requests":[{"id":"1","method":"GET","url":"` + url + `"}]}`
		return rule(t, p, &wire.Request{Method: "POST", URL: s.URL + "/$batch", Mailbox: "", Body: []byte(body)})
	}
	if got := ask("/users/boss@outside.test/messages"); got != "mailbox" {
		t.Errorf("a part that reads a mailbox outside is refused by %q, want mailbox", got)
	}
	if got := ask("/users/ann@contoso.test/messages"); got != "" {
		t.Errorf("a part that reads a mailbox of the consent is refused by %q", got)
	}
	settings := &wire.Request{Method: "POST", URL: s.URL + "/users/ann@contoso.test/mailboxSettings", Body: []byte(`{"automaticRepliesSetting":{"status":"alwaysEnabled"}}`)}
	if got := rule(t, p, settings); got != "operation" {
		t.Errorf("automatic replies that a suite calls a read are refused by %q, want operation", got)
	}
}
