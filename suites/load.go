package suites

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

//go:embed builtin
var builtin embed.FS

// Info describes a built-in suite.
type Info struct{ Name, About string }

// Names lists the suites that come with the program, in order. It reads none of them.
func Names() []string {
	entries, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if name, isSuite := strings.CutSuffix(e.Name(), ".yaml"); isSuite {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Builtin lists the suites that come with the program, by name, with what each says
// of itself. It reads them all, which takes some 20 ms.
func Builtin() []Info {
	var out []Info
	for _, name := range Names() {
		info := Info{Name: name}
		if s, err := Load(name); err == nil {
			info.About = s.About
		}
		out = append(out, info)
	}
	return out
}

// Load reads a built-in suite by its name, else the file of that name. The error is
// strictyaml.Problems when the suite was read and is wrong, and fs.ErrNotExist (by
// errors.Is) when there is neither.
func Load(nameOrFile string) (*Suite, error) {
	file := path.Join("builtin", nameOrFile+".yaml")
	if data, err := builtin.ReadFile(file); err == nil && !strings.ContainsAny(nameOrFile, `/\`) {
		return parse(path.Join("suites", file), data, embedded{})
	}
	f, err := os.Open(nameOrFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &absent{nameOrFile}
	}
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, strictyaml.Problems{{Pos: strictyaml.Pos{File: nameOrFile}, Msg: "this is a folder: name a suite in it"}}
	}
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	return Parse(nameOrFile, data)
}

// absent says that a suite is neither built in nor a file.
type absent struct{ name string }

func (a *absent) Error() string {
	var known []string
	for _, b := range Builtin() {
		known = append(known, b.Name)
	}
	if near := strictyaml.Suggest(a.name, known); near != "" {
		return fmt.Sprintf("no suite %q%s", a.name, near)
	}
	return fmt.Sprintf("no suite %q: there is no such file, and no built-in is called so (cutover list suites names all %d)", a.name, len(known))
}

func (a *absent) Unwrap() error { return fs.ErrNotExist }

// Parse reads a suite. file names it in positions, and its folder is where body files
// are looked for. The error is strictyaml.Problems.
func Parse(file string, data []byte) (*Suite, error) {
	return parse(file, data, folder(filepath.Dir(file)))
}

// Read is Parse for those who have more to say about a suite: it returns what could be
// read beside everything that is wrong with it. The suite is nil when it is no YAML, and
// must not be run when there are problems.
func Read(file string, data []byte) (*Suite, strictyaml.Problems) {
	return read(file, data, folder(filepath.Dir(file)))
}

// files reads the files that a suite names, and none outside its own folder.
type files interface {
	read(name string) ([]byte, error)
}

// folder is a directory that nothing escapes from, not even through a link.
type folder string

func (dir folder) read(name string) ([]byte, error) {
	root, err := os.OpenRoot(string(dir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1))
	if err == nil && len(data) > strictyaml.MaxBytes {
		err = fmt.Errorf("%s is larger than %d MiB", name, strictyaml.MaxBytes>>20)
	}
	return data, err
}

// embedded is the folder of the built-in suites.
type embedded struct{}

func (embedded) read(name string) ([]byte, error) {
	return builtin.ReadFile(path.Join("builtin", name))
}

func parse(file string, data []byte, from files) (*Suite, error) {
	s, problems := read(file, data, from)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func read(file string, data []byte, from files) (*Suite, strictyaml.Problems) {
	if key, at := strictyaml.First(file, data, "suite", "profile"); key == "profile" {
		return nil, strictyaml.Problems{{Pos: at, Msg: "this is a profile, which says where to ask: give it as --profile, and beside it a suite, which says what"}}
	}
	s := &Suite{Source: data}
	problems := strictyaml.Decode(file, data, s)
	if s.Pos.Line == 0 {
		return nil, problems.Sorted()
	}
	f := &finisher{suite: s, from: from, problems: problems}
	f.finish()
	c := &checker{suite: s, problems: f.problems}
	c.check()
	return s, c.problems.Sorted()
}

// Hash identifies what the suite asks: its text and that of every file it names.
func (s *Suite) Hash() string {
	h := sha256.New()
	add := func(data []byte) {
		fmt.Fprintf(h, "%d\n", len(data))
		h.Write(data)
	}
	add(s.Source)
	for _, d := range s.Data {
		add(d.Value.Bytes)
	}
	s.operations(func(op *Operation) {
		if op.BodyFile != "" {
			add(op.BodyBytes)
		}
	})
	return hex.EncodeToString(h.Sum(nil))
}

// operations visits every request of the suite, those of batches and overrides too, in
// document order.
func (s *Suite) operations(visit func(*Operation)) {
	for i := range s.Scenarios {
		for j := range s.Scenarios[i].Steps {
			step := &s.Scenarios[i].Steps[j]
			visit(&step.Operation)
			for k := range step.Batch {
				visit(&step.Batch[k].Operation)
			}
			for k := range step.On {
				visit(&step.On[k].Value.Operation)
			}
		}
	}
}

// Schema is the JSON Schema (2020-12) of a suite. models holds, for the load models whose
// parameters are known, a value of their type.
func Schema(models ...map[string]any) []byte {
	return strictyaml.Schema("A suite of cutover: what to ask of both paths, how often, and what to expect.", Suite{}, models...)
}
