package graph

import (
	"net/http"
	"net/url"
	"strings"
)

// argument names a key captured from a path. A later capture of the same name
// wins: of nested folders the innermost counts.
type argument uint8

const (
	argUser argument = iota
	argFolder
	argMessage
	argAttachment
	argEvent
	argCalendar
	argGroup
	argContact
	argContactFolder
	argName   // extension, category, rule, permission, override, setting
	argInside // what stands in the brackets of a function call
	argCount
)

var argumentNames = map[string]argument{
	"{user}": argUser, "{folder}": argFolder, "{message}": argMessage, "{attachment}": argAttachment, "{event}": argEvent,
	"{calendar}": argCalendar, "{group}": argGroup, "{contact}": argContact, "{contactfolder}": argContactFolder, "{name}": argName,
}

// node is a place in the tree of paths.
type node struct {
	children map[string]*node // by segment, in lower case and as documented
	key      *node
	arg      argument // of key
	ops      map[string]*operation
}

// operation is what a method does at a path.
type operation struct {
	handle        func(*call) *fault
	query         func(*call) *fault // reads the query options; nil: they are ignored
	scopes        []string           // any of these admits
	directory     bool               // about the user, not the mailbox: answered wherever that lives
	global        bool               // no user in the path
	delegatedOnly bool
	batch         bool
}

func (o *operation) admits(scope string) bool {
	for _, s := range o.scopes {
		if strings.EqualFold(s, scope) {
			return true
		}
	}
	return false
}

func (n *node) child(segment string) *node {
	if c := n.children[segment]; c != nil {
		return c
	}
	return n.children[strings.ToLower(segment)]
}

// at is the node of a pattern below n, made if missing.
func (n *node) at(pattern string) *node {
	if pattern == "" {
		return n
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if arg, ok := argumentNames[segment]; ok {
			if n.key == nil {
				n.key, n.arg = &node{}, arg
			}
			n = n.key
			continue
		}
		if n.children == nil {
			n.children = map[string]*node{}
		}
		lower := strings.ToLower(segment)
		c := n.children[lower]
		if c == nil {
			c = &node{}
			n.children[lower] = c
		}
		n.children[segment] = c
		n = c
	}
	return n
}

// alias makes a pattern below n another way to an existing node.
func (n *node) alias(pattern string, to *node) {
	parent, last := n, pattern
	if i := strings.LastIndexByte(pattern, '/'); i >= 0 {
		parent, last = n.at(pattern[:i]), pattern[i+1:]
	}
	if arg, ok := argumentNames[last]; ok {
		parent.key, parent.arg = to, arg
		return
	}
	if parent.children == nil {
		parent.children = map[string]*node{}
	}
	parent.children[last], parent.children[strings.ToLower(last)] = to, to
}

func (n *node) on(method, pattern string, op operation) {
	at := n.at(pattern)
	if at.ops == nil {
		at.ops = map[string]*operation{}
	}
	at.ops[method] = &op
}

// maxSegments bounds a path: 30 levels of folders and what hangs below.
const maxSegments = 80

// route finds the operation of the request's path, or a fault. For a path that
// only another mailbox's server could know, op stays nil.
func (c *call) route() *fault {
	path := strings.Trim(c.r.URL.EscapedPath(), "/")
	version, rest, _ := strings.Cut(path, "/")
	switch version {
	case "v1.0", "beta":
		c.version = version
	default:
		return badRequest("Invalid version: " + version)
	}
	n, afterUser := c.s.routes, -1
	for count := 0; rest != ""; count++ {
		if count > maxSegments {
			return badRequest("The request URI is too long.")
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		name, key, hasKey, f := splitSegment(segment)
		if f != nil {
			return f
		}
		next := n.child(name)
		isKey := next == nil && n.key != nil && !hasKey
		switch {
		case next != nil:
			n = next
		case isKey:
			c.arg[n.arg], n = name, n.key
		default:
			return c.lost(name, afterUser, segment, rest)
		}
		if hasKey {
			if n.key == nil || strings.Contains(key, "=") && !strings.HasPrefix(key, "'") {
				c.arg[argInside] = key
			} else {
				c.arg[n.arg], n = strings.ReplaceAll(strings.Trim(key, "'"), "''", "'"), n.key
				isKey = true
			}
		}
		if afterUser < 0 && (n == c.s.routes.child("me") || n == c.s.routes.child("users").key) {
			c.me = n == c.s.routes.child("me")
			c.user, afterUser = c.arg[argUser], len(rest)
			if rest != "" {
				c.rest = "/" + rest
			}
		}
	}
	return c.method(n)
}

func (c *call) method(n *node) *fault {
	if len(n.ops) == 0 {
		return badRequest("Unsupported segment type. ODataQuery: " + strings.TrimPrefix(c.r.URL.Path, "/v1.0/"))
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if c.op = n.ops[method]; c.op == nil {
		return &fault{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", message: "Specified HTTP method is not allowed for the request target."}
	}
	return nil
}

// lost answers for a path that the service does not know. Below a user it may
// be one that an on-premises mailbox is asked about, so the mailbox is looked at
// first.
func (c *call) lost(name string, afterUser int, segment, rest string) *fault {
	f := badRequest("Resource not found for the segment '" + name + "'.")
	if afterUser < 0 || c.s.cfg.Hybrid == nil || c.me && c.caller.Kind == App {
		return f
	}
	if c.findMailbox() == nil && c.mb.Location() == 0 {
		return nil
	}
	return f
}

// splitSegment unescapes a segment and takes a key in brackets off.
func splitSegment(s string) (name, key string, hasKey bool, f *fault) {
	if strings.IndexByte(s, '%') >= 0 {
		u, err := url.PathUnescape(s)
		if err != nil {
			return "", "", false, badRequest("The request URI is malformed.")
		}
		s = u
	}
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return s, "", false, nil
	}
	if open == 0 || s[len(s)-1] != ')' {
		return "", "", false, badRequest("Syntax error: character '(' is not valid at position " + itoa(open) + " in '" + s + "'.")
	}
	return s[:open], s[open+1 : len(s)-1], true, nil
}
