package main

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leaves wants that what follows leaves no goroutine, file or socket behind. It returns
// the check, to be deferred.
func leaves(t *testing.T) func() {
	t.Helper()
	before := goleak.IgnoreCurrent()
	files := openFiles(t)
	return func() {
		t.Helper()
		goleak.VerifyNone(t, before)
		deadline := time.Now().Add(5 * time.Second)
		for { // a socket that was closed is let go by the kernel's side in its own time
			var left []string
			for name := range openFiles(t) {
				if _, old := files[name]; !old {
					left = append(left, name)
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("open files and sockets are left: %s", strings.Join(left, ", "))
				return
			}
			runtime.Gosched()
		}
	}
}

// openFiles are the files and sockets of this process, where the system lists them. The
// runtime's own (epoll, eventfd) come and stay.
func openFiles(t *testing.T) map[string]bool {
	t.Helper()
	const list = "/proc/self/fd/"
	all := map[string]bool{}
	entries, err := os.ReadDir(list)
	if err != nil {
		return all // not Linux
	}
	for _, e := range entries {
		name, err := os.Readlink(list + e.Name())
		if err == nil && !strings.HasPrefix(name, "anon_inode:") && !strings.HasPrefix(name, "/proc/") {
			all[name] = true
		}
	}
	return all
}
