package guard

import (
	"encoding/xml"
	"net/url"
	"slices"
	"strings"

	"cutover/harness/request"
	"cutover/harness/wire"
)

// What a request does is read from its method, URL and body as well, and not only from
// what the dialect or the suite says about it.

// writes tells whether a request may change anything: by the dialect's statement, or
// because it looks like nothing else.
func writes(req *wire.Request) bool {
	e := &req.Effect
	if e.Writes || e.Deletes || e.Mails || e.Creates != "" {
		return true
	}
	switch req.Method {
	case "GET", "HEAD", "OPTIONS":
		return false
	case "POST":
		return shows(req)
	}
	return true
}

// shows tells whether a POST is none that reads: one to a mailbox reads only as one of the
// actions that ask, and a SOAP request only by its operations. About other POSTs the
// dialect is believed; a batch is judged by its parts.
func shows(req *wire.Request) bool {
	path := pathOf(req.URL)
	lower := strings.ToLower(path)
	all := words(path)
	switch {
	case len(all) == 0:
		return false
	case speaksSOAP(lower, req.Body):
		operations, ok := request.SOAPOperations(req.Body)
		if !ok && !strings.HasSuffix(lower, ".asmx") {
			return len(operations) > 0
		}
		return !ok || slices.ContainsFunc(operations, func(o xml.StartElement) bool { return !request.SOAPReads(o.Name.Local) })
	}
	last := verbOf(all[len(all)-1])
	if slices.Contains(asking, last) || isBatch(path) {
		return false
	}
	if _, mails := mailVerbs[last]; mails {
		return true
	}
	return slices.ContainsFunc(all, func(w string) bool { return strings.EqualFold(w, "me") }) || mailboxIn(all) >= 0
}

// isBatch tells whether a path ends as Graph's and OData's batches do, in any spelling.
func isBatch(path string) bool {
	all := words(path)
	return len(all) > 0 && strings.EqualFold(all[len(all)-1], "$batch")
}

// versions are the first words of Graph's and Outlook's own URLs.
var versions = []string{"v1.0", "v2.0", "beta"}

// behind returns the place of what follows name where a mailbox or a group is addressed:
// behind the version, or first in the part of a batch. -1 when nothing does.
func behind(all []string, name string) int {
	for i, w := range all {
		if strings.EqualFold(w, name) && (i == 0 || slices.Contains(versions, strings.ToLower(all[i-1]))) && i+1 < len(all) {
			return i + 1
		}
	}
	return -1
}

// mailboxIn is the place of the word that names a mailbox, -1 for none.
func mailboxIn(all []string) int { return behind(all, "users") }

// climbs tells whether a path has segments that lead upwards or stay: what a server
// makes of them is not what stands there.
func climbs(path string) bool {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "%2") && !strings.Contains(path, "%5") && !strings.Contains(path, ";") {
		return false
	}
	for range 3 { // some servers decode twice
		for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '\\' }) {
			segment, _, _ = strings.Cut(segment, ";")
			if segment == "." || segment == ".." {
				return true
			}
		}
		plain, err := url.PathUnescape(path)
		if err != nil || plain == path {
			return false
		}
		path = plain
	}
	return false
}
