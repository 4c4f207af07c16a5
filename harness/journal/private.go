package journal

import "os"

// Private leaves an open file to its owner: mode 0600, or on Windows an access list
// with the owner and the system alone. Records that hold real ids are made so.
func Private(f *os.File) error { return restrict(f) }
