package doctor_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"cutover/harness/auth"
	"cutover/harness/doctor"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
)

func TestOneQuestionIsJudgedInTheDoctorsWords(t *testing.T) {
	failed := func(kind wire.FailureKind, err error) wire.Call {
		return wire.Call{Failure: &wire.Failure{Kind: kind, Err: err}}
	}
	said := func(code int, body string, fields ...string) wire.Call {
		return wire.Call{Response: status(code, body, fields...)(nil)}
	}
	const ntlm = `{ntlm: {user: mailbox}}`
	for _, row := range []struct {
		name, path, auth string
		call             wire.Call
		id               string
		verdict          result.Verdict
		evidence         string
	}{
		{"the mailbox answers: it passes", "onprem", "", said(200, "{}"), "rest.mailbox", result.Pass, "200"},
		{"Graph answers: it passes", "cloud", "", said(200, "{}"), "graph.location", result.Pass, "200"},
		{"nothing listens: it names the host", "onprem", "", failed(wire.Connect, errors.New("refused")), "net.reach", result.Fail, "mail.contoso.test"},
		{"the name is unknown: it says so", "onprem", "", failed(wire.DNS, nil), "net.reach", result.Fail, "does not resolve"},
		{"a rule forbids it: it was not probed", "onprem", "", failed(wire.Refused, nil), "net.reach", result.Skip, "safety rule"},
		{"the certificate has ended: it is that check", "onprem", "", failed(wire.TLS, x509.CertificateInvalidError{Reason: x509.Expired}), "tls.expiry", result.Fail, "expired"},
		{"the certificate is for another name: it is that check", "onprem", "", failed(wire.TLS, x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}), "tls.san", result.Fail, "x"},
		{"nobody trusts the certificate: it is that check", "onprem", "", failed(wire.TLS, x509.UnknownAuthorityError{}), "tls.chain", result.Fail, "authority"},
		{"the versions do not meet: it is that check", "onprem", "", failed(wire.TLS, errors.New("protocol version")), "tls.version", result.Fail, "protocol"},
		{"the token service refused: it tells the code", "cloud", "", failed(wire.NoToken, &auth.Error{Code: "AADSTS7000222", What: "it has expired", Remedy: "make a new one"}), "auth.token", result.Fail, "AADSTS7000222"},
		{"a gateway asks for its own sign-in: it is that check", "onprem", "", said(302, "", "Location", "https://gw.test/my.policy?x=hidden"), "front.preauth", result.Fail, "302 to https://gw.test/my.policy"},
		{"the directory is blocked: it is that check", "onprem", "", said(404, "<html>"), "vdir.api", result.Fail, "404"},
		{"the directory is down: it is that check", "onprem", "", said(503, "Service Unavailable"), "array.down", result.Fail, "503"},
		{"OAuth is not offered: it is that check", "onprem", "", said(401, "", "WWW-Authenticate", "Negotiate"), "oauth.challenge", result.Fail, "no Bearer: Negotiate"},
		{"Windows sign-in is not offered: it is that check", "onprem", ntlm, said(401, "", "WWW-Authenticate", "Basic realm=x"), "auth.offered", result.Fail, "offer Basic"},
		{"TLS ends in front: it is that check", "onprem", "", said(401, "", "WWW-Authenticate", bearerChallenge, "x-ms-diagnostics", `2000003;reason="expected 'http://mail'";error_category="invalid_resource"`), "oauth.ssloffload", result.Fail, "http://"},
		{"Windows sign-in is refused: it is that check", "onprem", ntlm, said(401, "", "WWW-Authenticate", "NTLM"), "ntlm.ep", result.Fail, "401"},
		{"Exchange refuses the token: it tells its reason", "onprem", "", said(401, "", "WWW-Authenticate", bearerChallenge, "x-ms-diagnostics", `2000005;reason="user";error_category="invalid_user"`), "rest.mailbox", result.Fail, "401 2000005"},
		{"the mailbox is on the other side: it says so", "onprem", "", said(404, `{"error":{"code":"ErrorNonExistentMailbox"}}`), "rest.mailbox", result.Fail, "ErrorNonExistentMailbox"},
		{"Graph has no such mailbox: it says so", "cloud", "", said(404, `{"error":{"code":"MailboxNotEnabledForRESTAPI"}}`), "graph.location", result.Fail, "MailboxNotEnabledForRESTAPI"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := worldProfile
			if row.auth != "" {
				at := strings.Index(text, "{entra: {tenant: contoso.test, client: c, authority")
				text = text[:at] + row.auth + text[at+strings.Index(text[at:], "}}}\n")+2:]
			}
			p, err := profiles.Parse("fixed.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			path, _ := p.Paths.Get(row.path)
			all := doctor.Judge(p, path, p.Mailboxes.List[0], &row.call)
			got := all[len(all)-1]
			if got.ID != row.id || got.Verdict != row.verdict || !strings.Contains(got.Evidence, row.evidence) || strings.Contains(got.Evidence, "hidden") {
				t.Errorf("got %s %s %q", got.ID, got.Verdict, got.Evidence)
			}
			if got.Verdict == result.Fail && (got.Cause == "" || got.Remedy == "") {
				t.Errorf("%s lacks cause or remedy", got.ID)
			}
		})
	}
}
