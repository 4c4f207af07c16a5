package run

import (
	"strings"

	"cutover/harness/wire"
	"cutover/suites/strictyaml"
)

// servedBy is how a path's own servers are told from others, such as those of the other
// side to which a proxy or a load balancer led a request: header names in the profile's
// spelling, and a text that one of their values holds.
type servedBy []wire.Field

func newServedBy(known strictyaml.Map[string]) servedBy {
	var s servedBy
	for _, h := range known {
		s = append(s, wire.Field{Name: h.Key, Value: strings.ToLower(h.Value)})
	}
	return s
}

// elsewhere names the header that says that another server answered, "" when the path's
// own did. Server errors are believed to be whose they are: who fails may lack anything.
func (s servedBy) elsewhere(resp *wire.Response) string {
	if resp.Status >= 500 {
		return ""
	}
	for i := range s {
		if !holds(resp.Header, &s[i]) {
			return s[i].Name
		}
	}
	return ""
}

// holds reports whether some value of the header holds the text, in any case.
func holds(h wire.Header, want *wire.Field) bool {
	for i := range h {
		if strings.EqualFold(h[i].Name, want.Name) && strings.Contains(strings.ToLower(h[i].Value), want.Value) {
			return true
		}
	}
	return false
}
