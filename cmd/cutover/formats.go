package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"cutover/harness/result"
	"cutover/reports"
)

// writeFormat writes one report of a run: into the folder when the format has
// a file there and is not the text, to stdout otherwise.
func (s *session) writeFormat(r *result.Result, name string) error {
	format, err := reports.Lookup(name)
	if err != nil {
		return err
	}
	o := s.app.reportOptions(s.app.Stdout, r.SuiteFile)
	o.RunDir, o.ReportPath = s.folder.Dir(), s.folder.Path("report.html")
	if name == "text" || format.File == "" {
		if s.options.quiet && name == "text" {
			return nil
		}
		return s.app.written(s.app.Stdout, format, r, o)
	}
	o.Color = false
	return wholeFile(s.folder.Path(format.File), func(w io.Writer) error { return s.app.written(w, format, r, o) })
}

// written writes a report without any secret that is known.
func (a *App) written(w io.Writer, format reports.Format, r *result.Result, o reports.Options) error {
	safe := a.secrets.Writer(w)
	return errors.Join(format.Write(safe, r, o), safe.Close())
}

// reportOptions is what a report on w cannot read from the result.
func (a *App) reportOptions(w io.Writer, suiteFile string) reports.Options {
	return reports.Options{
		Width: a.width(w), Color: a.terminal(w) && a.Env("NO_COLOR") == "", Commands: commandNames(a.commands()), SuiteFile: suiteFile,
	}
}

func commandNames(commands []*cobra.Command) []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name())
	}
	return names
}

// tellCI annotates the build of a service that --ci names, or that the
// environment shows: GitHub Actions and Azure DevOps.
func (s *session) tellCI(r *result.Result) error {
	service := s.options.ci
	if service == "auto" {
		service = s.app.ciService()
	}
	switch service {
	case "github":
		if file := s.app.Env("GITHUB_STEP_SUMMARY"); file != "" {
			if err := s.appendSummary(r, file); err != nil {
				return err
			}
		}
		return s.writeFormat(r, "github")
	case "azure":
		return s.writeFormat(r, "azure")
	}
	return nil
}

func (a *App) ciService() string {
	switch {
	case a.Env("GITHUB_ACTIONS") == "true":
		return "github"
	case a.Env("TF_BUILD") != "":
		return "azure"
	}
	return "none"
}

func (s *session) appendSummary(r *result.Result, file string) (err error) {
	format, err := reports.Lookup("markdown")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return s.app.written(f, format, r, s.app.reportOptions(f, r.SuiteFile))
}
