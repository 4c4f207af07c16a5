package graph

import (
	"strconv"
	"strings"
	"time"

	"cutover/harness/lab/zone"
)

// preferences are what Prefer headers asked for. They are not part of any link:
// a client repeats them with each page.
type preferences struct {
	loc        *time.Location // nil: UTC
	zone       string         // as asked
	body       string         // "", text or html
	immutable  bool
	pageSize   int
	noMetadata bool
	applied    string
	fault      *fault
}

func (c *call) readPreferences() {
	if accept := c.r.Header["Accept"]; len(accept) > 0 && strings.Contains(accept[0], "odata.metadata=none") {
		c.prefer.noMetadata = true
	}
	for _, header := range c.r.Header["Prefer"] {
		for part := range strings.SplitSeq(header, ",") {
			c.preference(strings.TrimSpace(part))
			if c.prefer.fault != nil {
				return
			}
		}
	}
}

func (c *call) preference(part string) {
	name, value, _ := strings.Cut(part, "=")
	value = strings.Trim(strings.TrimSpace(value), `"`)
	p := &c.prefer
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "outlook.timezone":
		loc, ok := zone.Load(value)
		if !ok {
			p.fault = badZone(value)
			return
		}
		p.loc, p.zone = loc, value
		p.apply(`outlook.timezone="` + value + `"`)
	case "outlook.body-content-type":
		v := strings.ToLower(value)
		if v != "text" && v != "html" {
			return
		}
		p.body = v
		p.apply(`outlook.body-content-type="` + v + `"`)
	case "idtype":
		if strings.EqualFold(value, "ImmutableId") && !c.s.cfg.ClassicIDsOnly {
			p.immutable = true
			p.apply(`IdType="ImmutableId"`)
		}
	case "odata.maxpagesize":
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			p.pageSize = n
			p.apply("odata.maxpagesize=" + value)
		}
	case "outlook.allow-unsafe-html":
		p.apply("outlook.allow-unsafe-html")
	}
}

func (p *preferences) apply(s string) {
	if p.applied != "" {
		p.applied += ", "
	}
	p.applied += s
}

func badZone(name string) *fault {
	return badCode("TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '"+name+"'.")
}

func itoa(n int) string { return strconv.Itoa(n) }

// inZone answers in a zone without it having been preferred.
func (c *call) inZone(name string) {
	if loc, ok := zone.Load(name); ok {
		c.prefer.loc, c.prefer.zone = loc, name
	}
}
