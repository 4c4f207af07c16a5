// Package history remembers runs over nights: an index in one SQLite file over run
// folders, which stay the truth. What is in the index can be read again from them; what
// the index adds is speed, and the memory of runs whose folder is gone.
//
// Rules of the file:
//   - One run is one transaction: a process killed at any instant leaves whole runs.
//   - Write-ahead log, a busy timeout of ten seconds, one connection: two writers take
//     turns. The file must lie on a local disk; SQLite's locks do not hold on shares.
//   - Writes have no context to cancel: a cancelled write can leave the file locked.
//   - Marks (baseline, good, bad) are written into the run folder first, the index second.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"cutover/harness/clock"
)

// version is the layout of the file, kept in its user_version.
const version = 1

// busyMillis is how long one writer waits for another.
const busyMillis = 10_000

// ErrDamaged says that the file is no history, or a damaged one. Rebuild makes a new one
// of the run folders.
var ErrDamaged = errors.New("not a history, or damaged")

// ErrVersion says that the file was written by another version of the program.
var ErrVersion = errors.New("another version's history")

// ErrNoRun says that the history knows no such run.
var ErrNoRun = errors.New("no such run in the history")

// History is an open history. It is safe for concurrent use.
type History struct {
	db   *sql.DB
	file string
}

// tables hold what queries need. A run is known by its id and folder: a folder that is
// written anew each night is a new run each night. Folders are relative to the file where
// that is possible, with slashes, so that both can move together.
const tables = `
CREATE TABLE IF NOT EXISTS runs (
  n INTEGER PRIMARY KEY, run_id TEXT NOT NULL, dir TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
  suite TEXT NOT NULL, suite_hash TEXT NOT NULL, profile TEXT NOT NULL, profile_hash TEXT NOT NULL, plan_hash TEXT NOT NULL,
  series TEXT NOT NULL, target TEXT NOT NULL, seed TEXT NOT NULL, mailboxes INTEGER NOT NULL, verdict TEXT NOT NULL, exit_code INTEGER NOT NULL,
  counts INTEGER NOT NULL, reasons TEXT NOT NULL, versions TEXT NOT NULL, paths TEXT NOT NULL, mark TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  UNIQUE (run_id, dir));
CREATE INDEX IF NOT EXISTS by_series ON runs (series, started);
CREATE TABLE IF NOT EXISTS metrics (
  n INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE, scenario TEXT NOT NULL, step TEXT NOT NULL, path TEXT NOT NULL, side TEXT NOT NULL,
  count INTEGER NOT NULL, failed INTEGER NOT NULL, throttled INTEGER NOT NULL, p50 REAL, p95 REAL, p99 REAL,
  PRIMARY KEY (n, scenario, step, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings (
  n INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE, fingerprint TEXT NOT NULL, id TEXT NOT NULL, severity TEXT NOT NULL, class TEXT NOT NULL,
  scenario TEXT NOT NULL, step TEXT NOT NULL, pointer TEXT NOT NULL, count INTEGER NOT NULL, share REAL NOT NULL, waived INTEGER NOT NULL,
  PRIMARY KEY (n, fingerprint)) WITHOUT ROWID;
`

// Open opens the history in file, and makes one where there is none; its folder is made
// too. The error is ErrDamaged, ErrVersion, or what the system says.
func Open(file string) (*History, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(absolute), 0o755); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	// SQLite would read the message of a folder or of a missing right less well.
	f, err := os.OpenFile(absolute, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	db, err := sql.Open("sqlite", source(absolute))
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	db.SetMaxOpenConns(1)
	h := &History{db: db, file: absolute}
	if err := h.prepareInTurn(); err != nil {
		return nil, errors.Join(h.named(err), db.Close())
	}
	return h, nil
}

// prepareInTurn prepares the file, and again while another process switches it to
// write-ahead logging: SQLite answers busy to that at once, whatever its timeout.
func (h *History) prepareInTurn() error {
	const pause, turns = 50 * time.Millisecond, busyMillis / 50
	wait := clock.System()
	for turn := 1; ; turn++ {
		err := h.prepare()
		var answer *sqlite.Error
		if err == nil || turn == turns || !errors.As(err, &answer) || answer.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		if err := wait.SleepUntil(context.Background(), wait.Now().Add(pause)); err != nil {
			return err
		}
	}
}

// source is the file as SQLite's URI with its settings. Transactions take the write lock
// when they begin: one that read first could not get it any more.
func source(file string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/… as a URI
	}
	u := url.URL{Scheme: "file", Path: path}
	q := url.Values{}
	for _, pragma := range []string{fmt.Sprintf("busy_timeout(%d)", busyMillis), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"} {
		q.Add("_pragma", pragma)
	}
	q.Set("_txlock", "immediate")
	return u.String() + "?" + q.Encode()
}

// prepare makes the tables in a new file, and refuses a file that is not ours.
func (h *History) prepare() error {
	return h.write(func(tx *sql.Tx) error {
		var have, strangers int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch have {
		case version:
			return nil
		case 0:
		default:
			return fmt.Errorf("%w (layout %d, this version reads %d)", ErrVersion, have, version)
		}
		if err := tx.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&strangers); err != nil {
			return err
		}
		if strangers > 0 {
			return ErrDamaged
		}
		if _, err := tx.Exec(tables); err != nil {
			return err
		}
		_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

// Close ends the use of the history.
func (h *History) Close() error {
	if err := h.db.Close(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// File is where the history lies, as an absolute name.
func (h *History) File() string { return h.file }

// write runs one transaction, whole or not at all.
func (h *History) write(do func(*sql.Tx) error) error {
	tx, err := h.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// named says which file an error speaks of, and names damage as such.
func (h *History) named(err error) error {
	if err == nil {
		return nil
	}
	var code *sqlite.Error
	if errors.As(err, &code) {
		switch code.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("history %s: %w: %w", h.file, ErrDamaged, err)
		}
	}
	return fmt.Errorf("history %s: %w", h.file, err)
}

// Check reads the whole file and returns ErrDamaged with what is wrong in it, if anything
// is.
func (h *History) Check() error {
	var says string
	if err := h.db.QueryRow("PRAGMA integrity_check(1)").Scan(&says); err != nil {
		return h.named(err)
	}
	if says != "ok" {
		return h.named(fmt.Errorf("%w: %s", ErrDamaged, says))
	}
	var strays int
	err := h.db.QueryRow("SELECT (SELECT count(*) FROM metrics WHERE n NOT IN (SELECT n FROM runs)) + (SELECT count(*) FROM findings WHERE n NOT IN (SELECT n FROM runs))").Scan(&strays)
	if err == nil && strays > 0 {
		err = fmt.Errorf("%w: %d rows belong to no run", ErrDamaged, strays)
	}
	return h.named(err)
}
