package conform

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"cutover/harness/result"
	"cutover/suites/strictyaml"
)

// RuleInfo is one difference that cutover can name, for listings, explanations and docs/rules.md.
type RuleInfo struct {
	ID        string          `yaml:"id,required"`
	Kind      string          `yaml:"kind,required"`
	Class     result.Class    `yaml:"class,required"`
	Severity  result.Severity `yaml:"severity,required"`
	Certainty string          `yaml:"certainty,required"`
	Title     string          `yaml:"title,required"`
	About     string          `yaml:"about,required"`
	Left      string          `yaml:"left"`    // what on-premises says, for example
	Right     string          `yaml:"right"`   // what the cloud says, for example
	Remedy    string          `yaml:"remedy"`  // what to do about it
	Source    string          `yaml:"source"`  // where the difference is described
	Waiting   string          `yaml:"waiting"` // what is needed before it can be checked, "" for nothing
}

// Waits says what is needed before the row can be checked, in words; "" when it is checked.
func (r RuleInfo) Waits() string {
	switch r.Waiting {
	case "":
		return ""
	case "ews":
		return "waits for a path that speaks EWS"
	}
	return "waits for " + r.Waiting
}

// Ledger reports whether the row describes a known difference between on-premises and the cloud,
// not a mechanism of this tool.
func (r RuleInfo) Ledger() bool { return r.Certainty != "own" }

//go:embed rules.yaml
var rulesYAML []byte

//go:embed ledger.yaml
var ledgerYAML []byte

type ruleFile struct {
	Rules []RuleInfo `yaml:"rules,required"`
}

var ruleTable = sync.OnceValue(func() []RuleInfo {
	var list []RuleInfo
	for _, f := range []struct {
		name string
		data []byte
	}{{"rules.yaml", rulesYAML}, {"ledger.yaml", ledgerYAML}} {
		var file ruleFile
		if problems := strictyaml.Decode(f.name, f.data, &file); len(problems) > 0 {
			panic(problems.Error()) // the files are part of the program
		}
		list = append(list, file.Rules...)
	}
	slices.SortStableFunc(list, func(a, b RuleInfo) int { return strings.Compare(a.ID, b.ID) })
	return list
})

// Rules lists every rule and every row of the ledger, by id.
func Rules() []RuleInfo { return slices.Clone(ruleTable()) }

// Explain finds one rule by its id.
func Explain(id string) (RuleInfo, bool) {
	for _, r := range ruleTable() {
		if r.ID == id {
			return r, true
		}
	}
	return RuleInfo{}, false
}

// rule is a RuleInfo as findings need it.
type rule struct {
	id, kind, title, remedy, source string
	class                           result.Class
	severity                        result.Severity
}

var rulesByID = sync.OnceValue(func() map[string]*rule {
	table := map[string]*rule{}
	for _, r := range ruleTable() {
		if table[r.ID] != nil {
			panic("rules.yaml, ledger.yaml: two rules are called " + r.ID)
		}
		table[r.ID] = &rule{id: r.ID, kind: r.Kind, title: r.Title, remedy: r.Remedy, source: r.Source, class: r.Class, severity: r.Severity}
	}
	return table
})

// named finds a rule that the program itself uses.
func named(id string) *rule {
	r := rulesByID()[id]
	if r == nil {
		panic("conform: no rule is called " + id)
	}
	return r
}
