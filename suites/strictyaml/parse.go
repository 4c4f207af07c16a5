package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Decode reads the one document in data into the struct that into points to and
// returns everything that is wrong with it, sorted by place; file is only the name
// used in positions. When problems are returned, into holds what could be read.
//
// It never panics and its work is bounded by MaxBytes, MaxDepth and MaxNodes.
func Decode(file string, data []byte, into any) Problems {
	var found Problems
	root := parse(file, data, &found)
	if root == nil {
		return found.Sorted()
	}
	d := &decoder{file: file}
	d.decode(root, reflect.ValueOf(into).Elem(), "")
	return append(found, d.problems...).Sorted()
}

// parse returns the root value of the only document, or nil after noting why there is none.
func parse(file string, data []byte, found *Problems) *yaml.Node {
	if at, msg := unreadable(data); msg != "" {
		at.File = file
		*found = append(*found, Problem{at, msg})
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	first, err := next(dec)
	if err != nil {
		*found = append(*found, syntaxProblem(file, data, err))
		return nil
	}
	second, err := next(dec)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		*found = append(*found, syntaxProblem(file, data, err))
	default:
		found.Add(Pos{file, second.Line, second.Column}, "a second document starts here: a file holds one (split it in two)")
	}
	if len(first.Content) == 0 || blank(first.Content[0]) {
		found.Add(Pos{file, 1, 1}, "%s", errEmpty)
		return nil
	}
	return first.Content[0]
}

const errEmpty = "the file is empty"

func blank(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Value == ""
}

// next reads one document as nodes. yaml.v3 panics on some inputs; a file must not
// be able to stop the program, so a panic becomes a syntax error.
func next(dec *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: the parser gave up: %v", r)
		}
	}()
	doc = new(yaml.Node)
	if err := dec.Decode(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// unreadable finds what no YAML file may hold, before the parser sees it, because the
// parser names no place for it. msg is "" for readable data.
func unreadable(data []byte) (at Pos, msg string) {
	at = Pos{Line: 1, Col: 1}
	switch {
	case len(data) > MaxBytes:
		return at, fmt.Sprintf("the file is larger than %d MiB (%d bytes)", MaxBytes>>20, len(data))
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return at, "the file is UTF-16: save it as UTF-8"
	case len(bytes.TrimSpace(data)) == 0:
		return at, errEmpty
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return at, "the file is not UTF-8 here: save it as UTF-8"
		case r == 0:
			return at, "a NUL byte: this is not a text file"
		case !printable(r):
			return at, fmt.Sprintf("control character U+%04X is not allowed", r)
		}
		at.Col++
		if r == '\n' {
			at.Line, at.Col = at.Line+1, 1
		}
		i += n
	}
	return at, ""
}

// printable is YAML 1.2's set of characters that a stream may hold.
func printable(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == 0x85, r >= 0x20 && r <= 0x7e:
		return true
	}
	return r >= 0xa0 && r != 0xfffe && r != 0xffff
}

var (
	lineInError = regexp.MustCompile(`^yaml: line (\d+): (.*)`)
	tabIndent   = regexp.MustCompile(`(?m)^ *\t\s*\S`)
)

// syntaxProblem turns yaml.v3's error, which has a line only in its text and no
// column, into a problem. A tab in the indentation is by far the likeliest cause of
// an otherwise puzzling message and is named as such.
func syntaxProblem(file string, data []byte, err error) Problem {
	if errors.Is(err, io.EOF) {
		return Problem{Pos{file, 1, 1}, errEmpty}
	}
	if at := tabIndent.FindIndex(data); at != nil {
		line := 1 + bytes.Count(data[:at[0]], []byte("\n"))
		col := 1 + bytes.IndexByte(data[at[0]:], '\t')
		return Problem{Pos{file, line, col}, "a tab in the indentation: YAML wants spaces"}
	}
	line, what := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := lineInError.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = m[2]
	}
	if found := breaksAt(data); found > 0 {
		line = found
	}
	return Problem{Pos{file, line, 1}, "not valid YAML from this line on: " + what + " (text that holds any of [ ] { } , ? & * # : may need quotes)"}
}

// maxSearched is the size up to which a broken file is parsed again and again to find the
// line that broke it, lookahead how many lines a value may span that is incomplete when
// cut, and maxTries how often it is parsed. Together they keep the search below a second.
const (
	maxSearched = 32 << 10
	lookahead   = 40
	maxTries    = 200
)

// breaksAt returns the first line without which, and without all that follow, the file
// would be valid YAML: the parser itself names lines that can be far off. It returns 0 for
// files that are too large to try.
func breaksAt(data []byte) int {
	if len(data) > maxSearched {
		return 0
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	tries := 0
	valid := func(n int) bool {
		tries++
		_, err := next(yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:n], nil))))
		return err == nil || errors.Is(err, io.EOF)
	}
	good := 0
	for bad := len(lines); ; {
		for good+1 < bad {
			if mid := (good + bad) / 2; valid(mid) {
				good = mid
			} else {
				bad = mid
			}
		}
		further := 0
		for n := bad + 1; n <= min(len(lines), bad+lookahead) && further == 0; n++ {
			if valid(n) {
				further = n
			}
		}
		if further == 0 {
			return bad
		}
		if tries > maxTries {
			return 0
		}
		good, bad = further, len(lines)
	}
}
