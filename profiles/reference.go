package profiles

import (
	"path/filepath"
	"strings"

	"cutover/suites/strictyaml"
)

// wantReference is what a file is told that holds anything but a reference. What it held
// is never repeated: it may be the secret itself.
const wantReference = `must be a reference, never the secret itself: {env: NAME}, {file: NAME} or {exec: [PROGRAM, ARGUMENT]}`

// reference is a Secret as a document writes it.
type reference struct {
	Env  string   `yaml:"env" doc:"Environment variable that holds the secret."`
	File string   `yaml:"file" doc:"File that holds the secret, relative to the profile; a line end at its end is dropped."`
	Exec []string `yaml:"exec" doc:"Program with its arguments, run without a shell, that prints the secret."`
}

// UnmarshalNode reads {env: NAME}, {file: NAME} or {exec: [PROGRAM, ARG…]}.
func (s *Secret) UnmarshalNode(n *strictyaml.Node) {
	if n.Kind() != strictyaml.Mapping {
		n.Problem("%q %s", n.Label(), wantReference)
		return
	}
	for _, e := range n.Entries() {
		if k := e.Value.Kind(); e.Key != "exec" && k != strictyaml.Text && k != strictyaml.Number || e.Key == "exec" && k != strictyaml.List {
			e.Value.Problem("%q %s", n.Label(), wantReference)
			return
		}
	}
	var r reference
	n.Decode(&r)
	given := 0
	dir := filepath.Dir(n.Pos().File)
	if r.Env != "" {
		*s, given = Secret{source: "env", name: r.Env}, given+1
	}
	if r.File != "" {
		*s, given = Secret{source: "file", name: r.File, dir: dir}, given+1
	}
	if len(r.Exec) > 0 && r.Exec[0] != "" {
		*s, given = Secret{source: "exec", argv: r.Exec, dir: dir}, given+1
	}
	if given != 1 {
		n.Problem("%q %s", n.Label(), wantReference)
	}
}

// Schema describes the shapes that UnmarshalNode reads.
func (Secret) Schema(g *strictyaml.Generator) map[string]any {
	schema := g.Of(reference{})
	schema["minProperties"], schema["maxProperties"] = 1, 1
	schema["description"] = "A reference to a secret, which no profile can hold itself."
	return schema
}

// parseReference reads a reference as a table writes it: env:NAME or file:NAME.
func parseReference(text, dir string) (Secret, bool) {
	source, name, _ := strings.Cut(text, ":")
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return Secret{}, false
	case source == "env":
		return Secret{source: source, name: name}, true
	case source == "file":
		return Secret{source: source, name: name, dir: dir}, true
	}
	return Secret{}, false
}
