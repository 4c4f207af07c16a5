package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// head prints machine, date and versions.
func (b *bench) head() {
	fmt.Printf("Measured %s on %s, %d processors, %s.\n\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), processor(), runtime.NumCPU(), kernel())
	fmt.Printf("| tool | version |\n|---|---|\n| nginx | %s |\n", strings.TrimPrefix(first(exec.Command("/usr/sbin/nginx", "-v")), "nginx version: "))
	for _, t := range tools {
		if !b.wanted(t) {
			continue
		}
		version := first(exec.Command(b.path(t.name), t.version[1:]...))
		if t.name == "hey" {
			version = module(b.path("hey"))
		}
		fmt.Printf("| %s | %s |\n", t.name, version)
	}
}

// first is the first line that a command prints.
func first(cmd *exec.Cmd) string {
	out, _ := cmd.CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(line)
}

// module is the version of a Go program that does not print one.
func module(path string) string {
	out, _ := exec.Command("go", "version", "-m", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "mod" {
			return f[2]
		}
	}
	return "unknown"
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + strings.TrimSpace(string(text))
}
