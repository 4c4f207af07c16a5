package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server starts the arrival server on processor 0 and returns its URL. stop ends it
// and returns the kernel's receipt times of the requests.
func (b *bench) server(args ...string) (url string, stop func() ([]time.Duration, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	b.runs++
	ready, dump := filepath.Join(b.dir, fmt.Sprintf("ready-%d", b.runs)), filepath.Join(b.dir, fmt.Sprintf("arrivals-%d", b.runs))
	cmd := exec.Command("taskset", append([]string{"-c", "0", self, "serve", ready, dump}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	for range 200 {
		if text, err := os.ReadFile(ready); err == nil && len(text) > 0 {
			return "http://" + string(text), func() ([]time.Duration, error) {
				cmd.Process.Signal(syscall.SIGTERM)
				cmd.Wait()
				return arrivals(dump)
			}, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	cmd.Process.Kill()
	cmd.Wait()
	return "", nil, errors.New("the arrival server does not start")
}

func arrivals(file string) ([]time.Duration, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for line := range strings.Lines(string(text)) {
		n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, time.Duration(n))
	}
	slices.Sort(all)
	return all, nil
}

// deviation is the p99 and the maximum of |arrival n − (t0 + n/rate)| without the first
// second, t0 being the median offset, and the rate that was reached.
func deviation(at []time.Duration, rate float64) (p99, most time.Duration, reached float64) {
	skip := int(rate)
	if len(at) <= 2*skip {
		return 0, 0, 0
	}
	var offsets []float64
	for i := skip; i < len(at); i++ {
		offsets = append(offsets, at[i].Seconds()-float64(i)/rate)
	}
	t0 := median(offsets)
	var off []float64
	for _, o := range offsets {
		off = append(off, math.Abs(o-t0))
	}
	slices.Sort(off)
	span := (at[len(at)-1] - at[skip]).Seconds()
	return seconds(off[len(off)*99/100]), seconds(off[len(off)-1]), float64(len(at)-1-skip) / span
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// schedule compares how exactly requests arrive. The peers run three times, cutover
// nine; all with two scheduler threads on one processor.
func (b *bench) schedule() error {
	const length = 4
	for _, rate := range []int{2000, 10000} {
		p99s, mosts, rates := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
		for round := range 9 {
			for _, t := range tools {
				if !b.wanted(t) || t.name != "cutover" && round%4 != 0 {
					continue
				}
				url, stop, err := b.server()
				if err != nil {
					return err
				}
				args, err := t.args(b, work{url: url + "/page.json", conns: 50, seconds: length, rate: rate})
				if err == nil && args != nil {
					_, err = b.run(args, "GOMAXPROCS=2")
				}
				at, failed := stop()
				if err = errors.Join(err, failed); err != nil {
					b.note(fmt.Sprintf("%s at %d/s", t.name, rate), err)
					continue
				}
				if args == nil {
					continue
				}
				if t.name == "cutover" && len(at) > 0 {
					at = at[1:] // the preflight's probe
				}
				p99, most, reached := deviation(at, float64(rate))
				if reached == 0 { // it did not send for two seconds' worth of requests
					fmt.Fprintf(os.Stderr, "%s at %d/s: only %d requests\n", t.name, rate, len(at))
					continue
				}
				p99s[t.name] = append(p99s[t.name], p99.Seconds()*1e3)
				mosts[t.name] = append(mosts[t.name], most.Seconds()*1e3)
				rates[t.name] = append(rates[t.name], reached)
				if b.verbose {
					fmt.Fprintf(os.Stderr, "%s at %d/s: p99 %v, max %v, %.1f/s\n", t.name, rate, p99, most, reached)
				}
			}
		}
		fmt.Printf("\n### Schedule error at %d/s, %d s, 50 connections\n\n| tool | p99 of the deviation, ms: median (range) | max, ms, median | rate reached | runs |\n|---|---|---|---|---|\n", rate, length)
		for _, name := range sortedBy(p99s) {
			fmt.Printf("| %s | %s | %.1f | %.1f | %d |\n", name, spread(p99s[name], 2), median(mosts[name]), median(rates[name]), len(p99s[name]))
		}
	}
	return nil
}

// memory watches cutover at 5,000/s for a minute: two paths, twenty steps, nothing
// compared.
func (b *bench) memory() error {
	url, stop, err := b.server()
	if err != nil {
		return err
	}
	var steps strings.Builder
	for i := range 20 {
		fmt.Fprintf(&steps, "      - {name: page-%02d, get: /page-%02d.json}\n", i, i)
	}
	suite := fmt.Sprintf("suite: bench\nscenarios:\n  - name: get\n    steps:\n%sload:\n  - {name: load, constant: {rate: 125/s, for: 60s}}\ncompare: {sample: 0%%}\n", steps.String())
	profile := fmt.Sprintf("profile: bench\npaths:\n  near: {plain: {url: %q}}\n  far: {plain: {url: %q}}\n", url, url)
	args, err := b.cutover(suite, profile)
	if err != nil {
		return err
	}
	cmd := b.command(args, "GOMAXPROCS=2")
	out, err := os.Create(filepath.Join(b.dir, "memory.out"))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	at := map[int]float64{}
	var from10 []float64
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		case <-tick.C:
			mib := resident(cmd.Process.Pid)
			t := time.Since(began)
			at[int(t.Seconds())] = mib
			if t > 10*time.Second && t < 59*time.Second {
				from10 = append(from10, mib)
			}
		}
	}
	if err != nil {
		text, _ := os.ReadFile(out.Name())
		err = fmt.Errorf("%w\n%s", err, text)
	}
	all, failed := stop()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	fmt.Printf("\n### Memory at 5,000/s over 60 s: two paths, 20 steps, comparison off\n\n| resident MiB at 5 s | 10 s | 20 s | 40 s | 59 s | least and most from 10 s on | peak, with the reports | requests |\n|---|---|---|---|---|---|---|---|\n")
	peak := float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	fmt.Printf("| %.1f | %.1f | %.1f | %.1f | %.1f | %.1f–%.1f (±%.1f %%) | %.1f | %d |\n", at[5], at[10], at[20], at[40], at[58], slices.Min(from10), slices.Max(from10),
		100*(slices.Max(from10)-slices.Min(from10))/(slices.Max(from10)+slices.Min(from10)), peak, len(all))
	return nil
}

// resident is the memory of a process in MiB.
func resident(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// freeze has the server stand still for 1 s in the middle of 10 s at 1,000/s.
func (b *bench) freeze() error {
	fmt.Printf("\n### A 1 s freeze in a 10 s run at 1,000/s\n\nTruth: mean 50 ms, p99 902 ms, p99.9 992 ms.\n\n| case | mean, ms | p99, ms | p99.9, ms |\n|---|---|---|---|\n")
	for _, limits := range []struct{ name, yaml string }{
		{"50 connections", "limits: {connections: 50}"},
		{"50 mailboxes of one request at a time", "limits: {per_mailbox: {concurrency: 1}}"},
	} {
		url, stop, err := b.server("-freeze", "5s")
		if err != nil {
			return err
		}
		suite := "suite: bench\nscenarios:\n  - name: get\n    steps:\n      - {name: page, get: /page.json}\nload:\n  - {name: load, constant: {rate: 1000/s, for: 10s}}\n"
		profile := fmt.Sprintf("profile: bench\npaths:\n  only: {plain: {url: %q}, %s}\n", url, limits.yaml)
		if strings.Contains(limits.yaml, "mailbox") {
			profile += "mailboxes:\n"
			for i := range 50 {
				profile += fmt.Sprintf("  - {name: box-%02d, only_smtp: box-%02d@contoso.example}\n", i, i)
			}
		}
		args, err := b.cutover(suite, profile)
		if err == nil {
			_, err = b.run(args, "GOMAXPROCS=2")
		}
		_, failed := stop()
		if err := errors.Join(err, failed); err != nil {
			b.note("freeze with "+limits.name, err)
			continue
		}
		mean, p99, p999, err := b.response()
		if err != nil {
			b.note("freeze with "+limits.name, err)
			continue
		}
		fmt.Printf("| %s | %.1f | %.0f | %.0f |\n", limits.name, mean, p99, p999)
	}
	return nil
}

// response reads the response times of the last run.
func (b *bench) response() (mean, p99, p999 float64, err error) {
	text, err := os.ReadFile(filepath.Join(b.dir, fmt.Sprintf("run-%d", b.runs), "out", "result.json"))
	if err != nil {
		return 0, 0, 0, err
	}
	var r struct {
		Steps []struct {
			Step     string             `json:"step"`
			Response map[string]float64 `json:"response_ms"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return 0, 0, 0, err
	}
	for _, s := range r.Steps {
		if s.Step == "page" {
			return s.Response["mean"], s.Response["p99"], s.Response["p99_9"], nil
		}
	}
	return 0, 0, 0, errors.New("the result has no step")
}

// startup measures from exec to the first request at the server, by the kernel's clock.
func (b *bench) startup() error {
	took := map[string][]float64{}
	for range 9 {
		for _, t := range tools {
			if !b.wanted(t) {
				continue
			}
			url, stop, err := b.server()
			if err != nil {
				return err
			}
			args, err := t.args(b, work{url: url + "/page.json", conns: 1, seconds: 1})
			if err != nil {
				return err
			}
			cmd := b.command(args)
			began := time.Now()
			if err := cmd.Start(); err != nil {
				return err
			}
			time.Sleep(300 * time.Millisecond)
			cmd.Process.Kill()
			cmd.Wait()
			at, err := stop()
			if err != nil {
				return err
			}
			if len(at) > 0 {
				took[t.name] = append(took[t.name], float64(at[0]-time.Duration(began.UnixNano()))/1e6)
			}
		}
	}
	fmt.Printf("\n### Start: exec to the first request at the server\n\n| tool | ms: median (range of 9) |\n|---|---|\n")
	for _, name := range sortedBy(took) {
		fmt.Printf("| %s | %s |\n", name, spread(took[name], 1))
	}
	return nil
}
