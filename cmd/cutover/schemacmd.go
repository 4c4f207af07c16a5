package main

import (
	"github.com/spf13/cobra"

	"cutover/harness/load"
	"cutover/harness/result"
	"cutover/profiles"
	"cutover/suites"
)

// schemas is the table of what `cutover schema` prints.
var schemas = map[string]func() []byte{
	"suite":   suiteSchema,
	"profile": profiles.Schema,
	"result":  result.JSONSchema,
}

func (a *App) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema suite|profile|result",
		Short:     "Print the JSON Schema (2020-12) of a file, for editors and validators",
		Example:   "  cutover schema suite > suite.schema.json\n  # first line of a suite: # yaml-language-server: $schema=./suite.schema.json",
		ValidArgs: sorted(schemas),
		Args:      exactArgs(1, "suite, profile or result"),
		RunE: func(_ *cobra.Command, args []string) error {
			schema, ok := schemas[args[0]]
			if !ok {
				return usageError("known: suite, profile, result", "there is no schema of %q", args[0])
			}
			_, err := a.Stdout.Write(schema())
			return err
		},
	}
}

// suiteSchema is the schema of a suite with the parameters of every load model.
func suiteSchema() []byte {
	models := map[string]any{}
	for _, m := range load.Kinds() {
		models[m.Name] = m.Params
	}
	return suites.Schema(models)
}
