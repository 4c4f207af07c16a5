package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cutover/harness/lab/onprem"
)

// maxNodes bounds the servers of the array.
const maxNodes = 64

// nodesOf reads the servers of the array: NAME:BUILD with commas between them, as
// EX01:15.1.2507.6,EX13:15.0.1497.48. A server has the REST directory from
// Exchange 2016 CU3 (15.1.544.27) on; "-api" behind the build takes it away.
func nodesOf(text string) ([]onprem.Node, error) {
	var out []onprem.Node
	for part := range strings.SplitSeq(text, ",") {
		name, build, ok := strings.Cut(strings.TrimSpace(part), ":")
		build, without := strings.CutSuffix(build, "-api")
		version, err := versionOf(build)
		if !ok || name == "" || len(name) > 15 || err != nil || len(out) == maxNodes {
			return nil, fmt.Errorf("want up to %d servers as EX01:15.1.2507.6, with commas between them (-api behind a build: without the REST directory)", maxNodes)
		}
		api := !without && (version[1] > 1 || version[1] == 1 && version[2] >= 544)
		out = append(out, onprem.Node{Name: name, Build: build, API: api})
	}
	return out, nil
}

// versionOf reads the four numbers of a build of Exchange 2013 to SE.
func versionOf(build string) (v [4]int, err error) {
	parts := strings.Split(build, ".")
	if len(parts) != len(v) {
		return v, strconv.ErrSyntax
	}
	for i, p := range parts {
		if v[i], err = strconv.Atoi(p); err != nil || v[i] < 0 {
			return v, strconv.ErrSyntax
		}
	}
	if v[0] != 15 || v[1] > 2 {
		return v, strconv.ErrRange
	}
	return v, nil
}

// eraOf reads the year whose shapes Graph of today has.
func eraOf(text string) (int, error) {
	year, err := strconv.Atoi(text)
	if err != nil || year < 2016 || year > 2026 {
		return 0, fmt.Errorf("want a year from 2016 to 2026")
	}
	return year, nil
}

// writePlanted lays the list of what is on beside the certificate authority, for
// tests that count what a comparison finds. Nothing that compares may read it.
func (l *Lab) writePlanted(dir string) error {
	if dir == "" {
		return nil
	}
	raw, err := json.MarshalIndent(l.Planted(), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "planted.json"), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	return nil
}
