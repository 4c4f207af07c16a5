package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"cutover/harness/lab/graph"
)

// The translation between Graph's words and those of the on-prem API is written
// here once more, on purpose apart from the client's: were they shared, one
// misunderstanding would be made twice and pass.

// renamed are the property names that differ by more than a capital letter.
var renamed = map[string]string{"mobilePhone": "MobilePhone1", "iCalUId": "iCalUId"}

var renamedBack = map[string]string{"MobilePhone1": "mobilePhone", "iCalUId": "iCalUId"}

// enumerated are the properties whose values are members of enumerations.
var enumerated = map[string]bool{
	"Importance": true, "ContentType": true, "InferenceClassification": true, "Sensitivity": true, "ShowAs": true, "Type": true,
	"Response": true, "DaysOfWeek": true, "FirstDayOfWeek": true, "Index": true, "MeetingMessageType": true, "Color": true,
}

// collections are the segments that name resources; what else ends the path of
// a POST is an action, and actions are sent under their full name.
var collections = map[string]bool{
	"messages": true, "mailfolders": true, "childfolders": true, "attachments": true, "events": true, "calendars": true, "calendar": true,
	"calendarview": true, "calendargroups": true, "contacts": true, "contactfolders": true, "instances": true, "sendmail": true,
}

// translate makes the request to the front end: /api/v2.0 and PascalCase bodies.
// With writes broken the body goes as it came.
func (p *proxy) translate(r *http.Request, a graph.Addressed) (*http.Request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) > 0 && p.mode != "writesBroken" && !p.quirk("write.casing", a.Mailbox) {
		if body, err = rewrite(body, upward); err != nil {
			return nil, err
		}
	}
	target := p.audience + "/api/v2.0/Users('" + url.PathEscape(a.Mailbox.User().SMTP) + "')" + qualified(r.Method, a.Rest)
	if r.URL.RawQuery != "" {
		target += "?" + strings.ReplaceAll(r.URL.RawQuery, "mobilePhone", "MobilePhone1")
	}
	ask, err := http.NewRequestWithContext(r.Context(), r.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Content-Type", "Prefer", "If-Match", "client-request-id"} {
		if v := r.Header.Values(name); len(v) > 0 {
			ask.Header[http.CanonicalHeaderKey(name)] = v
		}
	}
	ask.Header.Set("return-client-request-id", "true")
	return ask, nil
}

// qualified puts the full name before an action at the end of a path.
func qualified(method, rest string) string {
	i := strings.LastIndexByte(rest, '/')
	if method != http.MethodPost || i < 0 || collections[strings.ToLower(rest[i+1:])] {
		return rest
	}
	name := strings.TrimPrefix(rest[i+1:], "microsoft.graph.")
	return rest[:i+1] + "Microsoft.OutlookServices." + name
}

// success writes a translated answer.
func (p *proxy) success(w http.ResponseWriter, a graph.Addressed, got *recorder) {
	body := got.body.Bytes()
	if len(body) > 0 {
		var err error
		if body, err = rewrite(body, func(name string, value any) (string, any) { return p.downward(a, name, value) }); err != nil {
			a.Service.Error(w, &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{}}, http.StatusBadGateway, "UnknownError", "")
			return
		}
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	}
	for _, name := range []string{"Preference-Applied"} {
		if v := got.header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	if v := got.header.Get("Location"); v != "" {
		w.Header().Set("Location", p.link(a, v))
	}
	w.Header().Set("Cache-Control", "private")
	w.WriteHeader(got.status)
	_, _ = w.Write(body)
}

// upward turns one member of a request into the on-prem words.
func upward(name string, value any) (string, any) {
	if name == "@odata.type" {
		if s, ok := value.(string); ok {
			if rest, graphs := strings.CutPrefix(strings.TrimPrefix(s, "#"), "microsoft.graph."); graphs {
				return name, "#Microsoft.OutlookServices." + capital(rest)
			}
		}
		return name, value
	}
	if strings.HasPrefix(name, "@") {
		return name, value
	}
	if to, ok := renamed[name]; ok {
		return to, value
	}
	return capital(name), value
}

// downward turns one member of an answer into Graph's words. A dropped member
// has the name "".
func (p *proxy) downward(a graph.Addressed, name string, value any) (string, any) {
	switch name {
	case "@odata.id":
		return "", nil
	case "@odata.context":
		s, _ := value.(string)
		return name, p.context(a, s)
	case "@odata.nextLink", "@odata.deltaLink":
		s, _ := value.(string)
		return name, p.link(a, s)
	case "@odata.type":
		s, _ := value.(string)
		rest, ok := strings.CutPrefix(s, "#Microsoft.OutlookServices.")
		if !ok {
			return name, value
		}
		return name, "#microsoft.graph." + small(rest)
	}
	if strings.HasPrefix(name, "@") || name == "value" {
		return name, value
	}
	if enumerated[name] {
		value = smallValues(value)
	}
	if to, ok := renamedBack[name]; ok {
		return to, value
	}
	return small(name), value
}

// context rewrites a context: Graph's root, the user's id, names in lower case.
func (p *proxy) context(a graph.Addressed, s string) string {
	_, fragment, _ := strings.Cut(s, "#")
	if i := strings.IndexByte(fragment, '/'); i >= 0 {
		fragment = fragment[i+1:]
	}
	resource, selected, has := strings.Cut(fragment, "(")
	fragment = small(resource)
	if has {
		fragment += "(" + selected
	}
	return p.graphBase + "/v1.0/$metadata#users('" + a.Mailbox.User().OID + "')/" + fragment
}

// link rewrites an address of the on-prem API into one of Graph.
func (p *proxy) link(a graph.Addressed, s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	user := "/users/" + url.PathEscape(a.Mailbox.User().UPN)
	if a.Me {
		user = "/me"
	}
	out := p.graphBase + "/v1.0" + user
	if u.RawQuery == "" {
		_, resource, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/api/v2.0/"), "/")
		return out + "/" + small(resource)
	}
	return out + a.Rest + "?" + u.RawQuery
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func small(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func smallValues(v any) any {
	switch v := v.(type) {
	case string:
		if v == "HTML" {
			return "html"
		}
		return small(v)
	case []any:
		for i := range v {
			v[i] = smallValues(v[i])
		}
	}
	return v
}

var errPayload = errors.New("not JSON")

// rewrite gives every member of a JSON document a new name and value, inner
// members first; the order of members is kept.
func rewrite(raw []byte, each func(name string, value any) (string, any)) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	v, err := readTree(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errPayload
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(renameTree(v, each)); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// tree is a JSON object with its members in order.
type tree []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (t tree) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i, m := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(m.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// maxDepth bounds the nesting of a body; no resource is nearly as deep.
const maxDepth = 64

func readTree(dec *json.Decoder, depth int) (any, error) {
	t, err := dec.Token()
	if err != nil || depth > maxDepth {
		return nil, errPayload
	}
	switch t {
	case json.Delim('{'):
		out := tree{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, errPayload
			}
			text, ok := name.(string)
			if !ok {
				return nil, errPayload
			}
			v, err := readTree(dec, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, member{text, v})
		}
		_, err = dec.Token()
		return out, err
	case json.Delim('['):
		out := []any{}
		for dec.More() {
			v, err := readTree(dec, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err = dec.Token()
		return out, err
	}
	return t, nil
}

func renameTree(v any, each func(string, any) (string, any)) any {
	switch v := v.(type) {
	case tree:
		out := tree{}
		for _, m := range v {
			name, value := each(m.name, renameTree(m.value, each))
			if name != "" {
				out = append(out, member{name, value})
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = renameTree(v[i], each)
		}
	}
	return v
}

// errorOf reads code and message of an error document.
func errorOf(body []byte) (code, message string) {
	var doc struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(body, &doc) != nil {
		return "", ""
	}
	return doc.Error.Code, doc.Error.Message
}
