// Package harness_test holds the house rules as tests: which package may import
// which, and how large a file or a function may grow. docs/architecture.md
// draws the same picture in words.
package harness_test

import (
	"os"
	"os/exec"
	"sort"
	"strings"
	"testing"
)

const module = "cutover"

// floors lists every package of the module with its floor. A package imports
// only packages of lower floors; one that is not listed fails the test, so that
// adding a package is a decision. The lab has floors of its own below the same
// roof: labFence keeps it apart.
var floors = map[string]int{
	"cmd/cutover": 6,

	"harness/run":     5,
	"harness/doctor":  5,
	"harness/clean":   5,
	"harness/fixture": 5,

	"harness/plan":  4,
	"harness/where": 4,

	"harness/guard":   3,
	"harness/history": 3,
	"harness/paths":   3,
	"harness/record":  3,
	"harness/lab":     3,

	"harness/audit":            2,
	"harness/compare":          2,
	"harness/auth":             2,
	"harness/calibrate":        2,
	"harness/conform":          2,
	"harness/consent":          2,
	"harness/expect":           2,
	"harness/gate":             2,
	"harness/lab/autodiscover": 2,
	"harness/lab/graph":        2,
	"harness/lab/onprem":       2,
	"harness/lab/sts":          2,
	"harness/load":             2,
	"harness/paths/graph":      2,
	"harness/paths/plain":      2,
	"harness/paths/rest":       2,
	"harness/runfolder":        2,
	"harness/token":            2,
	"reports":                  2,

	"harness/client":        1,
	"harness/health":        1,
	"harness/journal":       1,
	"harness/lab/faults":    1,
	"harness/lab/keepalive": 1,
	"harness/lab/store":     1,
	"harness/lab/token":     1,
	"harness/lane":          1,
	"harness/request":       1,
	"harness/result":        1,
	"harness/shift":         1,
	"profiles":              1,
	"suites":                1,

	"harness":            0,
	"harness/canon":      0,
	"harness/clock":      0,
	"harness/hist":       0,
	"harness/lab/odata":  0,
	"harness/lab/prose":  0,
	"harness/lab/quirks": 0,
	"harness/lab/recur":  0,
	"harness/lab/zone":   0,
	"harness/redact":     0,
	"harness/vars":       0,
	"harness/wire":       0,
	"suites/strictyaml":  0,
}

// sameFloor lists the imports on one floor that are allowed, each with its reason.
var sameFloor = map[[2]string]string{}

func TestEveryPackageHasAFloorAndImportsPointDown(t *testing.T) {
	for pkg, imports := range ownImports(t) {
		floor, listed := floors[pkg]
		if !listed {
			t.Errorf("%s is on no floor: add it to the table in this file and to docs/architecture.md", pkg)
			continue
		}
		for _, dep := range imports {
			below, ok := floors[dep]
			if !ok || sameFloor[[2]string{pkg, dep}] != "" {
				continue
			}
			if below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down only", pkg, floor, dep, below)
			}
		}
	}
}

func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range floors {
		name := pkg[strings.LastIndex(pkg, "/")+1:]
		if pkg != "harness" && !strings.Contains(string(page), name) {
			t.Errorf("docs/architecture.md does not name %s", pkg)
		}
	}
}

func TestReportsReachNothingButResultsAndHistograms(t *testing.T) {
	for pkg, imports := range ownImports(t) {
		if pkg != "reports" && !strings.HasPrefix(pkg, "reports/") {
			continue
		}
		for _, dep := range imports {
			switch {
			case dep == "harness/result", dep == "harness/hist", strings.HasPrefix(dep, "reports/"):
			default:
				t.Errorf("%s imports %s: a report reads results only", pkg, dep)
			}
		}
	}
	for pkg, imports := range allImports(t) {
		if pkg != "reports" && !strings.HasPrefix(pkg, "reports/") {
			continue
		}
		for _, dep := range imports {
			if dep == "net" || strings.HasPrefix(dep, "net/http") {
				t.Errorf("%s imports %s: a report cannot reach the network", pkg, dep)
			}
		}
	}
}

func TestTheLabSharesNoCodeWithTheClient(t *testing.T) {
	for pkg, imports := range ownImports(t) {
		if pkg != "harness/lab" && !strings.HasPrefix(pkg, "harness/lab/") {
			continue
		}
		for _, dep := range imports {
			if dep != "harness/clock" && !strings.HasPrefix(dep, "harness/lab/") {
				t.Errorf("%s imports %s: simulator and client would share one misunderstanding", pkg, dep)
			}
		}
	}
}

func TestOnlyTheGuardImportsTheClient(t *testing.T) {
	for pkg, imports := range ownImports(t) {
		for _, dep := range imports {
			if dep == "harness/client" && pkg != "harness/guard" {
				t.Errorf("%s imports %s: the guard's door is the only way to the network", pkg, dep)
			}
		}
	}
}

func TestOneImporterForTheYAMLLibrary(t *testing.T) {
	for pkg, imports := range allImports(t) {
		for _, dep := range imports {
			if dep == "gopkg.in/yaml.v3" && pkg != "suites/strictyaml" {
				t.Errorf("%s imports %s: suites/strictyaml is its only importer", pkg, dep)
			}
		}
	}
}

// ownImports returns the imports of the module's own packages, both sides
// without the module's prefix, test files left out.
func ownImports(t *testing.T) map[string][]string {
	t.Helper()
	own := map[string][]string{}
	for pkg, imports := range allImports(t) {
		var kept []string
		for _, dep := range imports {
			if rest, ok := strings.CutPrefix(dep, module+"/"); ok {
				kept = append(kept, rest)
			}
		}
		sort.Strings(kept)
		own[pkg] = kept
	}
	return own
}

func allImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[strings.TrimPrefix(fields[0], module+"/")] = fields[1:]
	}
	if len(all) < 10 {
		t.Fatalf("go list named %d packages: the table was not checked", len(all))
	}
	return all
}
