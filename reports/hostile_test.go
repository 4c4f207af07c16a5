package reports_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"cutover/harness/result"
	"cutover/reports"
)

// poison is what a server could put into any string of a result.
const poison = "</script></style></pre>\"'><img src=x onerror=alert(1)><script>alert(2)</script>\x1b[31m\x00\r\n\u202egnp.exe ]]> &amp; =cmd|'/c calc'!A1 `${alert(3)}` javascript:alert(4) ::error::x %0A ##vso[task.complete]"

// poisoned is the failing fixture with poison in every string that a target,
// a file or a user could have supplied.
func poisoned() *result.Result {
	r := failing()
	r.Findings[3].Kind = "order"
	verdicts := map[reflect.Type]bool{}
	for _, v := range []any{result.Pass, result.Major, result.Breaking, result.StopKilled, result.MeasureCount} {
		verdicts[reflect.TypeOf(v)] = true
	}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.String:
			if keep := v.String(); v.CanSet() && !verdicts[v.Type()] && keep != result.Left && keep != result.Right && keep != result.WholeLeg && keep != result.Real {
				v.SetString(keep + poison)
			}
		}
	}
	series := r.Series
	r.Series = nil
	walk(reflect.ValueOf(r))
	for name, n := range r.Steps[0].Outcomes {
		r.Steps[0].Outcomes[name+poison] = n
	}
	r.DropReasons[poison], r.Comparison.Skipped[poison], r.Traffic[poison] = 1, 1, result.Traffic{Steps: 1}
	r.Series = series
	return r
}

func TestHostileStringsStayText(t *testing.T) {
	r := poisoned()
	for _, f := range reports.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			out := string(render(t, f.Name, r, inFolder))
			switch filepath.Ext(f.File) {
			case ".html":
				for _, bad := range []string{"<img", "<script>alert", "</script></style>"} {
					if strings.Contains(out, bad) {
						t.Errorf("%s got into the page as markup", bad)
					}
				}
			case ".txt":
				for _, c := range out {
					if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
						t.Fatalf("control character %U reaches the terminal", c)
					}
				}
			case ".json", ".sarif":
				if !json.Valid([]byte(out)) {
					t.Error("not JSON")
				}
			case ".xml":
				if err := xml.Unmarshal([]byte(out), new(struct{ XMLName xml.Name })); err != nil {
					t.Errorf("not XML: %v", err)
				}
			}
		})
	}
}

func TestHostileStringsDoNothingInChromium(t *testing.T) {
	ctx := browser(t)
	for _, f := range reports.Formats() {
		if filepath.Ext(f.File) != ".html" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report.html")
			if err := os.WriteFile(file, render(t, f.Name, poisoned(), inFolder), 0o644); err != nil {
				t.Fatal(err)
			}
			tab, w := open(t, ctx, file, 390, "light")
			screen(t, tab, "hostile-"+f.Name)
			if n := evaluate[int64](t, tab, `document.querySelectorAll("img, iframe, object, body script:not(#data)").length`); n > 1 {
				t.Errorf("%d foreign elements in the page", n-1)
			}
			if over := evaluate[int64](t, tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				t.Errorf("long strings make the page %d pixels wider than the screen", over)
			}
			w.report(t)
		})
	}
}

// holes calls visit once for every number, list and part in r, with that
// value missing.
func holes(r *result.Result, visit func(where string)) {
	var walk func(where string, v reflect.Value)
	walk = func(where string, v reflect.Value) {
		if v.CanSet() && !v.IsZero() && v.Kind() != reflect.String {
			kept := reflect.New(v.Type()).Elem()
			kept.Set(v)
			v.SetZero()
			visit(where)
			v.Set(kept)
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(where, v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(where+"."+v.Type().Field(i).Name, v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range min(1, v.Len()) {
				walk(where+"[]", v.Index(i))
			}
		}
	}
	walk("Result", reflect.ValueOf(r).Elem())
}

func TestNoFormatNeedsAnyField(t *testing.T) {
	r := failing()
	r.Series = r.Series[8:12]
	holes(r, func(where string) {
		for _, f := range reports.Formats() {
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s without %s: %v", f.Name, where, p)
					}
				}()
				if err := f.Write(io.Discard, r, inFolder); err != nil {
					t.Errorf("%s without %s: %v", f.Name, where, err)
				}
			}()
		}
	})
}
