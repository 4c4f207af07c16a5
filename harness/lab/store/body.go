package store

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cutover/harness/lab/prose"
)

// previewLength is how many characters of the text a preview shows.
const previewLength = 255

// SetBody replaces the body of a message under edit.
func (m *Message) SetBody(b Body) {
	m.body, m.unique = b, ""
	if m.made {
		m.attachments = m.Attachments()
		m.made = false
	}
}

// Body is the whole body, quoted replies included.
func (m *Message) Body() Body {
	if !m.made {
		return m.body
	}
	return m.owner.text(int(m.ordinal)).body(true)
}

// Unique is what this message adds to its conversation: the body without quotes.
func (m *Message) Unique() Body {
	if !m.made {
		return m.body
	}
	return m.owner.text(int(m.ordinal)).body(false)
}

// Preview is the beginning of the body as text, 255 characters at most.
func (m *Message) Preview() string {
	if m.made {
		return m.owner.text(int(m.ordinal)).preview()
	}
	return Preview(m.body)
}

// Preview is the beginning of any body as text, 255 characters at most.
func Preview(b Body) string {
	text := b.Content
	if b.Kind == "html" {
		text = PlainText(text)
	}
	return firstRunes(strings.TrimSpace(text), previewLength)
}

func firstRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// Size is the approximate size of the message in bytes, attachments included.
func (m *Message) Size() int {
	n := 2048
	if m.made {
		n += m.owner.shape(int(m.ordinal)).size
	} else {
		n += len(m.body.Content)
	}
	for _, a := range m.Attachments() {
		n += a.Size
	}
	return n
}

// Attachments are the attachments in the order in which they were added.
func (m *Message) Attachments() []*Attachment {
	if m.attachments == nil && m.made && m.Attached {
		return m.owner.generateAttachments(int(m.ordinal), m)
	}
	return m.attachments
}

// SetAttachments replaces the attachments of a message under edit.
func (m *Message) SetAttachments(list []*Attachment) {
	m.attachments = slices.Clone(list)
	if m.attachments == nil {
		m.attachments = []*Attachment{}
	}
}

func (m *Mailbox) generateAttachments(i int, msg *Message) []*Attachment {
	s := m.shape(i)
	list := make([]*Attachment, s.attachments)
	for n := range list {
		src := prose.New(mix(m.content, attachmentStream+uint64(i)*4+uint64(n)))
		size := s.bulk
		if n > 0 {
			size = 200 + src.IntN(2000)
		}
		kind := attachmentKinds[src.IntN(len(attachmentKinds))]
		name := strings.Map(fileNameRune, src.Subject(prose.English)) + kind.ending
		seed := src.Uint64()
		list[n] = &Attachment{
			Key: newKey(AttachmentSort, uint64(i*4+n+1)), Kind: "file", Name: name, ContentType: kind.mime,
			Modified: msg.Received, Size: size + 108,
			content: func() []byte { return fileContent(seed, size, kind.ending) },
		}
	}
	return list
}

func fileNameRune(r rune) rune {
	switch r {
	case ':', '/', '\\', '[', ']':
		return -1
	case ' ':
		return '_'
	}
	return r
}

var attachmentKinds = []struct{ ending, mime string }{
	{".pdf", "application/pdf"}, {".txt", "text/plain"}, {".csv", "text/csv"}, {".png", "image/png"},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
}

// fileContent is size bytes that begin as files of the kind do.
func fileContent(seed uint64, size int, ending string) []byte {
	src := prose.New(seed)
	b := make([]byte, 0, size+64)
	switch ending {
	case ".txt", ".csv":
		for len(b) < size {
			b = src.AppendSentence(b, prose.English)
			b = append(b, "\r\n"...)
		}
		return b[:size]
	case ".pdf":
		b = append(b, "%PDF-1.7\n"...)
	case ".png":
		b = append(b, "\x89PNG\r\n\x1a\n"...)
	default:
		b = append(b, "PK\x03\x04"...)
	}
	for len(b) < size {
		n := src.Uint64()
		for range 8 {
			b = append(b, byte(n))
			n >>= 8
		}
	}
	return b[:size]
}

// bodyText writes the body of generated message i. The same words come out
// whether all of it is asked for or its beginning.
type bodyText struct {
	mailbox *Mailbox
	ordinal int
	size    int
	depth   int
	thread  uint64
}

func (m *Mailbox) text(i int) bodyText {
	seed, depth := m.thread(i)
	return bodyText{mailbox: m, ordinal: i, size: m.shape(i).size, depth: depth, thread: seed}
}

// paragraphs yields the paragraphs of the new text, without markup.
func (t bodyText) paragraphs(yield func([]byte) bool) {
	src := prose.New(mix(t.mailbox.content, bodyStream+uint64(t.ordinal)))
	topic := prose.New(t.thread)
	language := topic.Language()
	buf := append(make([]byte, 0, 1024), greetings[src.IntN(len(greetings))]...)
	if !yield(buf) {
		return
	}
	for written := 0; written < t.size; {
		l := language
		if src.IntN(12) == 0 {
			l = src.Language()
		}
		buf = src.AppendParagraph(buf[:0], l, min(120+src.IntN(600), t.size-written+40))
		written += len(buf)
		if !yield(buf) {
			return
		}
	}
	buf = append(buf[:0], closings[src.IntN(len(closings))]...)
	yield(buf)
}

func (t bodyText) preview() string {
	var b strings.Builder
	for p := range t.paragraphs {
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.Write(p)
		if utf8.RuneCountInString(b.String()) >= previewLength {
			break
		}
	}
	return firstRunes(b.String(), previewLength)
}

// body is the whole body: four of five as HTML. quotes adds the older messages.
func (t bodyText) body(quotes bool) Body {
	var b strings.Builder
	b.Grow(t.size + t.size/3 + 512)
	plain := mix(t.thread, 61)%5 == 0
	if plain {
		for p := range t.paragraphs {
			b.Write(p)
			b.WriteString("\r\n\r\n")
		}
		if quotes && t.depth > 0 {
			b.WriteString("-----Original Message-----\r\n> " + t.quoted() + "\r\n")
		}
		return Body{Kind: "text", Content: b.String()}
	}
	b.WriteString("<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body dir=\"auto\">\r\n")
	for p := range t.paragraphs {
		b.WriteString("<p>")
		b.WriteString(html.EscapeString(string(p)))
		b.WriteString("</p>\r\n")
	}
	if quotes && t.depth > 0 {
		b.WriteString("<hr tabindex=\"-1\"><div id=\"divRplyFwdMsg\"><blockquote>" + html.EscapeString(t.quoted()) + "</blockquote></div>\r\n")
	}
	b.WriteString("</body></html>\r\n")
	return Body{Kind: "html", Content: b.String()}
}

// quoted is the text of the messages that this one answers, up to three.
func (t bodyText) quoted() string {
	var b []byte
	for n := range min(t.depth, 3) {
		src := prose.New(mix(t.thread, uint64(70+n)))
		b = append(b, "On message "+strconv.Itoa(t.depth-n)+" somebody wrote: "...)
		b = src.AppendParagraph(b, prose.English, 150)
		b = append(b, ' ')
	}
	return string(b)
}

var greetings = []string{"Hello,", "Hi all,", "Dear colleagues,", "Guten Tag,", "Bonjour,", "Здравствуйте,", "שלום,", "您好，", "Hi,"}

var closings = []string{"Best regards", "Thanks!", "Kind regards — sent from my desk", "Viele Grüße", "Cordialement", "С уважением", "Cheers 🙂"}
