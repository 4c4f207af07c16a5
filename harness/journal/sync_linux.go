package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// datasync waits until what was written is on the disk, and whatever is needed to find
// it there; the time of the change is not.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
