//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock holds the file against a second process until it is closed.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("another process writes it (%w): wait for the run to end", err)
	}
	return err
}

// restrict leaves the file to its owner alone.
func restrict(f *os.File) error { return f.Chmod(0o600) }
