package profiles

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// locationField is the column that `cutover where --write` fills, after PATH_.
const locationField = "location"

// MailboxFile is the CSV file of the profile's mailboxes, "" when it has none.
func (p *Profile) MailboxFile() string {
	if p.Mailboxes.File == "" || filepath.IsAbs(p.Mailboxes.File) {
		return p.Mailboxes.File
	}
	return filepath.Join(p.dir(), p.Mailboxes.File)
}

// WriteLocations fills the PATH_location columns of the profile's mailbox file:
// location is asked for each mailbox and path, "" leaves a cell as it is. A
// column that nobody fills is not added. Comments and all other columns stay;
// the file is replaced as a whole, or not at all.
func (p *Profile) WriteLocations(location func(mailbox, path string) string) error {
	name := p.MailboxFile()
	if name == "" {
		return fmt.Errorf("profile %s has no file of mailboxes", p.Name)
	}
	before, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("mailboxes: %w", err)
	}
	after, err := p.located(before, location)
	if err != nil {
		return fmt.Errorf("mailboxes: %s: %w", name, err)
	}
	return replace(name, after)
}

// located is the table with its locations filled in.
func (p *Profile) located(before []byte, location func(mailbox, path string) string) ([]byte, error) {
	text := strings.TrimPrefix(string(before), "\ufeff")
	out := &bytes.Buffer{}
	out.WriteString(string(before)[:len(before)-len(text)])
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	w := csv.NewWriter(out)
	w.UseCRLF = strings.Contains(text, "\r\n")
	var head []string
	for {
		from := r.InputOffset()
		if head == nil {
			if first := header(text); strings.Count(first, ";") > strings.Count(first, ",") {
				r.Comma, w.Comma = ';', ';'
			}
		}
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			out.WriteString(text[from:]) // comments at the end
			break
		}
		if err != nil {
			return nil, err
		}
		out.WriteString(comments(text[from:r.InputOffset()]))
		if head == nil {
			head = p.withLocations(trimmedAll(record), location)
			record = head
		} else {
			record = p.fill(head, record, location)
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
		w.Flush()
	}
	return out.Bytes(), w.Error()
}

// header is the first line that is no comment.
func header(text string) string {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			return line
		}
	}
	return ""
}

// comments are the lines before a record that hold none of it.
func comments(chunk string) string {
	var kept strings.Builder
	for line := range strings.Lines(chunk) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			break
		}
		kept.WriteString(line)
	}
	return kept.String()
}

func trimmedAll(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = strings.TrimSpace(c)
	}
	return out
}

// withLocations adds the columns that some mailbox fills.
func (p *Profile) withLocations(head []string, location func(mailbox, path string) string) []string {
	for _, e := range p.Paths {
		column := e.Key + "_" + locationField
		filled := slices.ContainsFunc(p.Mailboxes.List, func(m Mailbox) bool { return location(m.Name, e.Key) != "" })
		if filled && !slices.Contains(head, column) {
			head = append(head, column)
		}
	}
	return head
}

// fill puts the locations into one row, which may be shorter than the header.
func (p *Profile) fill(head, record []string, location func(mailbox, path string) string) []string {
	for len(record) < len(head) {
		record = append(record, "")
	}
	name := ""
	if i := slices.Index(head, "name"); i >= 0 {
		name = strings.TrimSpace(record[i])
	}
	for i, column := range head {
		if path, field := p.column(column); field == locationField {
			if at := location(name, path); at != "" {
				record[i] = at
			}
		}
	}
	return record
}

// replace writes a file beside the old one and moves it into its place.
func replace(name string, data []byte) error {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	next, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("mailboxes: %w", err)
	}
	_, wrote := next.Write(data)
	err = errors.Join(wrote, next.Chmod(mode), next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), name)
	}
	if err != nil {
		_ = os.Remove(next.Name()) // the old file is untouched
		return fmt.Errorf("mailboxes: %w", err)
	}
	return nil
}
