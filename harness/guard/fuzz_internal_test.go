package guard

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"cutover/harness/wire"
)

// bodyOf reads a body as the firewall does; ok is false when it is refused.
func bodyOf(body []byte) (found contents, ok bool) {
	return found, found.read(&wire.Request{Method: "POST", URL: "https://mail.contoso.test/v1.0/me/sendMail", Body: body}) == nil
}

// FuzzMIME holds the firewall against net/mail: every address that it finds in a message, in plain or in
// base64, the firewall has found as well, or refused the message.
func FuzzMIME(f *testing.F) {
	for _, seed := range []string{"To: x@y.test\r\n\r\nbody", "To: Ann <ann@contoso.test>, x@y.test\r\nBcc:\r\n z@y.test\r\n\r\n", "to:=?utf-8?q?x=40y=2Etest?=\r\n\r\n",
		"Cc: friends: a@b.test, c@d.test;\r\n\r\n", "To: \"a,b\"@c.test\r\n\r\n", "To: (x@y.test) z@y.test\r\n\r\n", "Subject: x@y.test\r\n\r\n", "Bcc: =?utf-7?Q?x+AEA-y.test?=\r\n\r\n", "x@y.test", ""} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, packed bool) {
		body := text
		if packed {
			body = base64.StdEncoding.EncodeToString([]byte(text))
		}
		found, ok := bodyOf([]byte(body))
		message, err := mail.ReadMessage(strings.NewReader(text))
		if !ok || err != nil || strings.HasPrefix(strings.TrimSpace(text), "<") || strings.HasPrefix(strings.TrimSpace(text), "{") || strings.HasPrefix(strings.TrimSpace(text), "[") {
			return
		}
		for _, field := range []string{"To", "Cc", "Bcc", "Reply-To", "Resent-To", "Resent-Bcc"} {
			list, err := message.Header.AddressList(field)
			if err != nil {
				continue
			}
			for _, a := range list {
				unusual := slices.ContainsFunc(found.recipients, func(r string) bool { return !plainAddress(r) }) // refused, whatever it is
				if plainAddress(a.Address) && !slices.Contains(found.recipients, a.Address) && !unusual {
					t.Errorf("%s names %s, the firewall found %q", field, a.Address, found.recipients)
				}
			}
		}
	})
}

func plainAddress(a string) bool {
	return (&Rules{Recipients: []string{a}}).mayReceive(a)
}

// FuzzBatch holds the firewall against encoding/json: every part of a batch that writes, the firewall
// has found with its method and URL, or refused the batch.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{`{"requests":[{"id":"1","method":"DELETE","url":"/me/messages/1"}]}`, `{"requests":[{"url":"/me/messages/1","method":"patch","body":{"url":"/x","method":"GET"}}]}`,
		`{"requests":[{"method":"GET","method":"DELETE","url":"/a","url":"/b"}]}`, `{"REQUESTS":[{"Method":"POST","URL":"me/sendMail"}]}`, `{"requests":[{"method":"POST","url":"/$batch","body":{"requests":[{"method":"DELETE","url":"/c"}]}}]}`,
		`{"requests":[{"method":"DELETE","url":"https://evil.test/x"}]}`, `{"requests":[]}`, `[`, `{"requests":[{"method":"DELETE","url":"/a/../b"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, ok := bodyOf(body)
		var batch struct {
			Requests []struct{ Method, URL string }
		}
		if !ok || found.strays || json.Unmarshal(body, &batch) != nil {
			return
		}
		for _, r := range batch.Requests {
			if r.Method == "" || strings.EqualFold(r.Method, "GET") || r.URL == "" {
				continue
			}
			if !slices.Contains(found.changed, part{r.Method, r.URL}) && !slices.ContainsFunc(found.changed, func(p part) bool { return p.url == r.URL }) {
				t.Errorf("%s %s writes, the firewall found %q", r.Method, r.URL, found.changed)
			}
		}
	})
}

// FuzzSOAP holds the firewall against encoding/xml: every address element is found, and nothing panics.
func FuzzSOAP(f *testing.F) {
	for _, seed := range []string{`<s:Envelope xmlns:s="s"><s:Body><m:CreateItem xmlns:m="m"><EmailAddress>x@y.test</EmailAddress></m:CreateItem></s:Body></s:Envelope>`,
		`<a><EmailAddress>x@<!-- c -->y.test</EmailAddress></a>`, `<a><EmailAddress><![CDATA[x@y.test]]></EmailAddress></a>`, `<a>`, `<!DOCTYPE a><a/>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, ok := bodyOf(body)
		soapOurs(body, func(string) bool { return false })
		var doc struct {
			Address []string `xml:"EmailAddress"`
		}
		if trimmed := bytes.TrimSpace(body); !ok || len(trimmed) == 0 || trimmed[0] != '<' || xml.Unmarshal(body, &doc) != nil {
			return
		}
		for _, a := range doc.Address {
			if a = strings.TrimSpace(a); a != "" && !slices.Contains(found.recipients, a) {
				t.Errorf("%q is an address, the firewall found %q", a, found.recipients)
			}
		}
	})
}
