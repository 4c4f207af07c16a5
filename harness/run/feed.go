package run

import (
	"strings"

	"cutover/harness/plan"
)

// feedCell is where {{data.FEED.COLUMN}} looks.
type feedCell struct{ feed, column int }

// feedCells lists the names of all columns of the suite's tables.
func feedCells(p *plan.Plan) map[string]feedCell {
	cells := make(map[string]feedCell)
	for i := range p.Feeds {
		for j, column := range p.Feeds[i].Columns {
			cells["data."+p.Feeds[i].Name+"."+column] = feedCell{i, j}
		}
	}
	return cells
}

// cell answers a name of a table with the value in the leg's row.
func (s *scope) cell(name string) (string, bool) {
	if !strings.HasPrefix(name, "data.") {
		return "", false
	}
	at, known := s.common.cells[name]
	if !known {
		return "", false
	}
	row, ok := s.plan.Row(at.feed, s.arrival)
	if !ok {
		return "", false
	}
	return s.plan.Feeds[at.feed].Cells[row][at.column], true
}

// literalCell reports whether a name's column holds numbers or truths alone.
func (s *scope) literalCell(name string) bool {
	at, known := s.common.cells[name]
	return known && s.plan.Feeds[at.feed].Literal[at.column]
}
