package graph

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"cutover/harness/lab/store"
)

// isMIME says whether the body is the base64 text of a MIME message.
func (c *call) isMIME() bool {
	return strings.HasPrefix(strings.ToLower(c.r.Header.Get("Content-Type")), "text/plain")
}

// readMIME reads a message given as MIME.
func (c *call) readMIME() (func(message), *fault) {
	data, f := c.readBody()
	if f != nil {
		return nil, f
	}
	bad := badCode("ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
	if err != nil {
		return nil, bad
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, badCode("ErrorMimeContentInvalid", "The MIME content is invalid.")
	}
	body, attached := readParts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		subject = m.Header.Get("Subject")
	}
	people := func(name string) []store.Address {
		list, err := m.Header.AddressList(name)
		if err != nil {
			return nil
		}
		var out []store.Address
		for _, a := range list {
			shown := a.Name
			if shown == "" {
				shown = a.Address
			}
			out = append(out, store.Address{Name: shown, Address: a.Address})
		}
		return out
	}
	return func(x message) {
		x.Subject, x.To, x.Cc, x.Bcc, x.ReplyTo = subject, people("To"), people("Cc"), people("Bcc"), people("Reply-To")
		if from := people("From"); len(from) > 0 {
			x.From = &from[0]
		}
		if id := m.Header.Get("Message-Id"); id != "" {
			x.InternetMessageID = id
		}
		x.SetBody(body)
		if len(attached) > 0 {
			x.SetAttachments(attached)
		}
	}, nil
}

// maxParts bounds the depth and number of MIME parts.
const maxParts = 32

func readParts(contentType, encoding string, r io.Reader, depth int) (store.Body, []attachment) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "text/plain"
	}
	if !strings.HasPrefix(media, "multipart/") || depth > 8 {
		raw, err := io.ReadAll(io.LimitReader(decoded(encoding, r), maxBody))
		if err != nil && len(raw) == 0 {
			return store.Body{Kind: "text"}, nil
		}
		if media == "text/html" {
			return store.Body{Kind: "html", Content: sanitise(string(raw))}, nil
		}
		return store.Body{Kind: "text", Content: string(raw)}, nil
	}
	var body store.Body
	var attached []attachment
	parts := multipart.NewReader(r, params["boundary"])
	for range maxParts {
		p, err := parts.NextRawPart()
		if err != nil {
			break
		}
		disposition, dp, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if disposition == "attachment" || p.FileName() != "" {
			raw, err := io.ReadAll(io.LimitReader(decoded(p.Header.Get("Content-Transfer-Encoding"), p), maxBody))
			if err == nil {
				a := store.NewFile(dp["filename"], p.Header.Get("Content-Type"), raw)
				attached = append(attached, a)
			}
			continue
		}
		b, more := readParts(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		attached = append(attached, more...)
		if body.Content == "" || b.Kind == "html" {
			body = b
		}
	}
	if body.Kind == "" {
		body.Kind = "text"
	}
	return body, attached
}

func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

// messageContent answers /$value of a message.
func messageContent(c *call) *fault {
	m, f := c.message()
	if f != nil {
		return f
	}
	c.w.Header()["Etag"] = []string{etag(c.mb, m.Change)}
	return c.bytes("text/plain", mimeOf(m))
}

// headers is the internet headers of a message.
func headers(m message) []store.Header {
	list := []store.Header{{Name: "Date", Value: m.Sent.Format(time.RFC1123Z)}, {Name: "Message-ID", Value: m.InternetMessageID}}
	if !m.Draft {
		list = append([]store.Header{{Name: "Received", Value: "from mail.contoso.test (192.0.2.10) by EX01.contoso.test (192.0.2.11) with Microsoft SMTP Server; " + m.Received.Format(time.RFC1123Z)}}, list...)
	}
	one := func(name string, a *store.Address) {
		if a != nil {
			list = append(list, store.Header{Name: name, Value: (&mail.Address{Name: a.Name, Address: a.Address}).String()})
		}
	}
	many := func(name string, as []store.Address) {
		var parts []string
		for _, a := range as {
			parts = append(parts, (&mail.Address{Name: a.Name, Address: a.Address}).String())
		}
		if len(parts) > 0 {
			list = append(list, store.Header{Name: name, Value: strings.Join(parts, ", ")})
		}
	}
	one("From", m.From)
	many("To", m.To)
	many("Cc", m.Cc)
	many("Reply-To", m.ReplyTo)
	list = append(list, store.Header{Name: "Subject", Value: mime.QEncoding.Encode("utf-8", m.Subject)}, store.Header{Name: "MIME-Version", Value: "1.0"})
	return append(list, m.CustomHeaders...)
}

func appendHeaders(b []byte, m message) []byte {
	b = append(b, '[')
	for i, h := range headers(m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendString(b, h.Name)
		b = append(b, `,"value":`...)
		b = append(appendString(b, h.Value), '}')
	}
	return append(b, ']')
}

// mimeOf writes a message as MIME: the text, and what is attached to it.
func mimeOf(m message) []byte {
	var out bytes.Buffer
	for _, h := range headers(m) {
		fmt.Fprintf(&out, "%s: %s\r\n", h.Name, h.Value)
	}
	list := m.Attachments()
	if len(list) == 0 {
		writeText(&out, m.Body())
		return out.Bytes()
	}
	const boundary = "_lab_0001_"
	fmt.Fprintf(&out, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\n", boundary, boundary)
	writeText(&out, m.Body())
	for _, a := range list {
		if a.Kind != "file" {
			continue
		}
		kind := a.ContentType
		if kind == "" {
			kind = "application/octet-stream"
		}
		fmt.Fprintf(&out, "\r\n--%s\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary, kind, mime.QEncoding.Encode("utf-8", a.Name))
		writeBase64(&out, a.Bytes())
	}
	fmt.Fprintf(&out, "\r\n--%s--\r\n", boundary)
	return out.Bytes()
}

func writeText(out *bytes.Buffer, b store.Body) {
	kind := "plain"
	if b.Kind == "html" {
		kind = "html"
	}
	fmt.Fprintf(out, "Content-Type: text/%s; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
	writeBase64(out, []byte(b.Content))
}

func writeBase64(out *bytes.Buffer, raw []byte) {
	for len(raw) > 0 {
		n := min(57, len(raw))
		out.WriteString(base64.StdEncoding.EncodeToString(raw[:n]))
		out.WriteString("\r\n")
		raw = raw[n:]
	}
}

// iCalendar writes an event as its /$value does.
func iCalendar(x event) []byte {
	stamp := func(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:Microsoft Exchange Server 2010\r\nBEGIN:VEVENT\r\nUID:" + x.UID + "\r\nSUMMARY:" + folded(x.Subject) +
		"\r\nDTSTART:" + stamp(x.Start.At) + "\r\nDTEND:" + stamp(x.End.At) + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

// vCard writes a contact as its /$value does.
func vCard(x contact) []byte {
	out := "BEGIN:VCARD\r\nVERSION:3.0\r\nN:" + folded(x.Surname) + ";" + folded(x.GivenName) + "\r\nFN:" + folded(x.DisplayName) + "\r\n"
	for _, a := range x.Emails {
		out += "EMAIL:" + folded(a.Address) + "\r\n"
	}
	return []byte(out + "END:VCARD\r\n")
}

func folded(s string) string {
	return strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\r\n", "\\n", "\n", "\\n").Replace(s)
}

// contactPhoto answers the metadata of a photo.
func contactPhoto(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	if len(x.Photo) == 0 {
		return noPhoto()
	}
	b := take()
	out := c.context(b.bytes, c.userContext(), "/contacts('"+contextKey(c.arg[argContact])+"')/photo", "/$entity")
	out = append(out, `"@odata.mediaContentType":"image/jpeg","id":"48x48","height":48,"width":48}`...)
	return c.send(http.StatusOK, b, out)
}

func noPhoto() *fault {
	return &fault{status: http.StatusNotFound, code: "ImageNotFound", message: "The photo wasn't found."}
}

func contactPhotoBytes(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	if len(x.Photo) == 0 {
		return noPhoto()
	}
	return c.bytes("image/jpeg", x.Photo)
}

func setContactPhoto(c *call) *fault {
	x, f := c.contact()
	if f != nil {
		return f
	}
	data, f := c.readBody()
	if f != nil {
		return f
	}
	if _, err := c.mb.UpdateContact(x.Ref(), "", func(x *store.Contact) error { x.Photo = data; return nil }); err != nil {
		return storeFault(err)
	}
	return c.done(http.StatusOK)
}
