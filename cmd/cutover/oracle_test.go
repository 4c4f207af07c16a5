package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What arrived is judged here with nothing of the program's own: its tables, readers and
// words would share its mistakes.

var (
	mailAddress = regexp.MustCompile(`(?i)[a-z0-9._%+'&=/-]+@[a-z0-9.\[\]-]+`)
	soapAction  = regexp.MustCompile(`(?is)<(?:\w+:)?Body>\s*<(?:\w+:)?(\w+)`)
	soapItem    = regexp.MustCompile(`(?i)<(?:\w+:)?(?:Reference)?ItemId Id="([^"]*)"`)
	soapFree    = regexp.MustCompile(`(?is)<t:(Subject|Body)[^>]*>.*?</t:`)
)

// lasting are parts of addresses that reach others or outlive the run; no generated
// consent names them.
var lasting = []string{"messagerules", "mailboxsettings", "calendarpermissions", "subscriptions", "delegates", "members", "groups"}

// shown are the words of bodies that are shown and not sent to.
var shown = []string{"subject", "content", "contentbytes", "bodypreview", "comment", "displayname", "name", "title", "personalnotes", "@odata.type"}

// verdicts collects what must never have arrived, and how much of it.
type verdicts struct {
	writes int
	wrong  map[string]int    // by sort
	first  map[string]string // examples of each
}

func (v *verdicts) add(sort, example string) {
	if v.wrong[sort]++; v.wrong[sort] <= 6 {
		v.first[sort] += example + "\n"
	}
}

// segments are the decoded parts of an address below the mailbox, in lower case but for
// ids. user is whose mailbox was named, "" for /me.
func segments(address string) (parts []string, user string) {
	path, _, _ := strings.Cut(address, "?")
	for raw := range strings.SplitSeq(path, "/") {
		part, err := url.PathUnescape(raw)
		if err != nil {
			part = raw
		}
		name, key, found := strings.Cut(part, "('")
		if found && strings.HasSuffix(key, "')") {
			parts = append(parts, name, strings.TrimSuffix(key, "')"))
			continue
		}
		if part = strings.TrimSuffix(part, "()"); part != "" {
			parts = append(parts, part)
		}
	}
	for _, known := range []string{"v1.0", "beta"} {
		if len(parts) > 0 && parts[0] == known {
			parts = parts[1:]
		}
	}
	if len(parts) > 1 && parts[0] == "api" {
		parts = parts[2:]
	}
	if len(parts) > 1 && strings.EqualFold(parts[0], "users") {
		return parts[2:], parts[1]
	}
	if len(parts) > 0 && strings.EqualFold(parts[0], "me") {
		parts = parts[1:]
	}
	return parts, ""
}

// word is a segment as a verb or collection: lower case, without a namespace.
func word(segment string) string {
	segment = strings.ToLower(segment)
	return segment[strings.LastIndexByte(segment, '.')+1:]
}

// judge looks at one request, or one part of a batch. The caller holds the lock.
func (x *exchange) judge(method, address string, body []byte) {
	v := &x.verdicts
	example := method + " " + address + " " + string(body[:min(len(body), 300)])
	parts, user := segments(address)
	if user != "" && strings.Contains(user, "@") && !inside(user) {
		v.add("a mailbox outside the list", example)
	}
	last := ""
	if len(parts) > 0 {
		last = word(parts[len(parts)-1])
	}
	var object any
	_ = json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &object) // what is no JSON is judged as text
	if last == "$batch" {
		x.judgeBatch(object)
		return
	}
	if method == "GET" || method == "HEAD" || slices.Contains([]string{"getschedule", "findmeetingtimes", "translateexchangeids", "getmailtips", "delta"}, last) {
		return
	}
	// A text that begins as a message is one, whatever stands in it.
	if action := soapAction.FindSubmatch(body); action != nil && !bytes.HasPrefix(body, []byte("Subject:")) {
		x.judgeSOAP(string(action[1]), string(body), example)
		return
	}
	if len(parts) == 0 {
		return // the service or the mailbox itself: no server does anything there
	}
	v.writes++
	for _, part := range parts {
		if slices.Contains(lasting, strings.ToLower(part)) {
			v.add("something that lasts", example)
		}
	}
	if contact := method == "POST" && last == "contacts"; !contact {
		for _, to := range named(object, body) {
			if !inside(to) {
				v.add("a recipient outside the list", example)
			}
		}
	}
	if !beside(address) || slices.ContainsFunc(parts, func(part string) bool { return x.items[part] != nil }) {
		x.judgeItem(method, parts, last, object, example)
	}
}

// beside tells an address that names no mailbox, such as /v1.0/e/messages: no server
// does anything there.
func beside(address string) bool {
	path, _, _ := strings.Cut(strings.ToLower(address), "?")
	for segment := range strings.SplitSeq(path, "/") {
		if plain, err := url.PathUnescape(segment); err == nil && (plain == "me" || strings.HasPrefix(plain, "users")) {
			return false
		}
	}
	return true
}

// judgeItem looks at whose item a request touches, and whom that would mail.
func (x *exchange) judgeItem(method string, parts []string, last string, body any, example string) {
	v := &x.verdicts
	var of *item
	collection := ""
	for i, part := range parts {
		if found := x.items[part]; found != nil {
			of = found
			if i > 0 {
				collection = word(parts[i-1])
			}
		}
	}
	mails := slices.Contains([]string{"send", "reply", "replyall", "forward", "accept", "decline", "tentativelyaccept", "cancel"}, last)
	switch {
	case method != "POST":
		if of == nil || !of.own {
			v.add("a change to what the run did not make", example)
			return
		}
		mails = collection == "events" && parts[len(parts)-1] == of.id
	case of != nil && !of.own:
		holder := slices.Contains([]string{"mailfolders", "childfolders", "calendars", "contactfolders"}, collection)
		made := holder && slices.Contains([]string{"messages", "events", "contacts", "childfolders"}, last)
		if !made && !slices.Contains([]string{"copy", "createreply", "createreplyall", "createforward"}, last) {
			v.add("a change to what the run did not make", example)
			return
		}
	case mails && of == nil:
		v.add("a recipient outside the list", example)
	}
	fields, _ := body.(map[string]any)
	silent := slices.Contains([]string{"accept", "decline", "tentativelyaccept"}, last) && lookup(fields, "sendResponse") == false
	// What is forwarded goes to those whom the request names, who were judged above.
	if mails && last != "forward" && of != nil && !silent && slices.ContainsFunc(of.to, func(to string) bool { return !inside(to) }) {
		v.add("a stored recipient outside the list", example)
	}
}

func (x *exchange) judgeBatch(body any) {
	object, _ := body.(map[string]any)
	requests, _ := lookup(object, "requests").([]any)
	for _, r := range requests {
		part, _ := r.(map[string]any)
		method, _ := lookup(part, "method").(string)
		address, _ := lookup(part, "url").(string)
		content, _ := json.Marshal(lookup(part, "body")) // came out of JSON
		if text, raw := lookup(part, "body").(string); raw {
			content = []byte(text)
		}
		x.judge(strings.ToUpper(method), "/"+strings.TrimPrefix(address, "/"), content)
	}
}

func (x *exchange) judgeSOAP(action, body, example string) {
	v := &x.verdicts
	for _, prefix := range []string{"Find", "Get", "Sync", "Resolve", "Convert", "Expand", "Search"} {
		if strings.HasPrefix(action, prefix) {
			return
		}
	}
	v.writes++
	if strings.Contains(action, "Rules") || strings.Contains(action, "Delegate") || strings.Contains(action, "Oof") {
		v.add("something that lasts", example)
	}
	for _, to := range mailAddress.FindAllString(soapFree.ReplaceAllString(body, ""), -1) {
		if !inside(to) {
			v.add("a recipient outside the list", example)
		}
	}
	for _, found := range soapItem.FindAllStringSubmatch(body, -1) {
		if of := x.items[found[1]]; of == nil || !of.own {
			v.add("a change to what the run did not make", example)
		}
	}
}

// inside tells whether an address is one that may be mailed.
func inside(address string) bool {
	return slices.ContainsFunc(insiders, func(one string) bool { return strings.EqualFold(one, address) })
}

// lookup finds a member whatever its case.
func lookup(object map[string]any, name string) any {
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// named lists everybody whom a body could reach.
func named(body any, raw []byte) []string {
	if body == nil {
		return ofText(string(raw))
	}
	var all []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				if k = strings.ToLower(k); k != "from" { // whoever a message is from, it is not sent to
					walk(k, inner)
				}
			}
		case []any:
			for _, inner := range v {
				walk(key, inner)
			}
		case string:
			switch {
			case slices.Contains(shown, key):
			case key == "address" || key == "emailaddress":
				if v != "" {
					all = append(all, v)
				}
			default:
				all = append(all, mailAddress.FindAllString(v, -1)...)
			}
		}
	}
	walk("", body)
	return all
}

// ofText lists the addresses of a body that is no JSON: MIME as it is or in base64, of
// which only the head reaches anybody.
func ofText(text string) []string {
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil && len(decoded) > 0 {
		text = string(decoded)
	}
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	var all []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, "Subject:") {
			continue
		}
		if plain, err := new(mime.WordDecoder).DecodeHeader(line); err == nil {
			line = plain
		}
		all = append(all, mailAddress.FindAllString(line, -1)...)
	}
	return all
}
