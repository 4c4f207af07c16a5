package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileIsThereWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "report.html")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, errors.New("torn"))
	}
	if err := wholeFile(name, half); err == nil {
		t.Error("a torn file is no error")
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("half a file is there: %v", err)
	}
	if err := os.WriteFile(name, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := wholeFile(name, half); err == nil {
		t.Error("a torn file is no error")
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "before" {
		t.Errorf("the file before is %q: %v", text, err)
	}
	if err := wholeFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	left, err2 := os.ReadDir(dir)
	if err != nil || err2 != nil || string(text) != "whole" || len(left) != 1 {
		t.Errorf("%q beside %d files: %v %v", text, len(left)-1, err, err2)
	}
	err = wholeFile(filepath.Join(dir, "no", "where"), half)
	if code, _ := classify(err); code != exitUsage || !strings.Contains(err.Error(), filepath.Join("no", "where")+":") {
		t.Errorf("no folder: exit code %d, %v", code, err)
	}
}

func TestAFullDiskIsNoDefect(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIPPED: no /dev/full here, a full disk was not tried")
	}
	err := wholeFile("/dev/full", func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", 9000))
		return errors.Join(err, err)
	})
	var said strings.Builder
	if code := report(&said, err, func(s string) string { return s }); code != exitInternal {
		t.Errorf("exit code %d, want %d", code, exitInternal)
	}
	if text := said.String(); strings.Contains(text, "defect") || !strings.Contains(text, "make room") || strings.Count(text, "no space left") != 1 {
		t.Errorf("it says:\n%s", text)
	}
}
