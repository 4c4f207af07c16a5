package journal

import "os"

// Hold keeps an open file for this process alone until it is closed, as the journal is
// kept; the error says that another process has it.
func Hold(f *os.File) error { return lock(f) }

// Held tells whether somebody holds a file right now. A file that cannot be opened is
// held by nobody.
func Held(name string) bool {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return lock(f) != nil
}
