package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFileLines     = 450
	maxFunctionLines = 80
)

func TestNoFileAndNoFunctionOutgrowsAReader(t *testing.T) {
	eachGoFile(t, func(path string, file *ast.File, set *token.FileSet, source string) {
		if n := strings.Count(source, "\n"); n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", path, n, maxFileLines)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line
			if lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, more than %d", set.Position(fn.Pos()), fn.Name.Name, lines, maxFunctionLines)
			}
			if fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s: init functions hide order; use a table or a constructor", set.Position(fn.Pos()))
			}
		}
	})
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	eachGoFile(t, func(path string, file *ast.File, set *token.FileSet, _ string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", set.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					ts, ok := spec.(*ast.TypeSpec)
					if ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s: type %s has no comment", set.Position(ts.Pos()), ts.Name.Name)
					}
				}
			}
		}
	})
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|HACK|XXX)\b`)

func TestNoUnfinishedBusinessAndNoWallClockOutsideItsRoom(t *testing.T) {
	eachGoFile(t, func(path string, file *ast.File, set *token.FileSet, _ string) {
		for _, group := range file.Comments {
			if unfinished.MatchString(group.Text()) {
				t.Errorf("%s: unfinished business in a comment", set.Position(group.Pos()))
			}
		}
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, filepath.Join("..", "harness", "clock")) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Name != "time" || pkg.Obj != nil {
				return true
			}
			switch sel.Sel.Name {
			case "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker":
				t.Errorf("%s: time.%s outside harness/clock", set.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	})
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}

func eachGoFile(t *testing.T, visit func(path string, file *ast.File, set *token.FileSet, source string)) {
	t.Helper()
	seen := 0
	for _, root := range []string{"../cmd", "../harness", "../suites", "../profiles", "../reports"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, source, parser.ParseComments)
			if err != nil {
				return err
			}
			seen++
			visit(path, file, set, string(source))
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", root, err)
		}
	}
	if seen < 10 {
		t.Fatalf("only %d Go files were read: nothing was checked", seen)
	}
}
