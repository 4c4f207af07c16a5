package doctor

import (
	"fmt"
	"strings"
)

// Limits that the front end of the REST directory keeps, as shipped in its
// configuration: characters of a request's path, and of its query.
const (
	maxPath  = 2048
	maxQuery = 4096
)

// Suite is what is about to be asked, as far as limits are concerned.
type Suite struct {
	Name string
	// Longest are the longest URLs of each path's steps, by path name.
	Longest map[string]LongestURL
	// Throttled are published limits that the suite's load would exceed, by path.
	Throttled map[string][]string
}

// LongestURL is the greatest length of a path and of a query, with the steps
// that have them.
type LongestURL struct {
	Path, Query         int // characters
	PathStep, QueryStep string
}

func limitChecks() []Check {
	return []Check{
		{ID: "limits.url", Title: "the suite's URLs are short enough", Blocks: blocksREST, Vantage: "any", applies: onPrem, harmless: true,
			Cause:  "Exchange's front end answers 404 to a path of more than 2,048 or a query of more than 4,096 characters",
			Remedy: "select fewer properties, shorten the filter, or split the step", Source: "shipped configuration of the REST directory, 2016 CU22 and 2019 CU11", run: (*exam).urls},
		{ID: "limits.throttle", Title: "the suite's load keeps to the published limits", Blocks: blocksCloud, Vantage: "any", applies: cloud, harmless: true,
			Cause:  "the planned rate is above what Microsoft allows an application on one mailbox: answers will be 429",
			Remedy: "use more mailboxes or a lower rate; `cutover plan` shows the forecast", Source: "Microsoft Graph: throttling limits of Outlook services (documented)", run: (*exam).throttling},
	}
}

func (e *exam) urls() finding {
	if e.o.Suite == nil {
		return skip("no suite was named (--suite)")
	}
	l, ok := e.o.Suite.Longest[e.path.Name]
	if !ok {
		return skip("the suite asks nothing on this path")
	}
	var over []string
	if l.Path > maxPath {
		over = append(over, fmt.Sprintf("%s has a path of %d", l.PathStep, l.Path))
	}
	if l.Query > maxQuery {
		over = append(over, fmt.Sprintf("%s has a query of %d", l.QueryStep, l.Query))
	}
	if len(over) > 0 {
		return fail("%s characters", strings.Join(over, " and "))
	}
	return pass("suite %s: the longest path has %d characters, the longest query %d", e.o.Suite.Name, l.Path, l.Query)
}

func (e *exam) throttling() finding {
	if e.o.Suite == nil {
		return skip("no suite was named (--suite)")
	}
	if over := e.o.Suite.Throttled[e.path.Name]; len(over) > 0 {
		return warn("%s", strings.Join(over, "; "))
	}
	return pass("suite %s stays below them", e.o.Suite.Name)
}
