package reports

import (
	"fmt"

	"cutover/harness/result"
)

// safetyWords says how far the run went, what it did to others, who agreed to it and
// where its record ended, a line each.
func safetyWords(r *result.Result) []string {
	var lines []string
	if o := r.Observed; o != nil {
		lines = append(lines, observedWords(o))
		if o.Slowdowns > 0 {
			lines = append(lines, "a brake halved the rate "+plural(uint64(o.Slowdowns), "time", "times"))
		}
		for _, c := range o.Control {
			lines = append(lines, controlWords(c))
		}
	}
	if line := consentWords(r); line != "" {
		lines = append(lines, line)
	}
	if a := r.Audit; a != nil {
		keyed := "not keyed: it shows accidents, not forgery"
		if a.Keyed {
			keyed = "keyed by the campaign's secret"
		}
		lines = append(lines, fmt.Sprintf("audit head %s (%s)", clean(a.Head), keyed))
	}
	return lines
}

// observedWords are the highest figures of the whole run, before and after the load included.
func observedWords(o *result.Observed) string {
	text := fmt.Sprintf("at most %s in a second and %s at once, of one mailbox on one path %s and %s at once",
		plural(uint64(o.Rate), "request", "requests"), count(uint64(o.Concurrency)), count(uint64(o.MailboxRate)), count(uint64(o.MailboxConcurrency)))
	if o.Items+o.Mails > 0 || o.Bytes > 0 {
		text += fmt.Sprintf("; %s begun, at most %s in a mailbox, %s that may have sent mail, %s written",
			plural(uint64(o.Items), "item", "items"), count(uint64(o.MailboxItems)), plural(uint64(o.Mails), "request", "requests"), size(uint64(max(o.Bytes, 0))))
	}
	return text
}

// controlWords says how a mailbox outside the load fared.
func controlWords(c result.Control) string {
	if c.WorstMS == 0 {
		return fmt.Sprintf("control mailbox on %s: p95 %s before the load, %s while it ran: too few for a p95", clean(c.Path), withUnit(c.BaselineMS), plural(uint64(c.Probes), "probe", "probes"))
	}
	return fmt.Sprintf("control mailbox on %s: p95 %s before the load, at worst %s while it ran (%s)", clean(c.Path), withUnit(c.BaselineMS), withUnit(c.WorstMS), plural(uint64(c.Probes), "probe", "probes"))
}

// consentHash is the SHA-256 of the consent file, "" where none was needed.
func consentHash(r *result.Result) string {
	if r.Consent == nil {
		return ""
	}
	return clean(r.Consent.SHA256)
}

// consentWords names the consent file, "" where none was needed.
func consentWords(r *result.Result) string {
	c := r.Consent
	if c == nil {
		return ""
	}
	proof := "not proved: whoever can write the file can write the name"
	if c.Proved {
		proof = "proved by signature"
	}
	return fmt.Sprintf("consent SHA-256 %s, approved by %s (%s)", clean(c.SHA256), clean(c.Approver), proof)
}
