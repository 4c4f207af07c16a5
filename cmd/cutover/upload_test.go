package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/result"
)

// uploadSuite puts 4 MB up in two pieces, to the host that the server names.
const uploadSuite = `suite: upload
about: A large attachment goes up in two pieces.
scenarios:
  - name: large
    steps:
      - name: draft
        post: /me/messages
        body: {subject: "{{random.subject}}"}
        expect: {status: 201}
        capture: {draft: $.id}
      - name: session
        post: /me/messages/{{draft}}/attachments/createUploadSession
        body: {AttachmentItem: {attachmentType: file, name: big.bin, size: 4000000}}
        expect: {status: 201}
        capture: {upload: $.uploadUrl}
      - name: first
        put: "{{upload}}"
        headers: {Content-Type: application/octet-stream, Content-Range: "bytes 0-1999999/4000000"}
        body_file: half.bin
        expect: {status: 200}
      - name: second
        put: "{{upload}}"
        headers: {Content-Type: application/octet-stream, Content-Range: "bytes 2000000-3999999/4000000"}
        body_file: half.bin
        expect: {status: 201}
      - name: there
        get: /me/messages/{{draft}}/attachments
        query: {$select: [name, size]}
        expect: {status: 200, items: "= 1"}
load:
  - {name: once, constant: {rate: 2/s, for: 1s}}
`

// The upload host has another name than Graph's, and refuses a token: what goes
// there must be let through, and must leave the token behind.
func TestASuiteUploadsALargeAttachmentToTheHostThatGraphNames(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{"upload.yaml": []byte(uploadSuite), "half.bin": bytes.Repeat([]byte("x"), 2_000_000)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "run")
	var errs bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &errs, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test", Patience: patience}
	a.Main(context.Background(), []string{"run", filepath.Join(dir, "upload.yaml"), "--only", "right", "--quiet", "--format", "json", "--out", out})
	data, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	r, err := result.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]uint64{}
	for _, s := range r.Steps {
		asked[s.Step] = s.Outcomes["ok"]
	}
	for _, step := range []string{"draft", "session", "first", "second", "there"} {
		if asked[step] != 2 {
			t.Errorf("step %s was answered well %d times of 2: %v", step, asked[step], r.Reasons)
		}
	}
	if !bytes.Contains(data, []byte("sent = served: true")) {
		t.Error("what was sent is not what was served")
	}
}
