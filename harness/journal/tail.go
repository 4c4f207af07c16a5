package journal

import (
	"errors"
	"os"
)

// tail is the end of the journal's file.
//
// A line that makes a file longer costs two writes to the disk when it must be there for
// certain: its own, and one for the new length. A busy journal therefore makes room ahead:
// zeros, which no line holds, and which are cut off at the end. Readers stop at them.
type tail struct {
	file *os.File
	at   int64 // where the next line goes
	room int64 // up to where there are zeros
}

const (
	// quiet is up to which size no room is made: most journals stay below.
	quiet = 32 << 10
	// mostRoom bounds the zeros: some seconds of the highest rates.
	mostRoom = 1 << 20
)

// write puts lines at the end and, when they must outlive the machine, waits for the disk.
func (t *tail) write(lines []byte, durable bool) error {
	end := t.at + int64(len(lines))
	if durable && end > t.room && end > quiet {
		room := end + min(end, mostRoom)
		lines = append(lines, make([]byte, room-end)...)
		t.room = room
	}
	if _, err := t.file.WriteAt(lines, t.at); err != nil {
		return err
	}
	t.at = end
	if !durable {
		return nil
	}
	return datasync(t.file)
}

// close cuts the room off and closes the file.
func (t *tail) close() error {
	return errors.Join(t.file.Truncate(t.at), t.file.Sync(), t.file.Close())
}
