package reports_test

import (
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/result"
	"cutover/reports"
)

const agreedHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func consented() *result.Result {
	r := fixture()
	r.Observed = &result.Observed{Rate: 104, Concurrency: 12, MailboxRate: 8, MailboxConcurrency: 4, Items: 12, MailboxItems: 3, Mails: 2, Bytes: 20_480, Slowdowns: 1,
		Control: []result.Control{{Path: "cloud", Probes: 160, BaselineMS: 40, WorstMS: 52.5}, {Path: "onprem", Probes: 3, BaselineMS: 12}}}
	r.Consent = &result.Consent{SHA256: agreedHash, Approver: "Jane Doe"}
	r.Audit = &result.Audit{Head: strings.Repeat("ab", 32)}
	return r
}

func TestEveryReportNamesTheConsent(t *testing.T) {
	for _, f := range reports.Formats() {
		out := string(render(t, f.Name, consented(), inFolder))
		if !strings.Contains(out, agreedHash) {
			t.Errorf("%s does not name the consent's hash", f.Name)
		}
		if ext := filepath.Ext(f.File); (ext == ".txt" || ext == ".html" || ext == ".md") && !strings.Contains(out, "not proved") {
			t.Errorf("%s does not say that the approver is not proved", f.Name)
		}
	}
}

func TestTheTextSaysHowFarTheRunWent(t *testing.T) {
	out := string(render(t, "text", consented(), reports.Options{}))
	out = strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"at most 104 requests in a second and 12 at once, of one mailbox on one path 8 and 4 at once; 12 items begun, at most 3 in a mailbox, 2 requests that may have sent mail, 20.5 kB written",
		"a brake halved the rate 1 time",
		"control mailbox on cloud: p95 40 ms before the load, at worst 52.5 ms while it ran (160 probes)",
		"control mailbox on onprem: p95 12 ms before the load, 3 probes while it ran: too few for a p95",
		"audit head " + strings.Repeat("ab", 32) + " (not keyed: it shows accidents, not forgery)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}
