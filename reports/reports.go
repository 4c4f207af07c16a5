// Package reports renders a result: one format a file, all from the same data.
// A report only reads. It cannot reach the network by construction (of this
// module it imports the result and the histogram, and never net), and the same
// result gives the same bytes.
package reports

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"cutover/harness/result"
)

// Options is what a report cannot read from the result.
type Options struct {
	Color      bool     // ANSI colours; only for a terminal that wants them
	Width      int      // columns of the terminal; 0 means 100
	RunDir     string   // the run folder as a user would type it; "" when there is none
	ReportPath string   // where the HTML report lies; "" when there is none
	Commands   []string // names of the commands there are, for what is offered next; nil means the first few
	SuiteFile  string   // the suite as seen from the repository's root, for SARIF and annotations; "" takes the result's
}

// Format is one way to write a result.
type Format struct {
	Name  string // as in --format
	File  string // its name in a run folder; "" for a format that only goes to stdout
	About string // one line for `cutover list formats`
	Write func(w io.Writer, r *result.Result, o Options) error
}

// ErrUnknown says that there is no format of that name.
var ErrUnknown = errors.New("unknown format")

// Formats lists every format, the default ones first.
func Formats() []Format {
	return []Format{
		{"text", "report.txt", "the first minute: what was done, felt, noticed; the verdict", writeText},
		{"json", "result.json", "the whole result, versioned: cutover.result/v1", writeJSON},
		{"html", "report.html", "one offline page with charts, tables and findings", writeHTML},
		{"junit", "junit.xml", "test cases for Jenkins, Azure DevOps, GitLab", writeJUnit},
		{"readiness", "readiness.html", "one page for the change board: go or no-go per workload", writeReadiness},
		{"readiness-md", "readiness.md", "the same page as Markdown", writeReadinessMarkdown},
		{"markdown", "summary.md", "summary for a pull request or a pipeline", writeMarkdown},
		{"csv", "steps.csv", "a line an operation and path, for spreadsheets", writeCSV},
		{"sarif", "result.sarif", "SARIF 2.1.0: differences at the suite's lines", writeSARIF},
		{"openmetrics", "metrics.prom", "the run as metrics, for a textfile collector", writeOpenMetrics},
		{"hgrm", "latency.hgrm", "percentile distributions for HDR plotters", writeHGRM},
		{"hlog", "latency.hlog", "the time series as an HdrHistogram log, V2", writeHLog},
		{"card", "card.json", "an Adaptive Card for a webhook of Teams: verdict, reasons, the worst differences", writeCard},
		{"nagios", "", "the line of a monitoring plugin, with performance data", writeNagios},
		{"github", "", "workflow commands for stdout of GitHub Actions", writeGitHub},
		{"azure", "", "logging commands for stdout of Azure DevOps", writeAzure},
	}
}

// Lookup finds a format by name. The error names the formats there are.
func Lookup(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("%w %q (there are %s)", ErrUnknown, name, strings.Join(names, ", "))
}

// writeJSON writes result.json as it stands in the run folder.
func writeJSON(w io.Writer, r *result.Result, _ Options) error {
	data, err := result.Encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
