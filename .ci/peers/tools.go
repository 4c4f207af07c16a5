package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// work is what every tool of a case is asked to do.
type work struct {
	url     string
	conns   int
	seconds int
	rate    int // a second; 0: as fast as answers come
	h2      bool
	ca      string
}

// tool is a load generator and its command line for some work; nil arguments mean
// that it cannot do it.
type tool struct {
	name    string
	version []string // the command that prints it
	args    func(b *bench, w work) ([]string, error)
}

var tools = []tool{
	{"cutover", []string{"cutover", "version"}, cutoverArgs},
	{"wrk", []string{"wrk", "-v"}, func(b *bench, w work) ([]string, error) {
		if w.h2 || w.rate > 0 {
			return nil, nil
		}
		return []string{"wrk", "-t1", fmt.Sprintf("-c%d", w.conns), fmt.Sprintf("-d%ds", w.seconds), "--latency", w.url}, nil
	}},
	{"h2load", []string{"h2load", "--version"}, func(b *bench, w work) ([]string, error) {
		if w.rate > 0 {
			return nil, nil
		}
		args := []string{"h2load", "-t1", fmt.Sprintf("-c%d", w.conns), "-m1", "-D", fmt.Sprint(w.seconds)}
		if !w.h2 {
			args = append(args, "--h1")
		}
		return append(args, w.url), nil
	}},
	{"fortio", []string{"fortio", "version"}, func(b *bench, w work) ([]string, error) {
		args := []string{"fortio", "load", "-quiet", "-k", "-qps", fmt.Sprint(w.rate), "-t", fmt.Sprintf("%ds", w.seconds), "-c", fmt.Sprint(w.conns)}
		if w.h2 {
			args = append(args, "-stdclient", "-h2")
		}
		if w.rate > 0 {
			args = append(args, "-uniform")
		}
		return append(args, w.url), nil
	}},
	{"hey", []string{"hey"}, func(b *bench, w work) ([]string, error) {
		args := []string{"hey", "-z", fmt.Sprintf("%ds", w.seconds), "-c", fmt.Sprint(w.conns)}
		if w.h2 {
			args = append(args, "-h2")
		}
		if w.rate > 0 {
			args = append(args, "-q", fmt.Sprint(w.rate/w.conns))
		}
		return append(args, w.url), nil
	}},
	{"k6", []string{"k6", "version"}, k6Args},
}

// k6Args writes k6's script: constant users, or a constant rate of arrivals.
func k6Args(b *bench, w work) ([]string, error) {
	scenario := fmt.Sprintf(`{executor: "constant-vus", vus: %d, duration: "%ds"}`, w.conns, w.seconds)
	if w.rate > 0 {
		scenario = fmt.Sprintf(`{executor: "constant-arrival-rate", rate: %d, timeUnit: "1s", duration: "%ds", preAllocatedVUs: %d, maxVUs: 400}`, w.rate, w.seconds, w.conns)
	}
	script := fmt.Sprintf("import http from 'k6/http';\nexport const options = {discardResponseBodies: true, insecureSkipTLSVerify: true, scenarios: {one: %s}};\n"+
		"export default function () { http.get(%q); }\n", scenario, w.url)
	file := filepath.Join(b.dir, "k6.js")
	return []string{"k6", "run", "-q", "--no-usage-report", file}, os.WriteFile(file, []byte(script), 0o644)
}

// cutoverArgs writes a suite of one step and a profile of one plain path.
func cutoverArgs(b *bench, w work) ([]string, error) {
	load := fmt.Sprintf("closed: {users: %d, for: %ds}", w.conns, w.seconds)
	if w.rate > 0 {
		load = fmt.Sprintf("constant: {rate: %d/s, for: %ds}", w.rate, w.seconds)
	}
	root, page := w.url[:strings.LastIndexByte(w.url, '/')], w.url[strings.LastIndexByte(w.url, '/'):]
	suite := fmt.Sprintf("suite: bench\nscenarios:\n  - name: get\n    steps:\n      - {name: page, get: %s}\nload:\n  - {name: load, %s}\n", page, load)
	path := fmt.Sprintf("plain: {url: %q}", root)
	if w.h2 {
		path += ", protocol: h2, limits: {streams: 1}"
	}
	profile := fmt.Sprintf("profile: bench\npaths:\n  only: {%s}\n", path)
	if w.ca != "" {
		profile += fmt.Sprintf("tls: {ca: %q}\n", w.ca)
	}
	return b.cutover(suite, profile)
}

// cutover writes suite and profile into files and returns the command that runs them.
func (b *bench) cutover(suite, profile string) ([]string, error) {
	b.runs++
	dir := filepath.Join(b.dir, fmt.Sprintf("run-%d", b.runs))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	suiteFile, profileFile := filepath.Join(dir, "suite.yaml"), filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(suiteFile, []byte(suite), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(profileFile, []byte(profile), 0o644); err != nil {
		return nil, err
	}
	return []string{"cutover", "run", suiteFile, "--profile", profileFile, "--out", filepath.Join(dir, "out"), "--no-progress"}, nil
}
