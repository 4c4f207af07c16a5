package canon

import (
	"strconv"
	"strings"
)

// Find looks up a simple JSONPath in the canonical tree: $, .name, ['name'], [0], [-1]. What needs a
// wildcard or a filter is not found here; evaluate it on Root().Any().
func (d *Doc) Find(path string) (Node, bool) { return d.Root().Find(path) }

// Find looks up a simple JSONPath below the node.
func (n Node) Find(path string) (Node, bool) {
	if n.doc == nil {
		return Node{}, false
	}
	path = strings.TrimPrefix(path, "$")
	for path != "" {
		name, index, rest, ok := step(path)
		if !ok {
			return Node{}, false
		}
		if name != "" {
			n, ok = n.Get(name)
		} else {
			n, ok = n.At(index)
		}
		if !ok {
			return Node{}, false
		}
		path = rest
	}
	return n, true
}

// Simple reports whether Find understands the path.
func Simple(path string) bool {
	path, ok := strings.CutPrefix(path, "$")
	for ok && path != "" {
		_, _, path, ok = step(path)
	}
	return ok
}

// step cuts the first step off a path.
func step(path string) (name string, index int, rest string, ok bool) {
	switch {
	case strings.HasPrefix(path, "['"), strings.HasPrefix(path, `["`):
		quote := path[1:2]
		end := strings.Index(path[2:], quote+"]")
		if end <= 0 {
			return "", 0, "", false
		}
		return path[2 : 2+end], 0, path[2+end+2:], true
	case path[0] == '[':
		end := strings.IndexByte(path, ']')
		if end < 0 {
			return "", 0, "", false
		}
		index, err := strconv.Atoi(path[1:end])
		return "", index, path[end+1:], err == nil
	case path[0] == '.':
		path = path[1:]
		from := 0
		if strings.HasPrefix(path, "@odata.") { // a point that is part of the name
			from = len("@odata.")
		}
		end := strings.IndexAny(path[from:], ".[")
		if end < 0 {
			end = len(path) - from
		}
		end += from
		name = path[:end]
		return name, 0, path[end:], name != "" && name != "*"
	}
	return "", 0, "", false
}
