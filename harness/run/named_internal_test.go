package run

import (
	"strings"
	"testing"

	"cutover/harness/result"
	"cutover/harness/wire"
)

func TestAThrottlingAnswerNamesItsLimit(t *testing.T) {
	for _, c := range []struct {
		it               string
		status           int
		name, value      string
		body             string
		bucket, evidence string
	}{
		{"is a mailbox's concurrency in Graph's words", 429, "", "", `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`,
			result.BucketConcurrency, "MailboxConcurrency"},
		{"is a mailbox's uploads", 429, "", "", `Application is over its UploadVolume limit.`, result.BucketUpload, "UploadVolume"},
		{"is a mailbox's window", 429, "", "", `{"error":{"code":"TooManyRequests"}}`, result.BucketMailbox, "TooManyRequests"},
		{"is a mailbox's in Outlook's words of 2017", 429, "Rate-Limit-Reason", "UserRate", "", result.BucketMailbox, "Rate-Limit-Reason: UserRate"},
		{"is the application's where a scope says so", 429, "x-ms-throttle-scope", "Tenant_Application/ReadWrite/x", `TooManyRequests`, result.BucketApp, "x-ms-throttle-scope: Tenant_Application/ReadWrite/x"},
		{"is the application's where a policy is told", 429, "RateLimit-Policy", strings.Repeat("q", 100), "", result.BucketApp, "RateLimit-Policy: " + strings.Repeat("q", 60) + "…"},
		{"is the server's when it is busy", 500, "", "", `{"error":{"code":"ErrorServerBusy"}}`, result.BucketServer, "ErrorServerBusy"},
		{"is the server's when it is not there", 503, "RateLimit", "x", "", result.BucketServer, "503"},
		{"has no name when none is told", 429, "Retry-After", "3", "slow down", result.BucketUnnamed, ""},
	} {
		resp := &wire.Response{Status: c.status, Header: wire.Header{{Name: c.name, Value: c.value}}, Body: []byte(c.body)}
		if bucket, evidence := named(resp); bucket != c.bucket || evidence != c.evidence {
			t.Errorf("it %s: %q by %q, want %q by %q", c.it, bucket, evidence, c.bucket, c.evidence)
		}
	}
}
