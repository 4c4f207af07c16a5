package result

// Observed is how far the run went, as the door to the network saw it, beside the
// caps that it was given.
type Observed struct {
	Rate               int   `json:"highest_rate"`                // requests in one second, all paths
	Concurrency        int   `json:"highest_concurrency"`         // requests under way at once
	MailboxRate        int   `json:"highest_mailbox_rate"`        // requests of one mailbox on one path in one second
	MailboxConcurrency int   `json:"highest_mailbox_concurrency"` // requests of one mailbox on one path under way at once
	Items              int   `json:"items"`                       // created or begun
	MailboxItems       int   `json:"highest_mailbox_items"`       // created or begun in one mailbox
	Mails              int   `json:"mails"`                       // requests that may have sent mail
	Bytes              int64 `json:"bytes_written"`               // request bodies of writes
	MailboxBytes       int64 `json:"highest_mailbox_bytes"`       // request bodies of writes to one mailbox
	Slowdowns          int   `json:"slowdowns,omitempty"`         // how often a brake halved the rate
	// Control is how a mailbox outside the load fared, by path; empty when none was named.
	Control []Control `json:"control,omitempty"`
}

// Control is what the load did to a mailbox that it did not touch.
type Control struct {
	Path       string  `json:"path"`
	Probes     int     `json:"probes"`          // while the load ran
	BaselineMS float64 `json:"baseline_p95_ms"` // before the load
	WorstMS    float64 `json:"worst_p95_ms"`    // of any 20 answers in a row under load; 0 before there were 20
}

// Consent names what the owner of the deployment agreed to.
type Consent struct {
	SHA256   string `json:"sha256"` // of the file, by which the approver recognises it
	Approver string `json:"approver"`
	// Proved tells that the file was signed with the key that the profile names for its
	// approver. Without that, whoever can write the file can write the name.
	Proved bool `json:"approver_proved"`
}

// Audit is where the chained record of the run ended.
type Audit struct {
	Head  string `json:"head"`  // MAC of the last line; `cutover verify RUN --head` compares it
	Keyed bool   `json:"keyed"` // with the campaign's secret; otherwise it shows accidents, not forgery
}
