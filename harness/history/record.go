package history

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cutover/harness/result"
)

// Run is one recorded run, without its numbers.
type Run struct {
	RunID       string            `json:"run_id"`
	Dir         string            `json:"dir"` // of the run folder, absolute
	Started     time.Time         `json:"started"`
	Ended       time.Time         `json:"ended"`
	Suite       string            `json:"suite"`
	SuiteHash   string            `json:"suite_hash"`
	Profile     string            `json:"profile"`
	ProfileHash string            `json:"profile_hash"`
	PlanHash    string            `json:"plan_hash"`
	Series      string            `json:"series"` // runs of one series asked the same and are compared
	Target      string            `json:"target"`
	Seed        uint64            `json:"seed"`
	Mailboxes   int               `json:"mailboxes"`
	Verdict     result.Verdict    `json:"verdict"`
	ExitCode    int               `json:"exit_code"`
	Counts      bool              `json:"counts"` // its times count: the ruler held and nothing stopped it
	Reasons     []string          `json:"reasons"`
	Versions    result.Versions   `json:"versions"`
	Paths       []result.PathInfo `json:"paths"`
	Mark        string            `json:"mark,omitempty"`
	Note        string            `json:"note,omitempty"`

	n int64
}

// Metric is one row of a run: a step on a path. A quantile is nil where too few samples
// stand behind it.
type Metric struct {
	Scenario  string   `json:"scenario"`
	Step      string   `json:"step"`
	Path      string   `json:"path"`
	Side      string   `json:"side"`
	Count     uint64   `json:"count"`
	Failed    uint64   `json:"failed"`
	Throttled uint64   `json:"throttled"`
	P50       *float64 `json:"p50_ms"`
	P95       *float64 `json:"p95_ms"`
	P99       *float64 `json:"p99_ms"`
}

// Seen is a finding that a run showed.
type Seen struct {
	Fingerprint string          `json:"fingerprint"`
	ID          string          `json:"id"`
	Severity    result.Severity `json:"severity"`
	Class       result.Class    `json:"class"`
	Scenario    string          `json:"scenario"`
	Step        string          `json:"step"`
	Pointer     string          `json:"pointer"`
	Count       uint64          `json:"count"`
	Share       float64         `json:"share"`
	Waived      bool            `json:"waived"`
}

// SeriesOf names what a run asked, from where and of whom: runs with the same name can be
// held against each other. Dates that the plan counts from are no part of it, else no two
// nights would be alike.
func SeriesOf(r *result.Result) string {
	h := sha256.New()
	line := func(format string, args ...any) { fmt.Fprintf(h, format+"\n", args...) }
	line("series 1 %s %s %d %d", r.SuiteHash, r.ProfileHash, r.Seed, r.Mailboxes)
	for _, p := range r.Paths {
		line("path %q %q %q", p.Name, p.Side, p.Dialect)
	}
	for _, p := range r.Phases {
		line("phase %q %q %t %d", p.Name, p.Model, p.Measured, p.Planned)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Record enters a run, with dir as its folder. Recording it again replaces what was known
// of it, but for a mark.
func (h *History) Record(r *result.Result, dir string) error {
	mark, err := readMark(dir, r.RunID)
	if err != nil {
		return h.named(err)
	}
	run, err := runOf(r)
	if err != nil {
		return h.named(err)
	}
	return h.named(h.write(func(tx *sql.Tx) error { return insert(tx, run, r, h.relative(dir), mark) }))
}

// row is a run as the table holds it.
type row struct {
	Run
	reasons, versions, paths []byte
}

func runOf(r *result.Result) (row, error) {
	out := row{Run: Run{
		RunID: r.RunID, Started: r.Started.UTC(), Ended: r.Ended.UTC(), Suite: r.Suite, SuiteHash: r.SuiteHash,
		Profile: r.Profile, ProfileHash: r.ProfileHash, PlanHash: r.PlanHash, Series: SeriesOf(r), Target: r.Target,
		Seed: r.Seed, Mailboxes: r.Mailboxes, Verdict: r.Verdict, ExitCode: r.ExitCode,
		Counts: len(r.Generator.Bent) == 0 && r.Stop == nil,
	}}
	var errs [3]error
	out.reasons, errs[0] = json.Marshal(r.Reasons)
	out.versions, errs[1] = json.Marshal(r.Versions)
	out.paths, errs[2] = json.Marshal(r.Paths)
	return out, errors.Join(errs[:]...)
}

func insert(tx *sql.Tx, run row, r *result.Result, dir string, m mark) error {
	if m.Mark == "" && m.Note == "" {
		// The folder may be read-only and its mark known here alone.
		err := tx.QueryRow("SELECT mark, note FROM runs WHERE run_id = ? AND dir = ?", run.RunID, dir).Scan(&m.Mark, &m.Note)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if _, err := tx.Exec("DELETE FROM runs WHERE run_id = ? AND dir = ?", run.RunID, dir); err != nil {
		return err
	}
	done, err := tx.Exec(`INSERT INTO runs (run_id, dir, started, ended, suite, suite_hash, profile, profile_hash, plan_hash, series, target,
		seed, mailboxes, verdict, exit_code, counts, reasons, versions, paths, mark, note) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		run.RunID, dir, run.Started.UnixNano(), run.Ended.UnixNano(), run.Suite, run.SuiteHash, run.Profile, run.ProfileHash, run.PlanHash, run.Series, run.Target,
		strconv.FormatUint(run.Seed, 10), run.Mailboxes, string(run.Verdict), run.ExitCode, run.Counts, string(run.reasons), string(run.versions), string(run.paths), m.Mark, m.Note)
	if err != nil {
		return err
	}
	n, err := done.LastInsertId()
	if err != nil {
		return err
	}
	for _, s := range r.Steps {
		if _, err := tx.Exec("INSERT OR REPLACE INTO metrics VALUES (?,?,?,?,?,?,?,?,?,?,?)", n, s.Scenario, s.Step, s.Path, s.Side,
			int64(s.Count), int64(s.Failed()), int64(s.Outcomes[result.OutcomeThrottled]), s.Response.P50, s.Response.P95, s.Response.P99); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if _, err := tx.Exec("INSERT OR REPLACE INTO findings VALUES (?,?,?,?,?,?,?,?,?,?,?)", n, f.Fingerprint, f.ID, string(f.Severity), string(f.Class),
			f.Scenario, f.Step, f.Pointer, int64(f.Count), f.Share, f.Waived); err != nil {
			return err
		}
	}
	return nil
}

// relative names a run folder as seen from the history's own folder, or absolutely where
// it lies on another drive.
func (h *History) relative(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(dir)
	}
	if rel, err := filepath.Rel(filepath.Dir(h.file), absolute); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(absolute)
}

// absolute undoes relative.
func (h *History) absolute(dir string) string {
	name := filepath.FromSlash(dir)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(h.file), name)
}

// Filter chooses runs. Zero fields choose all.
type Filter struct {
	Suite, Profile, Series, Mark string
	Verdict                      result.Verdict
	Since, Before                time.Time // started at or after, and before
	Last                         int       // only so many, the newest
}

// List returns the runs that fit, the oldest first.
func (h *History) List(f Filter) ([]Run, error) {
	var where []string
	var args []any
	add := func(on bool, clause string, arg any) {
		if on {
			where, args = append(where, clause), append(args, arg)
		}
	}
	add(f.Suite != "", "suite = ?", f.Suite)
	add(f.Profile != "", "profile = ?", f.Profile)
	add(f.Series != "", "series = ?", f.Series)
	add(f.Mark != "", "mark = ?", f.Mark)
	add(f.Verdict != "", "verdict = ?", string(f.Verdict))
	add(!f.Since.IsZero(), "started >= ?", f.Since.UnixNano())
	add(!f.Before.IsZero(), "started < ?", f.Before.UnixNano())
	query := "SELECT n, run_id, dir, started, ended, suite, suite_hash, profile, profile_hash, plan_hash, series, target, seed, mailboxes, verdict, exit_code, counts, reasons, versions, paths, mark, note FROM runs"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY started DESC, n DESC"
	if f.Last > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Last)
	}
	rows, err := h.db.Query(query, args...)
	if err != nil {
		return nil, h.named(err)
	}
	defer rows.Close()
	var out []Run
	for rows.Next() {
		run, err := h.scan(rows)
		if err != nil {
			return nil, h.named(err)
		}
		out = append(out, run)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, h.named(rows.Err())
}

func (h *History) scan(rows *sql.Rows) (Run, error) {
	var r Run
	var started, ended int64
	var dir, seed, verdict, reasons, versions, paths string
	err := rows.Scan(&r.n, &r.RunID, &dir, &started, &ended, &r.Suite, &r.SuiteHash, &r.Profile, &r.ProfileHash, &r.PlanHash, &r.Series, &r.Target,
		&seed, &r.Mailboxes, &verdict, &r.ExitCode, &r.Counts, &reasons, &versions, &paths, &r.Mark, &r.Note)
	if err != nil {
		return r, err
	}
	r.Dir, r.Verdict = h.absolute(dir), result.Verdict(verdict)
	r.Started, r.Ended = time.Unix(0, started).UTC(), time.Unix(0, ended).UTC()
	r.Seed, err = strconv.ParseUint(seed, 10, 64)
	return r, errors.Join(err, json.Unmarshal([]byte(reasons), &r.Reasons), json.Unmarshal([]byte(versions), &r.Versions), json.Unmarshal([]byte(paths), &r.Paths))
}

// Find returns the newest run of that id, or of that folder.
func (h *History) Find(idOrDir string) (Run, error) {
	runs, err := h.List(Filter{})
	if err != nil {
		return Run{}, err
	}
	dir := h.absolute(h.relative(idOrDir))
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].RunID == idOrDir || runs[i].Dir == dir {
			return runs[i], nil
		}
	}
	return Run{}, fmt.Errorf("%s: %w", idOrDir, ErrNoRun)
}

// Metrics returns the rows of a run, by scenario, step and path.
func (h *History) Metrics(r Run) ([]Metric, error) {
	rows, err := h.db.Query("SELECT scenario, step, path, side, count, failed, throttled, p50, p95, p99 FROM metrics WHERE n = ? ORDER BY scenario, step, path", r.n)
	if err != nil {
		return nil, h.named(err)
	}
	defer rows.Close()
	out := []Metric{}
	for rows.Next() {
		var m Metric
		if err := rows.Scan(&m.Scenario, &m.Step, &m.Path, &m.Side, &m.Count, &m.Failed, &m.Throttled, &m.P50, &m.P95, &m.P99); err != nil {
			return nil, h.named(err)
		}
		out = append(out, m)
	}
	return out, h.named(rows.Err())
}

// Findings returns what a run showed, by fingerprint.
func (h *History) Findings(r Run) ([]Seen, error) {
	rows, err := h.db.Query("SELECT fingerprint, id, severity, class, scenario, step, pointer, count, share, waived FROM findings WHERE n = ? ORDER BY fingerprint", r.n)
	if err != nil {
		return nil, h.named(err)
	}
	defer rows.Close()
	out := []Seen{}
	for rows.Next() {
		var s Seen
		if err := rows.Scan(&s.Fingerprint, &s.ID, &s.Severity, &s.Class, &s.Scenario, &s.Step, &s.Pointer, &s.Count, &s.Share, &s.Waived); err != nil {
			return nil, h.named(err)
		}
		out = append(out, s)
	}
	return out, h.named(rows.Err())
}
