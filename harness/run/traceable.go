package run

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/journal"
	"cutover/harness/request"
)

// Mail leaves copies that no answer names: in Sent Items, in the mailboxes of its
// recipients, in the calendars of attendees. They carry no category, and are found by
// their subject alone. Mail whose subject does not begin with the run's tag could not be
// removed again, and the door refuses it.

// mailing are last segments of requests that mail a message at once.
var mailing = []string{"sendMail", "send", "reply", "replyAll", "forward"}

// traceable looks at what a readied request mails. item is the stored item that it
// mails, if there is one.
func (w *worker) traceable(v *visit, item canon.Node) {
	e, tag := &w.req.Effect, w.run.common.tag
	if len(v.ask.Batch) > 0 || strings.HasSuffix(w.req.Template, "/$batch") {
		for _, p := range request.Parts(w.req.Body) {
			if p.Effect.Mails && !p.Effect.StoredRecipients {
				marked, _ := journal.Marked(subjectOf(p.Body), tag)
				e.Untraceable = e.Untraceable || !marked
			}
		}
		return
	}
	last := w.req.Template[strings.LastIndexByte(w.req.Template, '/')+1:]
	switch {
	case strings.Contains(w.req.Template, "/events"):
		w.mailed = w.others(e.Recipients)
	case slices.Contains(mailing, last), v.ask.Own:
		w.mailed = true
	}
	if !w.mailed {
		return
	}
	subject := subjectOf(w.req.Body)
	if stored, ok := item.Get("subject"); ok && subject == "" {
		subject = stored.Text()
	}
	marked, _ := journal.Marked(subject, tag)
	e.Untraceable = !marked
}

// others tells whether somebody besides the mailbox itself is among the recipients:
// an organiser is not mailed about what they do.
func (w *worker) others(recipients []string) bool {
	a := &w.scope.address
	return slices.ContainsFunc(recipients, func(to string) bool {
		return !strings.EqualFold(to, a.SMTP) && !strings.EqualFold(to, a.UPN)
	})
}

// soapSubject is the subject of an item in a request of Exchange Web Services.
var soapSubject = regexp.MustCompile(`<(?:[A-Za-z0-9_]+:)?Subject>([^<]*)<`)

// subjectOf is the subject that a body gives to what it mails, "" when it gives none.
func subjectOf(body []byte) string {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return ""
	case body[0] == '{':
		var object struct {
			Subject string
			Message *struct{ Subject string }
		}
		if json.Unmarshal(body, &object) != nil {
			return ""
		}
		if object.Message != nil {
			return object.Message.Subject
		}
		return object.Subject
	case body[0] == '<':
		if found := soapSubject.FindSubmatch(body); found != nil {
			return string(found[1])
		}
		return ""
	}
	message, err := mail.ReadMessage(bytes.NewReader(unpacked(body)))
	if err != nil {
		return ""
	}
	subject := message.Header.Get("Subject")
	if plain, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		return plain
	}
	return subject
}

// unpacked is a body without its base64, if it has one.
func unpacked(body []byte) []byte {
	lines := bytes.Join(bytes.Fields(body), nil)
	if plain, err := base64.StdEncoding.DecodeString(string(lines)); err == nil {
		return plain
	}
	return body
}

// subjectLine is the beginning of the subject in the head of a message.
var subjectLine = regexp.MustCompile(`(?im)^Subject:[ \t]*`)

// markMIME puts the run's tag at the beginning of the subject of a message in MIME,
// which no suite can do: it is written in base64. What is no such message stays as it is.
func markMIME(body []byte, tag string) []byte {
	plain := unpacked(body)
	if _, err := mail.ReadMessage(bytes.NewReader(plain)); err != nil || bytes.Contains(plain, []byte(tag)) {
		return body
	}
	end := len(plain)
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if at := bytes.Index(plain, []byte(blank)); at >= 0 {
			end = min(end, at)
		}
	}
	head := subjectLine.ReplaceAllLiteral(plain[:end], []byte("Subject: "+tag+" "))
	if len(head) == end {
		head = append([]byte("Subject: "+tag+"\r\n"), head...)
	}
	whole := append(head, plain[end:]...)
	if bytes.Equal(plain, body) {
		return whole
	}
	return []byte(base64.StdEncoding.EncodeToString(whole))
}
