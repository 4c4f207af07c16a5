package guard

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/wire"
)

// agreedTo is a consent with these further lines.
func agreedTo(t *testing.T, lines ...string) *Consent {
	t.Helper()
	base := "consent: v1\nkind: run\ntenant: contoso.test\nhosts: [mail.contoso.test]\nmailboxes: ['@contoso.test']\nrecipients: ['@contoso.test']\noperations: [read, create, change, delete, mail]\nexpires: 2999-12-31\napprover: Jane Doe\n"
	c, err := ParseConsent("consent.yaml", []byte(base+strings.Join(append(lines, "rate: 50/s"), "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNoFlagExceedsWhatTheConsentAllows asks for more of everything than was agreed to.
func TestNoFlagExceedsWhatTheConsentAllows(t *testing.T) {
	greedy := Caps{Rate: 1e6, MailboxRate: 1e6, MailboxConcurrency: 1e6, Concurrency: 1e6, Items: 1e6, MailboxItems: 1e6, Mails: 1e6, Bytes: 1e12, MailboxBytes: 1e12}
	for _, row := range []struct {
		it    string
		lines []string
		asked Caps
		want  Caps
	}{
		{"falls back to its defaults", nil, Caps{},
			Caps{Rate: 50, MailboxRate: 8, MailboxConcurrency: 4, Concurrency: 512, Items: 10_000, MailboxItems: 1_000, Mails: -1, Bytes: 1e9, MailboxBytes: 1e8}},
		{"lets nobody exceed its defaults", nil, greedy,
			Caps{Rate: 50, MailboxRate: 8, MailboxConcurrency: 4, Concurrency: 512, Items: 10_000, MailboxItems: 1_000, Mails: -1, Bytes: 1e9, MailboxBytes: 1e8}},
		{"keeps to each figure that the consent names", []string{"per_mailbox: {concurrency: 2, rate: 3/s, items: 4, megabytes: 5}", "items: 6", "mails: 7", "megabytes: 8", "concurrency: 9"}, greedy,
			Caps{Rate: 50, MailboxRate: 3, MailboxConcurrency: 2, Concurrency: 9, Items: 6, MailboxItems: 4, Mails: 7, Bytes: 8e6, MailboxBytes: 5e6}},
		{"lets a mailbox have no more than all of them", []string{"items: 6", "megabytes: 8"}, Caps{},
			Caps{Rate: 50, MailboxRate: 8, MailboxConcurrency: 4, Concurrency: 512, Items: 6, MailboxItems: 6, Mails: -1, Bytes: 8e6, MailboxBytes: 8e6}},
		{"may be asked for less", []string{"mails: 7"}, Caps{Rate: 1, MailboxRate: 1, MailboxConcurrency: 1, Concurrency: 1, Items: 1, MailboxItems: 1, Mails: 1, Bytes: 1, MailboxBytes: 1},
			Caps{Rate: 1, MailboxRate: 1, MailboxConcurrency: 1, Concurrency: 1, Items: 1, MailboxItems: 1, Mails: 1, Bytes: 1, MailboxBytes: 1}},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			r := remote(row.asked)
			r.Consent = agreedTo(t, row.lines...)
			if diff := cmp.Diff(row.want, r.Caps.within(r)); diff != "" {
				t.Errorf("caps (-want +got)\n%s", diff)
			}
		})
	}
}

// parts is a batch of creations, sends and reads.
func parts(creations, sends, reads int) *wire.Request {
	var all []string
	add := func(n int, part string) {
		for range n {
			all = append(all, fmt.Sprintf(`{"id":"%d",%s}`, len(all), part))
		}
	}
	add(creations, `"method":"POST","url":"/me/messages","body":{"subject":"x"}`)
	add(sends, `"method":"POST","url":"/me/sendMail","body":{"message":{"toRecipients":[{"emailAddress":{"address":"m1@contoso.test"}}]}}`)
	add(reads, `"method":"GET","url":"/me/messages"`)
	return &wire.Request{Method: "POST", URL: "https://mail.contoso.test/v1.0/$batch", Mailbox: "m1", Body: []byte(`{"requests":[` + strings.Join(all, ",") + `]}`),
		Effect: wire.Effect{Writes: creations+sends > 0, Mails: sends > 0}}
}

func TestEachVolumeEndsTheWritesThatWouldExceedIt(t *testing.T) {
	create := func(mailbox string, size int) *wire.Request {
		return &wire.Request{Method: "POST", URL: listing, Mailbox: mailbox, Effect: wire.Effect{Writes: true, Creates: "message"}, Body: []byte(`{"subject":"` + strings.Repeat("x", size) + `"}`)}
	}
	mail := &wire.Request{Method: "POST", URL: listing, Mailbox: "m1", Effect: wire.Effect{Writes: true, Mails: true, Recipients: []string{"m1@contoso.test"}}}
	upload := &wire.Request{Method: "PUT", URL: "https://outlook.contoso.test/session", Mailbox: "m1", Body: make([]byte, 600)}
	read := &wire.Request{Method: "GET", URL: listing, Mailbox: "m1"}
	for _, row := range []struct {
		it   string
		caps Caps
		sent []*wire.Request
		want string // a letter each: sent, refused
	}{
		{"ends creations at their number", Caps{Items: 2}, []*wire.Request{create("m1", 1), create("m2", 1), create("m1", 1), read}, "ssrs"},
		{"ends those in one mailbox at theirs", Caps{MailboxItems: 1}, []*wire.Request{create("m1", 1), create("m1", 1), create("m2", 1)}, "srs"},
		{"ends mails at their number", Caps{Mails: 1}, []*wire.Request{mail, mail, create("m1", 1)}, "srs"},
		{"ends bytes at their number", Caps{Bytes: 1000}, []*wire.Request{create("m1", 500), create("m2", 500), create("m2", 100), read}, "srss"},
		{"ends bytes in one mailbox at theirs", Caps{MailboxBytes: 1000}, []*wire.Request{create("m1", 500), create("m1", 500), create("m2", 500)}, "srs"},
		{"counts what is uploaded", Caps{Bytes: 1000}, []*wire.Request{upload, upload}, "sr"},
		{"counts the parts of a batch that create", Caps{Items: 20}, []*wire.Request{parts(15, 0, 3), parts(6, 0, 0), parts(5, 0, 0), parts(0, 0, 20)}, "srss"},
		{"counts the parts of a batch that mail", Caps{Mails: 3}, []*wire.Request{parts(0, 2, 0), parts(0, 2, 0), parts(0, 1, 5)}, "srs"},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := remote(row.caps)
				r.Consent = agreedTo(t, "mails: 1000")
				r.Hosts["cloud"] = append(r.Hosts["cloud"], "outlook.contoso.test:443")
				r.Consent.Hosts = append(r.Consent.Hosts, "outlook.contoso.test")
				d, err := Open(r)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				p, got := d.doer("cloud", &target{}), ""
				for _, req := range row.sent {
					var call wire.Call
					p.Do(t.Context(), req, &call)
					switch refusal, no := refused(&call); {
					case call.Failure == nil:
						got += "s"
					case no && refusal.Rule == "volume":
						got += "r"
					default:
						got += "(" + call.Failure.Error() + ")"
					}
				}
				if got != row.want {
					t.Errorf("sent and refused: %s, want %s", got, row.want)
				}
			})
		})
	}
}

func TestAllMailboxesTogetherHaveSoManyUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, d := flood(t, remote(Caps{Concurrency: 6}), 20, 2, time.Second)
		defer d.Close()
		if o := d.Observed(); o.Concurrency != 6 {
			t.Errorf("%d at once, want 6", o.Concurrency)
		}
		if took := time.Since(x.t0); took < 6*time.Second {
			t.Errorf("40 requests of a second took %s by six at a time", took)
		}
	})
}
