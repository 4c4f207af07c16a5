package record_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/record"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

var key = []byte("a campaign's secret")

// iteration is one iteration with answers of every sort.
func iteration(n uint64) record.Iteration {
	said := func(body string) record.Said {
		return record.Of(conform.Answer{Status: 200, Body: []byte(body), Size: len(body), Header: wire.Header{{Name: "Allow", Value: "GET"}}})
	}
	again, list := said(`{"value":[]}`), said("veiled #1\r\n")
	return record.Iteration{Number: n, Scenario: "open", Mailbox: "ann", Answers: []record.Answer{
		{Step: "list", Said: said(`{"value":["x","x"],"value":1}`), OK: true, Refs: []record.Ref{{Name: "first", Value: "id(3) #1"}}, Again: &again, List: &list},
		{Step: "lost", Said: record.Of(conform.Answer{Failure: &wire.Failure{Kind: wire.Timeout, Err: errors.New("x")}}), Cut: "more than 20 pages"},
	}}
}

func header() record.Header {
	return record.Header{Suite: "smoke", Questions: "q", Seed: 7, Side: "left", Path: "onprem", Dialect: *canon.Rest("v2.0"), RunID: "r"}
}

// write makes a record of three iterations; end is "-" to leave it without an end.
func write(t *testing.T, end string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "before.cut")
	w, err := record.Create(name, header(), key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		if err := w.Keep(iteration(n)); err != nil {
			t.Fatal(err)
		}
	}
	if end == "-" {
		return name + ".partial"
	}
	if err := w.Close(end); err != nil {
		t.Fatal(err)
	}
	return name
}

// answers are the bodies of an iteration, in order.
func answers(it record.Iteration) []conform.Answer {
	var out []conform.Answer
	for _, a := range it.Answers {
		out = append(out, a.Said.Answer())
		if a.Again != nil && a.List != nil {
			out = append(out, a.Again.Answer(), a.List.Answer())
		}
	}
	return out
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	name := write(t, "")
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	r, err := record.Open(name, key)
	if err != nil {
		t.Fatal(err)
	}
	want := header()
	want.Schema, want.Key = record.Schema, conform.VeilCheck(key)
	if diff := cmp.Diff(want, r.Header); diff != "" || !r.Complete || r.Len() != 3 {
		t.Errorf("complete %t, %d iterations (-want +got)\n%s", r.Complete, r.Len(), diff)
	}
	got, ok := r.Take(1)
	if diff := cmp.Diff(answers(iteration(1)), answers(got), cmp.Comparer(func(a, b *wire.Failure) bool { return (a == nil) == (b == nil) && (a == nil || a.Kind == b.Kind) })); diff != "" || !ok {
		t.Errorf("found %t (-want +got)\n%s", ok, diff)
	}
	if _, again := r.Take(1); again || len(r.Rest()) != 2 {
		t.Errorf("an iteration is handed out twice: %t; rest %d", again, len(r.Rest()))
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte(`["x","x"]`)); n != 1 {
		t.Errorf("a body that was answered three times stands in the file %d times", n)
	}
}

func TestARecordWithoutItsEndSaysSo(t *testing.T) {
	torn := write(t, "-")
	data, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(torn, data[:len(data)-40], 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted := write(t, "the run was asked to stop")
	for name, want := range map[string][2]any{torn: {"the run that wrote it was killed", 2}, interrupted: {"the run was asked to stop", 3}} {
		r, err := record.Open(name, key)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]any{r.Why, r.Len()}; r.Complete || got != want {
			t.Errorf("%s: complete %t, %v, want %v", name, r.Complete, got, want)
		}
	}
}

func TestARecordThatDoesNotFitIsRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(string) string
		key    string
		want   error
	}{
		{"it was made with another key", func(s string) string { return s }, "another secret", record.ErrKey},
		{"it has another version", func(s string) string { return strings.Replace(s, "record/v1", "record/v9", 1) }, string(key), record.ErrVersion},
		{"it is something else", func(string) string { return "hello\n" }, string(key), record.ErrForeign},
		{"it is empty", func(string) string { return "" }, string(key), record.ErrForeign},
		{"a status was changed", func(s string) string { return strings.Replace(s, `"status":200`, `"status":404`, 1) }, string(key), record.ErrChanged},
		{"a line was torn in the middle", func(s string) string { return strings.Replace(s, `{"iteration"`, `{"itera`, 1) }, string(key), record.ErrChanged},
		{"something follows its end", func(s string) string { return s + "{}\n" }, string(key), record.ErrChanged},
	} {
		name := write(t, "")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(row.damage(string(data))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := record.Open(name, []byte(row.key)); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestNoRecordIsOverwritten(t *testing.T) {
	done, killed := write(t, ""), strings.TrimSuffix(write(t, "-"), ".partial")
	for _, name := range []string{done, killed} {
		if _, err := record.Create(name, header(), key); !errors.Is(err, record.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	name := filepath.Join(t.TempDir(), "nothing.cut")
	w, err := record.Create(name, header(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(name + "*"); len(left) > 0 {
		t.Errorf("a record that was thrown away left %v", left)
	}
}

func FuzzOpen(f *testing.F) {
	name := filepath.Join(f.TempDir(), "seed.cut")
	w, err := record.Create(name, header(), key)
	if err == nil {
		err = errors.Join(w.Keep(iteration(1)), w.Close(""))
	}
	data, readErr := os.ReadFile(name)
	if err := errors.Join(err, readErr); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		if r, err := record.Read(bytes.NewReader(data), key); err == nil {
			for _, it := range r.Rest() {
				answers(record.Iteration{Answers: it.Answers[:min(1, len(it.Answers))]})
			}
		}
	})
}
