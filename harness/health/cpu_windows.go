package health

import (
	"time"

	"golang.org/x/sys/windows"
)

// processCPU is the user and kernel time that this process has used. A FILETIME
// that holds a length counts steps of 100 ns.
func processCPU() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return length(kernel) + length(user)
}

func length(f windows.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}
