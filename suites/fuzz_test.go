package suites_test

import (
	"os"
	"path/filepath"
	"testing"

	"cutover/suites"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"builtin/*.yaml", "testdata/good/*.yaml", "testdata/bad/*.yaml"} {
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
		s, problems := suites.Read("testdata/good/f.yaml", data)
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Col < 1 || p.Msg == "" {
				t.Errorf("a problem without a place or words: %+v", p)
			}
		}
		if s == nil || len(problems) > 0 {
			return
		}
		if s.Hash() == "" || len(s.Load) == 0 {
			t.Errorf("a suite without a hash or load: %+v", s)
		}
		for i := range s.Scenarios {
			for j := range s.Scenarios[i].Steps {
				step := &s.Scenarios[i].Steps[j]
				if a := step.Asked("right", "right"); a.Operation.Method == "" && len(step.Batch) == 0 {
					t.Errorf("%s/%s asks nothing", s.Scenarios[i].Name, step.Name)
				}
			}
		}
	})
}
