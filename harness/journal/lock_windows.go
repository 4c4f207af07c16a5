package journal

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// lock holds the file against a second process until it is closed. The locked
// byte lies far past any content, because Windows locks forbid reading too.
func lock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at); err != nil {
		return fmt.Errorf("another process writes it (%w): wait for the run to end", err)
	}
	return nil
}

// restrict leaves the file to its owner: an access list with the owner alone,
// which inherits nothing (mode bits mean nothing on Windows).
func restrict(f *os.File) error {
	list, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;OW)(A;;FA;;;SY)")
	if err != nil {
		return err
	}
	dacl, _, err := list.DACL()
	if err != nil {
		return err
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	return windows.SetNamedSecurityInfo(f.Name(), windows.SE_FILE_OBJECT, what, nil, nil, dacl, nil)
}
