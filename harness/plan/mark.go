package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"cutover/harness/request"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// mailing are the actions that mail an item, or make a draft that is made to be mailed.
var mailing = []string{"send", "reply", "replyAll", "forward", "createReply", "createReplyAll", "createForward"}

// mails tells whether some step of a suite mails an item that another made.
func mails(s *suites.Suite) bool {
	verb := func(url string) bool {
		segments := request.Segments(url)
		return len(segments) > 1 && slices.Contains(mailing, segments[len(segments)-1].Name)
	}
	for i := range s.Scenarios {
		for j := range s.Scenarios[i].Steps {
			st := &s.Scenarios[i].Steps[j]
			if verb(st.URL) || slices.ContainsFunc(st.Batch, func(p suites.Part) bool { return verb(p.URL) }) {
				return true
			}
		}
	}
	return false
}

// marked returns the operation with the run's tag at the beginning of the subject of
// what it mails: the copies that the server keeps and delivers have neither the id that
// was answered nor categories, and are found by their subject alone. mailed says that
// other steps mail what is made. ok is false when there is nothing to do.
func marked(op suites.Operation, endpoint string, mailed bool) (_ suites.Operation, ok bool) {
	body := op.Body.JSON()
	if len(body) == 0 {
		return op, false
	}
	place, adds := []string{"subject"}, false
	last := endpoint[strings.LastIndexByte(endpoint, '/')+1:]
	switch post := strings.HasPrefix(endpoint, "POST "); {
	case post && last == "sendMail":
		place, adds = []string{"message", "subject"}, true
	case post && slices.Contains(mailing, last):
		place = []string{"message", "subject"}
	case post && last == "messages" && mailed, post && last == "events" && (mailed || invites(body)):
		adds = true
	case strings.HasPrefix(endpoint, "PATCH ") && mailed && (strings.HasSuffix(endpoint, "/messages/{id}") || strings.HasSuffix(endpoint, "/events/{id}")):
	default:
		return op, false
	}
	f := finder{body: body, d: json.NewDecoder(bytes.NewReader(body)), adds: adds}
	if !f.object(place) || len(f.inserts) == 0 {
		return op, false
	}
	op.Body = strictyaml.ValueOf(f.inserted())
	return op, true
}

// signed returns the operation with all of the run's marks that it can carry.
func (c *compiler) signed(op suites.Operation, endpoint string) (_ suites.Operation, ok bool) {
	op, tags := tagged(op, endpoint)
	op, marks := marked(op, endpoint, mails(c.suite))
	return op, tags || marks
}

// signedParts returns a batch whose parts carry the run's marks.
func (c *compiler) signedParts(st *suites.Step) *suites.Step {
	with := *st
	with.Batch = slices.Clone(st.Batch)
	for i := range with.Batch {
		p := &with.Batch[i]
		p.Operation, _ = c.signed(p.Operation, request.Endpoint(p.Method, request.Segments(p.URL)))
	}
	return &with
}

// invites tells whether an event names attendees.
func invites(body []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return false
	}
	for name, value := range fields {
		if strings.EqualFold(name, "attendees") && len(value) > len("[]") {
			return true
		}
	}
	return false
}

// finder finds the places in a JSON text where the tag belongs.
type finder struct {
	body    []byte
	d       *json.Decoder
	adds    bool // an object without a subject gets one
	inserts []insert
}

type insert struct {
	at   int64
	text string
}

// object reads an object and looks for the last name of place below the others,
// whatever their case. False: it is none.
func (f *finder) object(place []string) bool {
	if t, err := f.d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	begin, found, members := f.d.InputOffset(), false, 0
	for ; f.d.More(); members++ {
		key, err := f.d.Token()
		if err != nil {
			return false
		}
		if name, _ := key.(string); !strings.EqualFold(name, place[0]) {
			var skipped json.RawMessage
			if f.d.Decode(&skipped) != nil {
				return false
			}
			continue
		}
		if found = true; len(place) > 1 {
			if !f.object(place[1:]) {
				return false
			}
			continue
		}
		if !f.subject() {
			return false
		}
	}
	if _, err := f.d.Token(); err != nil {
		return false
	}
	if !found && f.adds && len(place) == 1 {
		text := `"` + place[0] + `":"` + runTag + `"`
		if members > 0 {
			text += ","
		}
		f.inserts = append(f.inserts, insert{begin, text})
	}
	return true
}

// subject puts the tag before the text that comes next.
func (f *finder) subject() bool {
	from := f.d.InputOffset()
	var value json.RawMessage
	if f.d.Decode(&value) != nil {
		return false
	}
	if value[0] == '"' && !bytes.Contains(value, []byte(runTag)) {
		quote := from + int64(bytes.IndexByte(f.body[from:], '"'))
		f.inserts = append(f.inserts, insert{quote + 1, runTag + " "})
	}
	return true
}

// inserted is the text with the tag at every place that was found.
func (f *finder) inserted() []byte {
	slices.SortFunc(f.inserts, func(a, b insert) int { return int(a.at - b.at) })
	var out []byte
	at := int64(0)
	for _, i := range f.inserts {
		out = append(append(out, f.body[at:i.at]...), i.text...)
		at = i.at
	}
	return append(out, f.body[at:]...)
}
