package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// wholeFile writes a file that is there whole or not at all: a disk that fills up, or a
// kill, leaves what was there before. What is no plain file, such as a pipe, is written
// as it is.
func wholeFile(name string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	}
	aside, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return &os.PathError{Op: "write", Path: name, Err: errors.Unwrap(err)}
	}
	if err != nil {
		return err
	}
	err = errors.Join(write(aside), aside.Chmod(0o644), aside.Close())
	if err == nil {
		err = os.Rename(aside.Name(), name)
	}
	var told *os.PathError
	if errors.As(err, &told) && told.Path == aside.Name() {
		told.Path = name
	}
	if err != nil {
		return errors.Join(err, os.Remove(aside.Name()))
	}
	return nil
}

// diskFull tells whether a write failed because there was no room for it.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
