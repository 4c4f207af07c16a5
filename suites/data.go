package suites

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// Feed is a table whose rows iterations take in turn: {{data.FEED.COLUMN}}. Both legs of
// an iteration get the same row.
type Feed struct {
	Pos  strictyaml.Pos                      `yaml:"-"`
	Keys strictyaml.Keys                     `yaml:"-"`
	File string                              `yaml:"file" doc:"CSV file with a header line, or JSON file with a list of objects (.json), in or below the folder of the suite."`
	Rows []strictyaml.Map[strictyaml.Scalar] `yaml:"rows" doc:"In place of a file: the rows themselves, each with the same columns."`
	Pick string                              `yaml:"pick" enum:"cycle,random,unique" doc:"cycle (default): row after row, from the first again after the last; random: any row, drawn by the seed; unique: no row twice in a run, and too few rows are a mistake."`

	// Columns and Cells are the table, and Bytes the file that it was read from.
	Columns []string   `yaml:"-"`
	Cells   [][]string `yaml:"-"`
	// Literal marks columns of which every value is a number or a truth.
	Literal []bool `yaml:"-"`
	Bytes   []byte `yaml:"-"`
}

// Column is the index of a column, -1 for one that the table does not have.
func (d *Feed) Column(name string) int { return slices.Index(d.Columns, name) }

// CutDataName takes data.FEED.COLUMN apart.
func CutDataName(name string) (feed, column string, ok bool) {
	rest, ok := strings.CutPrefix(name, "data.")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ".")
}

// feeds fills the tables in.
func (f *finisher) feeds() {
	for i := range f.suite.Data {
		d := &f.suite.Data[i].Value
		d.Pick = orElse(d.Pick, "cycle")
		switch at := d.Keys.At(d.Pos, "file"); {
		case d.Pos.Line == 0:
		case (d.File == "") == (d.Rows == nil):
			f.problems.Add(d.Pos, "data %q needs a file or rows, one of them", f.suite.Data[i].Key)
		case d.Rows != nil:
			f.inline(d)
		default:
			f.table(d, at)
		}
	}
}

// table reads the file of a feed.
func (f *finisher) table(d *Feed, at strictyaml.Pos) {
	data, err := f.from.read(d.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.problems.Add(at, "file %q does not exist (it is looked for in the folder of the suite)", d.File)
		return
	case err != nil:
		f.problems.Add(at, "file %q cannot be read: it must be a file in or below the folder of the suite, of at most %d MiB", d.File, strictyaml.MaxBytes>>20)
		return
	}
	d.Bytes = data
	if strings.EqualFold(path.Ext(d.File), ".json") {
		err = d.readJSON(data)
	} else {
		err = d.readCSV(data)
	}
	if err == nil && len(d.Cells) == 0 {
		err = errors.New("it has no row")
	}
	if err != nil {
		f.problems.Add(at, "file %q: %v", d.File, err)
		d.Columns, d.Cells = nil, nil
	}
}

// readCSV reads a table with a header line (RFC 4180; a byte order mark is skipped, and
// a header without a comma but with semicolons separates by these, as a spreadsheet of
// many European locales writes them).
func (d *Feed) readCSV(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r := csv.NewReader(bytes.NewReader(data))
	header, _, _ := bytes.Cut(data, []byte("\n"))
	if !bytes.ContainsRune(header, ',') && bytes.ContainsRune(header, ';') {
		r.Comma = ';'
	}
	all, err := r.ReadAll()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("it is empty: the first line names the columns")
	}
	d.Columns, d.Cells = all[0], all[1:]
	d.Literal = make([]bool, len(d.Columns))
	return d.checkColumns()
}

// readJSON reads a list of objects whose values are texts, numbers and truths.
func (d *Feed) readJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var rows []map[string]any
	if err := dec.Decode(&rows); err != nil {
		return fmt.Errorf("it must be a list of objects: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the list")
	}
	for i, row := range rows {
		if i == 0 {
			d.Columns = slices.Sorted(maps.Keys(row))
			d.Literal = slices.Repeat([]bool{true}, len(d.Columns))
		}
		cells := make([]string, len(d.Columns))
		for j, name := range d.Columns {
			value, ok := row[name]
			if !ok || len(row) != len(d.Columns) {
				return fmt.Errorf("row %d has other columns than the first (%s)", i+1, strings.Join(d.Columns, ", "))
			}
			switch v := value.(type) {
			case string:
				cells[j], d.Literal[j] = v, false
			case json.Number:
				cells[j] = v.String()
			case bool:
				cells[j] = fmt.Sprint(v)
			default:
				return fmt.Errorf("row %d: %q must be a text, a number, true or false", i+1, name)
			}
		}
		d.Cells = append(d.Cells, cells)
	}
	return d.checkColumns()
}

func (d *Feed) checkColumns() error {
	seen := make(map[string]bool)
	for _, name := range d.Columns {
		switch {
		case !captureName.MatchString(name):
			return fmt.Errorf("the column %q must be letters, digits and '_', starting with a letter", name)
		case seen[name]:
			return fmt.Errorf("two columns are called %q", name)
		}
		seen[name] = true
	}
	return nil
}

// inline takes rows that stand in the suite.
func (f *finisher) inline(d *Feed) {
	if len(d.Rows) == 0 {
		f.problems.Add(d.Keys.At(d.Pos, "rows"), `"rows" is empty`)
		return
	}
	d.Columns = d.Rows[0].Keys()
	d.Literal = slices.Repeat([]bool{true}, len(d.Columns))
	for i, row := range d.Rows {
		cells := make([]string, len(d.Columns))
		for j, name := range d.Columns {
			value, ok := row.Get(name)
			if !ok || len(row) != len(d.Columns) {
				f.problems.Add(d.Keys.At(d.Pos, "rows"), "row %d has other columns than the first (%s)", i+1, strings.Join(d.Columns, ", "))
				d.Columns, d.Cells = nil, nil
				return
			}
			cells[j] = value.Text
			d.Literal[j] = d.Literal[j] && (value.Kind == strictyaml.Number || value.Kind == strictyaml.Bool)
		}
		d.Cells = append(d.Cells, cells)
	}
	if err := d.checkColumns(); err != nil {
		f.problems.Add(d.Keys.At(d.Pos, "rows"), "%v", err)
	}
}

// feeds checks the names of the tables.
func (c *checker) feeds() {
	for _, e := range c.suite.Data {
		if !captureName.MatchString(e.Key) {
			c.problems.Add(e.Pos, "the name of data is letters, digits and '_', starting with a letter, not %q", e.Key)
		}
	}
}

// dataName reports whether a name is one of a feed, and complains about a feed or
// column that is not there.
func (c *checker) dataName(u use) bool {
	feed, column, ok := CutDataName(u.name)
	if !ok {
		return false
	}
	d, known := c.suite.Data.Get(feed)
	switch {
	case !known:
		c.problems.Add(u.at, "{{%s}}: there is no data called %q%s", u.name, feed, strictyaml.Suggest(feed, c.suite.Data.Keys()))
	case d.Columns != nil && d.Column(column) < 0:
		c.problems.Add(u.at, "{{%s}}: data %q has no column %q%s (it has %s)", u.name, feed, column, strictyaml.Suggest(column, d.Columns), strings.Join(d.Columns, ", "))
	}
	return true
}
