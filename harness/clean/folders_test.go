package clean_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clean"
	"cutover/harness/journal"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// vanishing is scripted, and shows no folder of the run any more once one was deleted.
type vanishing struct {
	scripted
	deleted []string
}

func (v *vanishing) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	v.scripted.Do(ctx, req, into)
	if req.Method == "DELETE" {
		v.deleted = append(v.deleted, v.asked[len(v.asked)-1])
		v.answers["GET /mailFolders"] = strings.Replace(v.answers["GET /mailFolders"], "-x plans", "-y plans", 1)
	}
}

// A run was killed after it had asked for a folder and before the answer came: its name begins
// with the run's tag, and by that it is found.
func TestAFolderWithoutAnAnswerIsFoundByItsName(t *testing.T) {
	d := deploy(t, &server{}, nil)
	s := &vanishing{scripted: scripted{answers: map[string]string{
		"GET /messages":    `{"value":[]}`,
		"GET /mailFolders": `{"value":[{"id":"f1","displayName":"cutover-20260302T020000Z-x plans"},{"id":"f2","displayName":"plans"},{"id":"f3","displayName":"cutover-20260302T020000Z-xy"}]}`,
	}}}
	d.deps.Doers["cloud"], d.deps.Journal = s, nil
	entries := []journal.Entry{{Seq: 1, Path: "cloud", Mailbox: "ann", Sort: "folder", Tag: "cutover-20260302T020000Z-x", Tagged: true,
		URL: "https://h/v1.0/users/ann@b.test/mailFolders", State: journal.Intended}}
	got, err := clean.Run(t.Context(), entries, d.deps)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DELETE /mailFolders/f1"}, s.deleted); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(result.Cleanup{Proof: clean.Proof}, got); diff != "" {
		t.Errorf("clean-up (-want +got):\n%s", diff)
	}
}
