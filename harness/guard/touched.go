package guard

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"cutover/harness/wire"
)

// What a request touches is read from its URL as well, and not only from what the
// dialect says about it: an action that nobody has heard of, an attachment put to an
// item, a part of a batch and an id in a SOAP body all change the item that they name.

// itemsIn are the collections whose members only their maker may touch. A folder may
// be filled by anybody.
var itemsIn = []string{"messages", "events", "contacts"}

var foldersIn = []string{"mailfolders", "childfolders", "contactfolders", "calendars", "calendargroups"}

// leaving are last segments of POSTs that leave the item alone and make another.
var leaving = []string{"copy", "createreply", "createreplyall", "createforward"}

// filling are last segments of POSTs that put something into a folder, or whose operation
// has a name of its own.
var filling = []string{"messages", "events", "contacts", "childfolders", "mailfolders", "calendars", "copy", "messagerules", "calendarpermissions"}

// asking are actions that only ask.
var asking = []string{"getschedule", "findmeetingtimes", "translateexchangeids", "getmailtips", "delta"}

// foreign refuses a request that would touch what this run did not create, by its URL, by
// those of a batch's parts, and by the ids in a SOAP body.
func (r *Rules) foreign(path string, req *wire.Request, changes, uploads bool) error {
	if r.Mine == nil && r.Simulated {
		return nil
	}
	mine := func(id string) bool { return r.Mine != nil && r.Mine(path, id) }
	address := pathOf(req.URL)
	lower := strings.ToLower(address)
	ok := true
	switch {
	case isBatch(address):
		found := contents{}
		if err := found.read(req); err != nil || len(found.parts) == 0 || found.strays {
			return refuse("not ours", "the parts of "+name(req)+" cannot be read", "write the step as a batch of the suite language")
		}
		for _, part := range found.changed {
			ok = ok && touches(part.method, part.url, mine) && !directory(req.URL, part.url)
		}
	case speaksSOAP(lower, req.Body):
		ok = !changes || soapOurs(req.Body, mine)
	case !uploads:
		ok = touches(req.Method, address, mine) && (!changes || !directory(req.URL, address))
	}
	if ok {
		return nil
	}
	return refuse("not ours", name(req)+" would change what this run did not create", "change only items that an earlier step of the same run created")
}

// touches tells whether a request in Graph's words keeps to what is mine.
func touches(method, path string, mine func(id string) bool) bool {
	if strings.EqualFold(method, "GET") || strings.EqualFold(method, "HEAD") || strings.EqualFold(method, "OPTIONS") {
		return true
	}
	path, _, _ = strings.Cut(path, "?")
	if climbs(path) {
		return false
	}
	words := words(path)
	if len(words) == 0 {
		return true
	}
	last := verbOf(words[len(words)-1])
	post := strings.EqualFold(method, "POST")
	if post && slices.Contains(asking, last) {
		return true
	}
	keys, mailbox, lasts := 0, false, false
	for i, w := range words {
		lower := strings.ToLower(w)
		mailbox = mailbox || lower == "me" || lower == "users" && i+1 < len(words) && strings.Contains(words[i+1], "@")
		lasts = lasts || named(lower)
		if i == 0 {
			continue
		}
		before := strings.ToLower(words[i-1])
		item := slices.Contains(itemsIn, before)
		folder := slices.Contains(foldersIn, before)
		switch {
		case !item && !folder:
			continue
		case item && post && slices.Contains(leaving, last) && i < len(words)-1, folder && post && slices.Contains(filling, last) && i < len(words)-1:
		case folder && i+2 < len(words) && spoken(words[i+1]): // not the folder, but what is in it
		case !mine(w):
			return false
		}
		keys++
	}
	return post || keys > 0 || !mailbox || lasts
}

// spoken tells whether what follows a segment is judged by itself, or by an operation's name.
func spoken(segment string) bool {
	lower := strings.ToLower(segment)
	return slices.Contains(itemsIn, lower) || slices.Contains(foldersIn, lower) || named(lower)
}

// named tells whether a segment speaks of an operation that a consent names.
func named(segment string) bool {
	for _, s := range specials {
		if s.segment != "" && s.segment == segment {
			return true
		}
	}
	return false
}

// words are the segments of a path, unescaped; a key in parentheses is one of its own.
func words(path string) []string {
	var all []string
	for segment := range strings.SplitSeq(path, "/") {
		if plain, err := url.PathUnescape(segment); err == nil && plain != segment {
			if segment = plain; strings.Contains(plain, "/") {
				all = append(all, words(plain)...) // a server may take it for two
				continue
			}
		}
		if name, key, found := strings.Cut(segment, "("); found && strings.HasSuffix(key, ")") {
			if segment = name; name != "" {
				all = append(all, name)
			}
			if key = strings.Trim(key, "')"); key != "" {
				all = append(all, key)
			}
			continue
		}
		if segment != "" {
			all = append(all, segment)
		}
	}
	return all
}

// verbOf is an action without its namespace.
func verbOf(segment string) string {
	segment = strings.ToLower(segment)
	return segment[strings.LastIndexByte(segment, '.')+1:]
}

// speaksSOAP tells whether a body is read as a SOAP request: by the address in lower case, or
// by how it begins.
func speaksSOAP(path string, body []byte) bool {
	return strings.HasSuffix(path, ".asmx") || bytes.HasPrefix(bytes.TrimLeft(body, "\xef\xbb\xbf \t\r\n"), []byte("<"))
}

// inMailboxes are the first words of Graph's URLs below which a write keeps to mailboxes, or to
// what a consent names by an operation of its own.
var inMailboxes = []string{"me", "$batch", "subscriptions", "groups", "search"}

// directory tells whether a write to Microsoft's cloud leads beside the mailboxes: to users,
// applications, the tenant itself. path is that of the request or of a batch's part.
func directory(rawURL, path string) bool {
	_, host, _ := split(rawURL)
	if !Cloud(host) {
		return false
	}
	path, _, _ = strings.Cut(path, "?")
	all := words(path)
	if len(all) > 0 && slices.Contains(versions, strings.ToLower(all[0])) {
		all = all[1:]
	}
	if len(all) == 0 || slices.Contains(inMailboxes, strings.ToLower(all[0])) || strings.EqualFold(all[0], "EWS") {
		return false
	}
	return !strings.EqualFold(all[0], "users") || len(all) < 3
}
