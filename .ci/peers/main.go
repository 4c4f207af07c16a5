// Command peers holds cutover against other load generators on the same work:
// processor time per request, exactness of the schedule, memory, start-up. It
// prints Markdown tables for docs/benchmarks.md. The server runs on processor 0,
// the generators on processor 1; runs are interleaved, so that a busy moment of the
// machine meets all of them.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one session of measuring.
type bench struct {
	dir     string // scratch
	bin     string // folder of cutover and the peers that Debian does not ship
	rounds  int
	seconds int
	only    []string // tools; nil: all that are installed
	verbose bool
	runs    int
	failed  []string
	nginx   *nginx
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		if err := serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	b := &bench{}
	flag.StringVar(&b.bin, "bin", "", "folder of cutover, fortio, hey and k6")
	flag.IntVar(&b.rounds, "rounds", 5, "interleaved runs of each tool")
	flag.IntVar(&b.seconds, "seconds", 3, "length of a throughput run")
	flag.BoolVar(&b.verbose, "v", false, "show each run")
	cases := flag.String("cases", "h1,tls,h2,schedule,memory,freeze,startup", "what to measure")
	only := flag.String("tools", "", "tools to measure (default: all that are installed)")
	flag.Parse()
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	if err := b.measure(strings.Split(*cases, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// measure runs the cases and prints their tables.
func (b *bench) measure(cases []string) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := os.Chmod(b.dir, 0o755); err != nil { // nginx reads it as another user
		return err
	}
	if b.nginx, err = startNginx(b.dir); err != nil {
		return err
	}
	defer b.nginx.stop()
	b.head()
	for _, name := range cases {
		run, ok := map[string]func() error{
			"h1": b.h1, "tls": b.tls, "h2": b.h2, "schedule": b.schedule, "memory": b.memory, "freeze": b.freeze, "startup": b.startup,
		}[name]
		if !ok {
			return fmt.Errorf("unknown case %q", name)
		}
		if err := run(); err != nil {
			b.note(name, err)
			fmt.Printf("\n*%s: not measured.*\n", name)
		}
	}
	if len(b.failed) > 0 {
		return fmt.Errorf("the rest was measured; these failed: %s", strings.Join(b.failed, ", "))
	}
	return nil
}

// note tells what failed, and the session goes on.
func (b *bench) note(what string, err error) {
	b.failed = append(b.failed, what)
	fmt.Fprintf(os.Stderr, "peers: %s failed, going on: %v\n", what, err)
}

func (b *bench) h1() error {
	return b.throughput("HTTP/1.1 in clear, 16 connections", work{url: b.nginx.plain + "/page.json", conns: 16})
}

func (b *bench) tls() error {
	return b.throughput("TLS 1.3, HTTP/1.1, 64 connections", work{url: b.nginx.tls + "/page.json", conns: 64, ca: b.nginx.ca})
}

func (b *bench) h2() error {
	return b.throughput("TLS 1.3, HTTP/2, 16 connections of one stream", work{url: b.nginx.h2 + "/page.json", conns: 16, h2: true, ca: b.nginx.ca})
}

// path is where a tool is, "" when it is not installed.
func (b *bench) path(name string) string {
	if b.bin != "" {
		if p, err := exec.LookPath(filepath.Join(b.bin, name)); err == nil {
			return p
		}
	}
	p, _ := exec.LookPath(name)
	return p
}

func (b *bench) wanted(t tool) bool {
	return (b.only == nil || slices.Contains(b.only, t.name)) && b.path(t.name) != ""
}

// command prepares a tool's run on processor 1.
func (b *bench) command(args []string, env ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", "1", b.path(args[0])}, args[1:]...)...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// usage is what a finished run cost.
type usage struct {
	cpu  time.Duration
	rss  int64 // peak, bytes
	text string
}

func (b *bench) run(args []string, env ...string) (usage, error) {
	cmd := b.command(args, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	u := usage{text: out.String()}
	if cmd.ProcessState != nil {
		u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		u.rss = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && args[0] == "cutover" && exit.ExitCode() == 6 {
		err = nil // the ruler bent, as a closed loop at full speed means it to
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, u.text)
	}
	return u, err
}

// throughput compares processor time per 100,000 requests, counted by the server.
func (b *bench) throughput(title string, w work) error {
	w.seconds = b.seconds
	costs, rates, peak := map[string][]float64{}, map[string][]float64{}, map[string]int64{}
	for range b.rounds {
		for _, t := range tools {
			if !b.wanted(t) {
				continue
			}
			args, err := t.args(b, w)
			if err != nil {
				return err
			}
			if args == nil {
				continue
			}
			before, err := b.nginx.requests()
			if err != nil {
				return err
			}
			u, err := b.run(args, "GOMAXPROCS=1")
			if err != nil {
				b.note(t.name, err)
				continue
			}
			after, err := b.nginx.requests()
			if err != nil {
				return err
			}
			n := float64(after - before - 1)
			if n < 1 {
				b.note(t.name, errors.New("no request reached the server"))
				continue
			}
			costs[t.name] = append(costs[t.name], u.cpu.Seconds()/n*1e5)
			rates[t.name] = append(rates[t.name], n/float64(w.seconds))
			peak[t.name] = max(peak[t.name], u.rss)
			if b.verbose {
				fmt.Fprintf(os.Stderr, "%s: %.3f s/100k, %.0f/s\n", t.name, u.cpu.Seconds()/n*1e5, n/float64(w.seconds))
			}
		}
	}
	fmt.Printf("\n### %s\n\n| tool | CPU s per 100,000 requests: median (range of %d) | requests/s, median | peak MiB |\n|---|---|---|---|\n", title, b.rounds)
	names := sortedBy(costs)
	for _, name := range names {
		fmt.Printf("| %s | %s | %.0f | %.0f |\n", name, spread(costs[name], 2), median(rates[name]), float64(peak[name])/(1<<20))
	}
	if own := costs["cutover"]; own != nil {
		var ratios []string
		for _, name := range names {
			if name != "cutover" {
				ratios = append(ratios, fmt.Sprintf("cutover ÷ %s %.2f", name, ratio(own, costs[name])))
			}
		}
		fmt.Printf("\n%s\n", strings.Join(ratios, " · "))
	}
	return nil
}

// ratio is the median of the ratios of runs that stood next to each other.
func ratio(a, b []float64) float64 {
	var each []float64
	for i := range min(len(a), len(b)) {
		each = append(each, a[i]/b[i])
	}
	return median(each)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// spread prints median and range.
func spread(v []float64, digits int) string {
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, median(v), digits, slices.Min(v), digits, slices.Max(v))
}

func sortedBy(costs map[string][]float64) []string {
	var names []string
	for name := range costs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch x, y := median(costs[a]), median(costs[b]); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}
