package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/conform"
	"cutover/harness/result"
)

// sixVolatile are six properties that the lab answers differently every time: two on each side and two on both.
const sixVolatile = "lab.volatile=onprem:jobTitle,onprem:department,cloud:officeLocation,cloud:profession,both:companyName,both:assistantName"

const contactsSuite = `suite: people
scenarios:
  - name: contacts
    steps: [{name: list, get: /me/contacts, query: {$top: 5}}]
load: [{constant: {rate: 40/s, for: 1s}}]
`

// people runs the contacts suite on the lab.
func people(t *testing.T, dir, volatile string, args ...string) (*result.Result, string) {
	t.Helper()
	suite, out := filepath.Join(dir, "people.yaml"), t.TempDir()
	if err := os.WriteFile(suite, []byte(contactsSuite), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, errs := cutover(t.Context(), nil, clock.System(), append([]string{"run", suite, "--no-progress", "--format", "json", "--out", filepath.Join(out, "run"),
		"--set", volatile, "--set", "lab.mailboxes=8", "--set", "lab.latency.onprem=none", "--set", "lab.latency.cloud=none"}, args...)...)
	data, err := os.ReadFile(filepath.Join(out, "run", "result.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	r, err := result.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return r, errs
}

// breaking lists the findings that break an application.
func breaking(r *result.Result) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Class == result.Breaking {
			out = append(out, f.ID+" "+f.Pointer)
		}
	}
	slices.Sort(out)
	return out
}

func TestSixVolatilePropertiesAreLearnedAndARealDifferenceAtOneOfThemIsFound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "noise.yaml")
	people(t, dir, sixVolatile, "--learn-noise", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	learned, err := conform.ParseNoise(file, data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range learned.Noise {
		got = append(got, fmt.Sprintf("%s %s, %d repeated, left %t, right %t, differed %d", one.Pointer, one.Kind, one.Repeated, one.Left > 30, one.Right > 30, one.Differed))
	}
	want := []string{
		"/value/*/assistantName volatile-both, 40 repeated, left true, right true, differed 0",
		"/value/*/companyName volatile-both, 40 repeated, left true, right true, differed 0",
		"/value/*/department volatile-left, 40 repeated, left true, right false, differed 0",
		"/value/*/jobTitle volatile-left, 40 repeated, left true, right false, differed 0",
		"/value/*/officeLocation volatile-right, 40 repeated, left false, right true, differed 0",
		"/value/*/profession volatile-right, 40 repeated, left false, right true, differed 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("learned (-want +got)\n%s", diff)
	}

	// A later run that asks nothing twice believes the file.
	known, _ := people(t, dir, sixVolatile, "--noise", file)
	unknown, _ := people(t, dir, sixVolatile)
	if slices.ContainsFunc(breaking(known), func(s string) bool { return strings.HasPrefix(s, "value.") }) || len(breaking(unknown)) < 6 {
		t.Errorf("with the file %q, without it %q", breaking(known), breaking(unknown))
	}

	// The cloud now says something else at one of the six, and always the same: asking twice tells it from noise.
	steady := strings.Replace(sixVolatile, "both:companyName", "cloud:companyName=steady", 1)
	real, _ := people(t, dir, steady, "--noise", file, "--learn-noise", file)
	values := slices.DeleteFunc(breaking(real), func(s string) bool { return !strings.HasPrefix(s, "value.") })
	if diff := cmp.Diff([]string{"value.string /value/*/companyName"}, values); diff != "" {
		t.Errorf("differences of values (-want +got)\n%s", diff)
	}
	data, err = os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "companyName\",\n     kind: stable-diff") {
		t.Errorf("%v, the place is not learned anew:\n%s", err, data)
	}
}

func TestExpiredNoiseIsWarnedOfAndNotUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "noise.yaml")
	text := `noise:
  - {scenario: contacts, step: list, pointer: /value/*/jobTitle, kind: volatile-left, repeated: 40, left: 40, learned: 2020-01-01, expires: 2020-02-01}
  - {scenario: contacts, step: list, pointer: /value/*/department, kind: volatile-left, repeated: 40, left: 40, learned: 2020-01-01, expires: ` + time.Now().Add(48*time.Hour).Format(time.DateOnly) + "}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, errs := people(t, dir, "lab.volatile=onprem:jobTitle,onprem:department", "--noise", file)
	values := slices.DeleteFunc(breaking(r), func(s string) bool { return !strings.HasPrefix(s, "value.") })
	if diff := cmp.Diff([]string{"value.string /value/*/jobTitle"}, values); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	if !strings.Contains(errs, "noise.yaml:2: the noise at contacts/list /value/*/jobTitle was learned on 2020-01-01 and expired on 2020-02-01: it is not used") {
		t.Errorf("stderr: %s", errs)
	}
}
