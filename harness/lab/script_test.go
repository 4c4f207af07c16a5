package lab_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
)

// script is what shows one quirk: see testdata/quirks.txt.
type script struct {
	id, off, on string
	steps       []string
}

// scripts reads the file.
func scripts(t *testing.T) []script {
	t.Helper()
	raw, err := os.ReadFile("testdata/quirks.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []script
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			all = append(all, script{id: strings.Trim(line, "[]")})
		case word == "off":
			all[len(all)-1].off = rest
		case word == "on":
			all[len(all)-1].on = rest
		default:
			all[len(all)-1].steps = append(all[len(all)-1].steps, line)
		}
	}
	return all
}

// performer plays a script against a lab.
type performer struct {
	*world
	kept  map[string][]string
	last  string // the last line's answers, as text
	token map[string]string
}

func perform(w *world, s script) *performer {
	p := &performer{world: w, token: map[string]string{}, kept: map[string][]string{
		"onprem": {w.info.Pairs[0].OnPremUPN}, "other": {w.info.Pairs[1].OnPremUPN}, "long": {strings.Repeat("ü", 300)},
	}}
	for _, step := range s.steps {
		word, rest, _ := strings.Cut(step, " ")
		name, request, _ := strings.Cut(rest, " ")
		switch word {
		case "keep":
			p.keep(name, request)
			continue
		case "each":
			all := p.kept[name]
			p.last = ""
			for _, value := range all {
				p.kept[name] = []string{value}
				p.send(request)
			}
			p.kept[name] = all
			continue
		case "times":
			n, _ := strconv.Atoi(name)
			p.last = ""
			for range n {
				p.send(request)
			}
			continue
		}
		p.last = ""
		p.send(step)
	}
	return p
}

// keep remembers the texts of a member.
func (p *performer) keep(name, member string) {
	p.kept[name] = nil
	for _, m := range regexp.MustCompile(`"`+regexp.QuoteMeta(member)+`":"([^"]*)"`).FindAllStringSubmatch(p.last, -1) {
		p.kept[name] = append(p.kept[name], m[1])
	}
	if len(p.kept[name]) == 0 {
		p.t.Errorf("the answer has no %s: %.300s", member, p.last)
	}
}

// filled puts what was kept in the place of its names.
func (p *performer) filled(text string) string {
	for name, values := range p.kept {
		if len(values) > 0 {
			text = strings.ReplaceAll(text, "{"+name+"}", values[0])
		}
	}
	return text
}

// send asks, and adds the answer to the last line's.
func (p *performer) send(line string) {
	parts := strings.Split(p.filled(line), " | ")
	f := strings.SplitN(parts[0], " ", 3)
	token, address := p.who(f[0])
	if strings.HasPrefix(f[2], "https://") {
		address = ""
	}
	body, headers := "", []string{}
	for _, part := range parts[1:] {
		if strings.HasPrefix(part, "{") {
			body = part
			continue
		}
		name, value, _ := strings.Cut(part, ": ")
		headers = append(headers, name, value)
	}
	if f[0] == "rest" {
		headers = append(headers, "Authorization", "Basic "+basic(p.info.Pairs[0].OnPremUPN, p.info.Pairs[0].OnPremPassword))
	}
	a := p.ask(token, f[1], address+strings.TrimSuffix(f[2], "/"), body, headers...)
	var b strings.Builder
	_ = a.header.Write(&b)
	p.last += fmt.Sprintf("%d\n%s\n%s\n", a.status, b.String(), a.body)
}

// who is a caller's token and where the paths of its lines begin.
func (p *performer) who(name string) (token, address string) {
	pair := p.info.Pairs[0]
	switch name {
	case "cloud", "pastapp":
		if p.token["app"] == "" {
			p.token["app"] = p.app(0)
		}
		if name == "cloud" {
			return p.token["app"], p.info.Graph + "/users/" + pair.CloudUPN
		}
		return p.token["app"], p.info.GraphEras["2019"] + "/users/" + pair.OnPremUPN
	case "today":
		return p.onPremUser(), p.info.Graph + "/me"
	case "past":
		return p.onPremUser(), p.info.GraphEras["2019"] + "/me"
	case "rest":
		return "", p.info.Rest + "/me"
	case "control":
		return "", p.info.Control
	case "discover":
		return "", p.info.Autodiscover
	}
	p.t.Fatalf("nobody is called %q", name)
	return "", ""
}

// says reports whether the last answers have a pattern.
func (p *performer) says(pattern string) bool {
	pattern, not := strings.CutPrefix(pattern, "not ")
	return regexp.MustCompile(p.filled(pattern)).MatchString(p.last) != not
}

func TestTheScriptOfEachQuirkShowsItOnAndOff(t *testing.T) {
	all, shared := scripts(t), start(t, lab.Options{})
	for _, id := range quirks.Toggles() {
		i := slices.IndexFunc(all, func(s script) bool { return s.id == id })
		if i < 0 {
			t.Errorf("%s has no script", id)
			continue
		}
		t.Run(id, func(t *testing.T) {
			if testing.Short() && id != "sync.moveback" && id != "id.legacy" {
				t.Skip("a lab of its own, twice")
			}
			plain := shared
			if strings.Contains(strings.Join(all[i].steps, "\n"), "control ") { // it moves a mailbox, or counts what was done
				plain = start(t, lab.Options{})
			}
			plain.t = t
			with := start(t, lab.Options{Quirks: []string{id}})
			off, on := perform(plain, all[i]), perform(with, all[i])
			if planted := with.lab.Planted(); len(planted) != 1 || planted[0].ID != id || fmt.Sprint(planted[0].Pairs) != "[0 1 2]" {
				t.Errorf("planted: %+v", planted)
			}
			if !off.says(all[i].off) || off.says(all[i].on) {
				t.Errorf("switched off: %.600s", off.last)
			}
			if !on.says(all[i].on) || on.says(all[i].off) {
				t.Errorf("switched on: %.600s", on.last)
			}
		})
	}
	for _, s := range all {
		if q, ok := quirks.Lookup(s.id); !ok || q.State != quirks.Toggle {
			t.Errorf("%s has a script and cannot be switched", s.id)
		}
	}
}
