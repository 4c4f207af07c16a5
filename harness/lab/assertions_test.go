package lab_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"cutover/harness/lab"
)

// proxied are the assertions of the catalogue that need the proxy in front of
// on-premises mailboxes, by number. What they say stands in docs/lab-graph.md.
var proxied = map[int]func(t *testing.T){
	87: func(t *testing.T) {
		w := start(t, lab.Options{Proxy: "preview"})
		if got := w.get(w.onPremUser(), w.info.Graph+"/me/messages?$top=3"); got.status != 200 || len(values(got.doc)) != 3 {
			t.Errorf("in the preview: %d %s", got.status, got.body)
		}
		w = start(t, lab.Options{Proxy: "retired"})
		w.refused(w.onPremUser(), "GET", w.info.Graph+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", "", 404, "MailboxNotEnabledForRESTAPI", hosted)
	},
	88: func(t *testing.T) {
		w := start(t, lab.Options{Proxy: "preview"})
		w.refused(w.app(0), "GET", w.info.Graph+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", "", 401, "UnknownError", "")
	},
	89: func(t *testing.T) {
		w := start(t, lab.Options{Proxy: "preview"})
		for _, path := range []string{"/me/drive", "/users/" + w.info.Pairs[0].OnPremUPN + "/drive"} {
			w.refused(w.onPremUser(), "GET", w.info.Graph+path, "", 400, "ErrorInvalidRequest", "The OData request is not supported."+preview)
		}
	},
	90: func(t *testing.T) {
		w := start(t, lab.Options{Proxy: "writesBroken"})
		w.refused(w.onPremUser(), "POST", w.info.Graph+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", `{"subject":"x"}`, 400, "RequestBodyRead", unknownFirst+preview)
	},
	92: func(t *testing.T) {
		w := start(t, lab.Options{Proxy: "preview"})
		beta := strings.Replace(w.info.Graph, "/v1.0", "/beta", 1)
		w.refused(w.onPremUser(), "GET", beta+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", "", 400, "ErrorInvalidRequest", "The OData request is not supported."+preview)
	},
}

// refused asks and compares the refusal word for word.
func (w *world) refused(token, method, address, body string, status int, code, message string) {
	w.t.Helper()
	got := w.ask(token, method, address, body)
	if got.status != status || got.code != code || got.message != message {
		w.t.Errorf("%s %s:\ngot  %d %s %q\nwant %d %s %q", method, address, got.status, got.code, got.message, status, code, message)
	}
}

func TestTheAssertionsThatNeedTheProxy(t *testing.T) {
	raw, err := os.ReadFile("../../docs/lab-graph.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[int]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*?) \| (.*?) \| harness/lab \|$`).FindAllStringSubmatch(string(raw), -1) {
		var n int
		fmt.Sscan(row[1], &n)
		documented[n] = true
		check, ok := proxied[n]
		if !ok {
			t.Errorf("assertion %d has no test here", n)
			continue
		}
		t.Run(row[1]+" "+row[2]+" it "+row[3], check)
	}
	for n := range proxied {
		if !documented[n] {
			t.Errorf("assertion %d does not stand in docs/lab-graph.md", n)
		}
	}
}
