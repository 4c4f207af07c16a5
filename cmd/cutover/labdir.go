package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// labPrefix begins the name of the folder in which a serving lab lays its
// certificate authority; the process id follows.
const labPrefix = "cutover-lab-"

// controlFile holds a serving lab's control address, for `cutover lab move` from another shell.
const controlFile = "control"

// labFolder makes the folder of a lab that is about to serve. A lab that was
// killed cannot remove its own, so the folders of processes that are gone are
// removed here.
func labFolder() (string, error) {
	sweepLabFolders(os.TempDir())
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", labPrefix, os.Getpid()))
}

// sweepLabFolders removes what labs left below dir whose process does not live
// any more. Nothing but the files that a lab writes are touched; a folder with
// anything else in it stays.
func sweepLabFolders(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, labPrefix+"*"))
	for _, folder := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), labPrefix), "-")
		id, err := strconv.Atoi(pid)
		if err != nil || id <= 0 || alive(id) {
			continue
		}
		for _, file := range []string{"ca.pem", "planted.json", controlFile} {
			_ = os.Remove(filepath.Join(folder, file))
		}
		_ = os.Remove(folder)
	}
}

// servingLabs are the control addresses of the labs whose folders lie below dir and whose
// processes live.
func servingLabs(dir string) []string {
	var found []string
	files, _ := filepath.Glob(filepath.Join(dir, labPrefix+"*", controlFile))
	for _, file := range files {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(filepath.Dir(file)), labPrefix), "-")
		if id, err := strconv.Atoi(pid); err != nil || id <= 0 || !alive(id) {
			continue
		}
		if text, err := os.ReadFile(file); err == nil {
			found = append(found, strings.TrimSpace(string(text)))
		}
	}
	return found
}

// alive says whether a process exists. Where the system does not tell, it does.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }()
	err = p.Signal(syscall.Signal(0))
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}
