package profiles

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"cutover/suites/strictyaml"
)

//go:embed builtin examples
var embedded embed.FS

// Info describes a built-in profile.
type Info struct{ Name, About string }

// Example is a commented profile to copy and fill in.
type Example struct {
	Name, About string
	// Text is the file, Files what it names, by name.
	Text  []byte
	Files map[string][]byte
}

// Builtin lists the profiles that come with the program.
func Builtin() []Info {
	var out []Info
	for _, name := range yamlIn("builtin") {
		p, err := Load(name)
		if err != nil {
			continue
		}
		out = append(out, Info{Name: name, About: p.About})
	}
	return out
}

// Examples lists the example profiles.
func Examples() []Example {
	var out []Example
	for _, name := range yamlIn("examples") {
		file := path.Join("examples", name+".yaml")
		data, err := embedded.ReadFile(file)
		if err != nil {
			continue
		}
		e := Example{Name: name, Text: data, Files: make(map[string][]byte)}
		if p, err := parse(path.Join("profiles", file), data, embedReader); err == nil {
			e.About = p.About
			if p.Mailboxes.File != "" {
				e.Files[p.Mailboxes.File], _ = embedded.ReadFile(path.Join("examples", p.Mailboxes.File))
			}
		}
		out = append(out, e)
	}
	return out
}

func yamlIn(dir string) []string {
	entries, err := embedded.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if name, isYAML := strings.CutSuffix(e.Name(), ".yaml"); isYAML {
			out = append(out, name)
		}
	}
	return out
}

// Load reads a built-in profile by its name, else the file of that name. The error is
// strictyaml.Problems when the profile was read and is wrong, and fs.ErrNotExist (by
// errors.Is) when there is neither.
func Load(nameOrFile string) (*Profile, error) {
	file := path.Join("builtin", nameOrFile+".yaml")
	if data, err := embedded.ReadFile(file); err == nil && !strings.ContainsAny(nameOrFile, `/\`) {
		return parse(path.Join("profiles", file), data, embedReader)
	}
	if info, err := os.Stat(nameOrFile); err == nil && info.IsDir() {
		return nil, strictyaml.Problems{{Pos: strictyaml.Pos{File: nameOrFile}, Msg: "this is a folder: name a profile in it"}}
	}
	data, err := readFile(nameOrFile, strictyaml.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &absent{nameOrFile}
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return Parse(nameOrFile, data)
}

// absent says that a profile is neither built in nor a file.
type absent struct{ name string }

func (a *absent) Error() string {
	if near := strictyaml.Suggest(a.name, yamlIn("builtin")); near != "" {
		return fmt.Sprintf("no profile %q%s", a.name, near)
	}
	return fmt.Sprintf("no profile %q: there is no such file, and the built-in ones are %s", a.name, strings.Join(yamlIn("builtin"), ", "))
}

func (a *absent) Unwrap() error { return fs.ErrNotExist }

// reader reads a file that a profile names.
type reader func(name string) ([]byte, error)

func embedReader(name string) ([]byte, error) {
	return embedded.ReadFile(strings.TrimPrefix(filepath.ToSlash(name), "profiles/"))
}

// readFile reads a file of at most limit bytes and one more, so that its reader notices.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Parse reads a profile. file names it in positions, and files that it names are
// relative to its folder. The error is strictyaml.Problems.
func Parse(file string, data []byte) (*Profile, error) {
	return parse(file, data, func(name string) ([]byte, error) { return readFile(name, maxCSV) })
}

func parse(file string, data []byte, read reader) (*Profile, error) {
	if key, at := strictyaml.First(file, data, "suite", "profile"); key == "suite" {
		return nil, strictyaml.Problems{{Pos: at, Msg: "this is a suite, which says what to ask: give it without --profile, which wants a deployment"}}
	}
	p := &Profile{Source: data}
	problems := strictyaml.Decode(file, data, p)
	if p.Pos.Line == 0 {
		return nil, problems.Err()
	}
	c := &checker{profile: p, problems: problems}
	c.paths()
	c.sides()
	c.mailboxes(read)
	c.files()
	if err := c.problems.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// dir is the folder of the profile, which the files it names are relative to.
func (p *Profile) dir() string { return filepath.Dir(p.Pos.File) }

// Schema is the JSON Schema (2020-12) of a profile.
func Schema() []byte {
	return strictyaml.Schema("A profile of cutover: a deployment, its paths, its mailboxes and its limits.", Profile{}, kinds)
}

// kinds are the parameters of the blocks in a profile, for its schema.
var kinds = map[string]any{
	"graph": Graph{}, "rest": Rest{}, "plain": Plain{}, "lab": "",
	"entra": Entra{}, "basic": Basic{}, "ntlm": NTLM{}, "token": Token{}, "none": nil,
}
