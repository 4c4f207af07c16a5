package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"cutover/harness/result"
	"cutover/harness/runfolder"
)

// explainFinding describes the finding of a fingerprint in the latest run below runs/ that has it. False:
// none has.
func (a *App) explainFinding(fingerprint string) bool {
	folders, err := filepath.Glob(filepath.Join("runs", "*"))
	if err != nil || len(fingerprint) != 16 {
		return false
	}
	slices.SortFunc(folders, func(x, y string) int { return cmp.Compare(y, x) }) // their names begin with the time
	for _, dir := range folders {
		if !runfolder.IsRun(dir) {
			continue
		}
		r, err := runfolder.Load(dir)
		if err != nil {
			continue // a run that was killed: an earlier one may know
		}
		for _, f := range r.Findings {
			if f.Fingerprint == fingerprint {
				a.describeFinding(dir, f)
				return true
			}
		}
	}
	return false
}

func (a *App) describeFinding(dir string, f result.Finding) {
	rows := [][2]string{
		{"rule", f.ID + " (`cutover explain " + f.ID + "`)"}, {"class", fmt.Sprintf("%s, %s", f.Class, f.Severity)},
		{"on the left", f.Left}, {"on the right", f.Right}, {"attributed to", f.Attribution},
		{"seen", fmt.Sprintf("%s, %.3g %% of the compared pairs of its step", quantity(int(f.Count), "time", "times"), 100*f.Share)},
		{"under load", f.Pressure}, {"cause", f.Cause}, {"remedy", f.Remedy}, {"run", dir},
	}
	if f.Waiver != nil {
		rows = append(rows, [2]string{"waived", fmt.Sprintf("%s (%s, until %s)", f.Waiver.Reason, f.Waiver.Owner, f.Waiver.Expires.Format("2006-01-02"))})
	}
	if e := f.Example; e != nil {
		rows = append(rows, [2]string{"request ids", e.LeftRequestID + " " + e.RightRequestID})
	}
	if e := f.Evidence; e != nil {
		again := string(e.Resent)
		if e.Because != "" {
			again += ": " + e.Because
		}
		rows = append(rows, [2]string{"asked again", again}, [2]string{"left", e.Left}, [2]string{"right", e.Right})
	}
	place := strings.TrimSpace(f.Scenario + "/" + f.Step + " " + f.Pointer)
	a.describe(fmt.Sprintf("%s (finding at %s)", f.Fingerprint, place), f.Title, rows)
}
