package health

import (
	"bytes"
	"os"
	"strconv"
)

// machineTimes are the ticks that all processors of this machine have been through:
// busy with anybody's work, and altogether. It reads the first line of /proc/stat: user,
// nice, system, idle, iowait, irq, softirq, steal. Time that the hypervisor gave to
// somebody else counts as busy: it was not ours.
func machineTimes() (busy, all uint64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	for i, field := range bytes.Fields(line) {
		const name, idle, iowait, steal = 0, 4, 5, 8
		n, err := strconv.ParseUint(string(field), 10, 64)
		if i == name || i > steal || err != nil {
			continue
		}
		all += n
		if i != idle && i != iowait {
			busy += n
		}
	}
	return busy, all
}
