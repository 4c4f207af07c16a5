package profiles

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// maxCSV bounds a list of mailboxes: 64 MiB is more than half a million rows.
const maxCSV = 64 << 20

// readCSV reads a table whose first row names its columns. Semicolons are understood as
// well as commas, because spreadsheets in half of Europe write them.
func (p *Profile) readCSV(file, text string) (rows []row, problems strictyaml.Problems) {
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	r.Comment = '#'
	if head, _, _ := strings.Cut(text, "\n"); strings.Count(head, ";") > strings.Count(head, ",") {
		r.Comma = ';'
	}
	pos := func(field int) strictyaml.Pos {
		line, col := r.FieldPos(field)
		return strictyaml.Pos{File: file, Line: line, Col: col}
	}
	var head []string
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			problems.Add(strictyaml.Pos{File: file, Line: bad.Line, Col: bad.Column}, "not a valid table: %v", bad.Err)
			return nil, problems
		}
		if head == nil {
			head = record
			for i, name := range head {
				head[i] = p.known(strings.TrimSpace(name), pos(i), &problems)
			}
			continue
		}
		one := row{pos: pos(0)}
		for i, text := range record {
			switch {
			case i < len(head) && head[i] == "": // an unknown column, as was said
			case i < len(head):
				one.cells = append(one.cells, cell{column: head[i], pos: pos(i), text: text})
			case strings.TrimSpace(text) != "":
				problems.Add(pos(i), "this row has %d columns, the first row names %d", len(record), len(head))
			}
		}
		rows = append(rows, one)
	}
	if len(rows) == 0 {
		problems.Add(strictyaml.Pos{File: file, Line: 1, Col: 1}, "the table names no mailbox")
	}
	return rows, problems
}

// known returns the name of a column, or "" after saying that there is none such.
func (p *Profile) known(name string, at strictyaml.Pos, problems *strictyaml.Problems) string {
	if slices.Contains(p.columns(), name) {
		return name
	}
	problems.Add(at, "unknown column %q%s", name, strictyaml.Suggest(name, p.columns()))
	return ""
}
