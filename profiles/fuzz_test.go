package profiles_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"builtin/*.yaml", "examples/*.yaml", "testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := profiles.Parse("testdata/good/f.yaml", data)
		var problems strictyaml.Problems
		if errors.As(err, &problems) {
			for _, one := range problems {
				if one.Pos.Line < 1 || one.Pos.Col < 1 || one.Msg == "" {
					t.Errorf("a problem without a place or words: %+v", one)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Left == "" || p.Mailboxes.Lab == 0 && len(p.Mailboxes.List) == 0 {
			t.Errorf("a profile without a path or mailboxes: %+v", p)
		}
		if _, err := p.Bind(endpoints(1)); err != nil && !errors.As(err, &problems) {
			t.Errorf("Bind: %v", err)
		}
	})
}
