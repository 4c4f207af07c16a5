package plan

import "strings"

// OutlineFixture is what an Outline says about one sort of item made before the run.
type OutlineFixture struct {
	Sort      string   `json:"create"`
	In        string   `json:"in"`
	Each      int      `json:"count"` // in each mailbox
	Mailboxes int      `json:"mailboxes"`
	Paths     []string `json:"paths"` // that make it; one alone where both lead to one store
}

func (p *Plan) outlineFixtures() []OutlineFixture {
	var out []OutlineFixture
	for _, f := range p.Fixtures {
		o := OutlineFixture{Sort: f.Sort, In: f.In, Each: f.Count, Mailboxes: len(f.Mailboxes)}
		for i, t := range f.Asks {
			if t != nil {
				o.Paths = append(o.Paths, p.Sides[i].Path)
			}
		}
		out = append(out, o)
	}
	return out
}

func (l *lines) fixtures(o *Outline) {
	if len(o.Fixtures) == 0 {
		return
	}
	l.gap()
	l.add("made before the run and removed after it\tin\teach mailbox\tmailboxes\ton")
	for _, f := range o.Fixtures {
		l.add("%s\t%s\t%d\t%d\t%s", f.Sort, f.In, f.Each, f.Mailboxes, strings.Join(f.Paths, ", "))
	}
}
