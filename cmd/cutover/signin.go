package main

import (
	"fmt"
	"maps"
	"os/exec"
	"runtime"
	"slices"

	"cutover/harness/result"
)

// tokens says what signing in cost each path that fetched tokens or was refused one.
func (d *deployment) tokens() []result.TokenStats {
	var all []result.TokenStats
	for _, name := range slices.Sorted(maps.Keys(d.auth)) {
		s := d.auth[name].Stats()
		if s.Acquired+s.Failed == 0 {
			continue
		}
		all = append(all, result.TokenStats{Path: name, Requests: s.Acquired + s.Failed, Acquired: s.Acquired, Refreshes: s.Renewed, Failures: s.Failed,
			Refused: s.Refused, Late: s.Late, Latency: result.Summarise(&s.Latency), Histogram: &s.Latency})
	}
	return all
}

// browse shows a person the page on which to sign in: as a line, because the
// machine may have no browser, and in the browser where there is one. The
// address holds no secret: what comes back is bound to this process (PKCE).
func (a *App) browse(address string) error {
	fmt.Fprintf(a.Stderr, "cutover: sign in on this page (it opens in a browser where there is one):\n  %s\n", address)
	if a.OpenBrowser != nil {
		a.OpenBrowser(address)
	}
	return nil
}

// openBrowser starts the system's browser and does not wait for it.
func openBrowser(address string) {
	argv := map[string][]string{
		"windows": {"rundll32", "url.dll,FileProtocolHandler", address},
		"darwin":  {"open", address},
	}[runtime.GOOS]
	if argv == nil {
		argv = []string{"xdg-open", address}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	if cmd.Start() == nil {
		_ = cmd.Process.Release() // nothing is to be known of it
	}
}
