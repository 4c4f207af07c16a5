package guard

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"

	"cutover/harness/wire"
)

// contents are what a body says about recipients. Bodies are read as tokens,
// so that duplicate keys, escapes and nesting hide nothing.
type contents struct {
	recipients []string // values in places that hold recipients, whatever their form
	mentioned  []string // addresses in other places that are not free text
	hooks      []string // URLs that the server will call
	stored     bool     // a part of a batch mails a stored item's recipients
	writes     bool     // a part of a batch is no GET
	parts      []string // the relative URLs of a batch's parts, whatever they do
	changed    []part   // the parts of a batch that are no GET
	method     string   // of the object being read, unless it is GET
	urls       []string // of the object being read
	silent     bool     // the answer to an invitation is not sent
	strays     bool     // a part of a batch leads to a host of its own, or upwards
	depth      int
}

var (
	// addressShape is an address within a URL or a text that is none of a mail: slashes and
	// equal signs end it, quotes around it do not belong to it.
	addressShape = regexp.MustCompile(`[^\s<>"(),:;\[\]\\/=]+@[^\s<>"(),:;\[\]\\/=@]+`)
	// mailShape is an address in a mail: what may stand in one belongs to it, so that
	// nobody hides behind the end of somebody's name.
	mailShape = regexp.MustCompile(`[^\s<>"(),:;\[\]\\]+@[^\s<>"(),:;\[\]\\@]+`)

	errNotText    = errors.New("it is not UTF-8")
	errJSON       = errors.New("it is not one JSON value")
	errXML        = errors.New("it is not well-formed XML")
	errCompressed = errors.New("it is compressed")
	errDeep       = errors.New("it is nested too deeply")
)

// addressesIn are the addresses that a text mentions, without quotes around them.
func addressesIn(s string) []string {
	found := addressShape.FindAllString(s, -1)
	for i, a := range found {
		if bare, quoted := strings.CutSuffix(a, "'"); quoted {
			found[i] = strings.TrimPrefix(bare, "'")
		}
	}
	return found
}

// mailed are the addresses in a field or text of a mail. An @ in none of them, as in "jane"@contoso.com,
// is an address of a form that nobody lists. What is no text has none.
func mailed(s string) []string {
	found := mailShape.FindAllString(s, -1)
	within := 0
	for _, a := range found {
		within += strings.Count(a, "@")
	}
	odd := func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == utf8.RuneError }
	if strings.Count(s, "@") > within && strings.IndexFunc(s, odd) < 0 {
		found = append(found, "@")
	}
	return found
}

// maxDepth bounds nesting, parts within parts included.
const maxDepth = 64

// read takes the body apart by what it is, not by what its header claims.
func (c *contents) read(req *wire.Request) error {
	if enc := req.Header.Value("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return errCompressed
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(req.Body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) == 0:
		return nil
	case !utf8.Valid(body):
		return errNotText
	case body[0] == '{' || body[0] == '[':
		return c.readJSON(body)
	case body[0] == '<':
		return c.readXML(body)
	}
	c.readText(string(body))
	return nil
}

// readText takes text of unknown form: MIME, plain or in base64, or anything
// else, all of whose addresses count.
func (c *contents) readText(s string) {
	for _, form := range []string{s, fromBase64(s)} {
		if msg, err := mail.ReadMessage(strings.NewReader(form)); err == nil && len(msg.Header) > 0 {
			c.readMIME(msg)
			continue
		}
		c.recipients = append(c.recipients, mailed(form)...)
	}
}

// fromBase64 decodes s as a tolerant server might: it skips what is not
// base64 and stops where nothing more can be read. Text with more than a
// twentieth of other characters is not base64 to anybody: "".
func fromBase64(s string) string {
	packed := make([]byte, 0, len(s))
	others := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-':
			packed = append(packed, '+')
		case c == '_':
			packed = append(packed, '/')
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '+', c == '/':
			packed = append(packed, c)
		case c != '\r' && c != '\n' && c != '=':
			others++
		}
	}
	if others*20 > len(s) {
		return ""
	}
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
	n, _ := base64.RawStdEncoding.Decode(decoded, packed)
	return string(decoded[:n])
}

// readMIME takes every header field of a message: whichever a server honours
// (Bcc, Resent-To, Disposition-Notification-To …), its addresses are here.
// Only fields that are free text are left out.
func (c *contents) readMIME(msg *mail.Message) {
	var decode mime.WordDecoder
	for field, values := range msg.Header {
		switch field {
		case "Subject", "Message-Id", "References", "In-Reply-To", "Content-Id", "Comments", "Thread-Topic":
			continue
		}
		for _, v := range values {
			plain, err := decode.DecodeHeader(v)
			if err != nil { // in letters that cannot be read: whoever that is
				c.recipients = append(c.recipients, v)
				continue
			}
			c.recipients = append(c.recipients, mailed(plain)...)
		}
	}
}

// holders are the JSON keys under which values are recipients; strings there
// must be on the list, whatever they look like.
var holders = map[string]bool{
	"torecipients": true, "ccrecipients": true, "bccrecipients": true, "replyto": true, "attendees": true, "requiredattendees": true,
	"optionalattendees": true, "resources": true, "forwardto": true, "redirectto": true, "forwardasattachmentto": true, "to": true, "cc": true, "bcc": true,
	"recipients": true, "recipient": true, "delegates": true, "grantee": true, "invitees": true,
}

// addressKeys are the keys that hold the address itself within a holder.
var addressKeys = map[string]bool{"address": true, "emailaddress": true, "email": true, "smtpaddress": true, "mail": true, "userprincipalname": true, "id": true}

// freeText are keys whose text may mention anybody: it is shown, not sent to.
var freeText = map[string]bool{
	"subject": true, "content": true, "bodypreview": true, "preview": true, "comment": true, "displayname": true, "name": true, "title": true,
	"personalnotes": true, "contentbytes": true, "$search": true, "$filter": true,
}

// place is where in a JSON value the reader stands.
type place struct {
	key    string // lower case; that of the array for its items
	holder bool   // within a place of recipients
}

// readJSON walks the tokens of one JSON value.
func (c *contents) readJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := c.value(d, place{}); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errJSON
	}
	return nil
}

func (c *contents) value(d *json.Decoder, at place) error {
	token, err := d.Token()
	if err != nil {
		return errJSON
	}
	switch t := token.(type) {
	case json.Delim:
		if c.depth++; c.depth > maxDepth {
			return errDeep
		}
		defer func() { c.depth-- }()
		if t == '[' {
			for d.More() {
				if err := c.value(d, at); err != nil {
					return err
				}
			}
		} else if err := c.object(d, at); err != nil {
			return err
		}
		if _, err := d.Token(); err != nil {
			return errJSON
		}
	case string:
		c.text(t, at)
	case bool:
		c.silent = c.silent || at.key == "sendresponse" && !t
	}
	return nil
}

// part is a request of a batch. Of keys that are there twice any may count.
type part struct{ method, url string }

func (c *contents) object(d *json.Decoder, at place) error {
	method, urls := c.method, c.urls
	c.method, c.urls = "", nil
	defer func() {
		for _, u := range c.urls {
			if c.method != "" {
				c.changed = append(c.changed, part{c.method, u})
			}
		}
		c.method, c.urls = method, urls
	}()
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return errJSON
		}
		key := strings.ToLower(token.(string))
		if err := c.value(d, place{key, at.holder || holders[key]}); err != nil {
			return err
		}
	}
	return nil
}

// text sorts one string by where it stands.
func (c *contents) text(s string, at place) {
	switch {
	case at.holder && (holders[at.key] || addressKeys[at.key]):
		if s != "" {
			c.recipients = append(c.recipients, s)
		}
	case at.key == "notificationurl", at.key == "lifecyclenotificationurl":
		c.hooks = append(c.hooks, s)
	case at.key == "url" && c.partOfBatch(s):
		c.urls, c.parts = append(c.urls, s), append(c.parts, s)
	case at.key == "method":
		if !strings.EqualFold(s, "GET") {
			c.writes, c.method = true, s
		}
	case freeText[at.key] && !at.holder:
	case at.key == "body":
		c.readText(s) // a part of a batch whose body is MIME or raw
	default:
		c.mentioned = append(c.mentioned, addressesIn(s)...)
	}
}

// bare is the relative URL of a batch's part without its query.
func bare(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}

// partOfBatch judges the relative URL of a batch's part: verbs that mail a
// stored item's recipients are noticed. Addresses in it name mailboxes.
func (c *contents) partOfBatch(s string) bool {
	path := bare(s)
	if strings.Contains(path, "://") || strings.HasPrefix(path, "//") || climbs("/"+path) {
		c.strays = true
		return false
	}
	if _, stored := mailVerb("https://batch/" + strings.TrimPrefix(s, "/")); stored {
		c.stored = true
	}
	return true
}

// readXML takes every text and attribute of an EWS request: an element whose
// name speaks of an address holds a recipient, other texts are searched, and
// only Subject, Body and the schema's own attributes are left out.
func (c *contents) readXML(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	var open, texts []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errXML
		}
		switch t := token.(type) {
		case xml.StartElement:
			open, texts = append(open, t.Name.Local), append(texts, "")
			c.xmlElement(t)
		case xml.EndElement:
			last := len(open) - 1 // comments and sections do not divide a text
			c.xmlText(open[last], strings.TrimSpace(texts[last]))
			open, texts = open[:last], texts[:last]
		case xml.CharData:
			if len(open) > 0 {
				texts[len(open)-1] += string(t)
			}
		case xml.Directive:
			return errXML // a document type could define entities
		}
	}
}

func (c *contents) xmlElement(t xml.StartElement) {
	switch t.Name.Local {
	case "ReplyToItem", "ReplyAllToItem", "AcceptItem", "DeclineItem", "TentativelyAcceptItem", "CancelCalendarItem", "SendItem":
		c.stored = true
	}
	for _, a := range t.Attr {
		meeting := strings.HasPrefix(a.Name.Local, "SendMeeting") // …Invitations, …Cancellations, …InvitationsOrCancellations
		sends := t.Name.Local == "UpdateItem" && a.Name.Local == "MessageDisposition" && !strings.EqualFold(a.Value, "SaveOnly")
		if t.Name.Local != "CreateItem" && meeting && !strings.EqualFold(a.Value, "SendToNone") || sends {
			c.stored = true
		}
	}
}

func (c *contents) xmlText(element, s string) {
	switch element {
	case "EmailAddress", "Address", "SmtpAddress", "PrimarySmtpAddress":
		if s != "" {
			c.recipients = append(c.recipients, s)
		}
	case "Subject", "Body", "Content", "Comment":
	case "MimeContent":
		c.readText(s)
	case "URL", "Url":
		c.hooks = append(c.hooks, s)
	default:
		c.mentioned = append(c.mentioned, addressesIn(s)...)
	}
}
