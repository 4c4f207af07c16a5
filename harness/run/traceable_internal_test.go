package run

import (
	"encoding/base64"
	"testing"
)

func TestTheSubjectOfABodyIsRead(t *testing.T) {
	mime := "To: a@b.test\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nSubject: not this\r\n"
	for _, row := range []struct{ name, body, want string }{
		{"it reads a message", `{"message":{"subject":"a"},"subject":"b"}`, "a"},
		{"it reads Outlook's words", `{"Message":{"Subject":"a"}}`, "a"},
		{"it reads an item", ` {"subject":"a"}`, "a"},
		{"it reads MIME", mime, "grüße"},
		{"it reads MIME in base64", base64.StdEncoding.EncodeToString([]byte(mime)), "grüße"},
		{"it reads SOAP", `<soap:Envelope><t:Message><t:Subject>a</t:Subject></t:Message></soap:Envelope>`, "a"},
		{"it reads nothing in an answer", `{"comment":"a"}`, ""},
		{"it reads nothing in noise", "noise", ""},
		{"it reads nothing in nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := subjectOf([]byte(row.body)); got != row.want {
				t.Errorf("subjectOf(%q) = %q, want %q", row.body, got, row.want)
			}
		})
	}
}

func TestMIMEIsMarkedInItsSubject(t *testing.T) {
	const tag = "cutover-x"
	for _, row := range []struct{ name, message, want string }{
		{"it marks a subject", "To: a@b.test\r\nsubject:hello\r\n\r\nSubject: body\r\n", "To: a@b.test\r\nSubject: cutover-x hello\r\n\r\nSubject: body\r\n"},
		{"it marks an encoded one", "Subject: =?utf-8?q?=C3=BC?=\r\n\r\nx", "Subject: cutover-x =?utf-8?q?=C3=BC?=\r\n\r\nx"},
		{"it gives one to mail without", "To: a@b.test\r\n\r\nx", "Subject: cutover-x\r\nTo: a@b.test\r\n\r\nx"},
		{"it does not repeat the tag", "Subject: cutover-x\r\n\r\nx", "Subject: cutover-x\r\n\r\nx"},
		{"it leaves other things alone", "no header here", "no header here"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := string(markMIME([]byte(row.message), tag)); got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
			packed := base64.StdEncoding.EncodeToString([]byte(row.message))
			if got := string(markMIME([]byte(packed), tag)); got != base64.StdEncoding.EncodeToString([]byte(row.want)) {
				t.Errorf("in base64: %q", got)
			}
		})
	}
}
