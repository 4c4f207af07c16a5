package profiles_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/profiles"
)

const located = `profile: p
paths:
  onprem: {rest: {url: https://mail.a.test/api/v2.0}, auth: {basic: {user: mailbox}}}
  cloud: {graph: {url: https://graph.b.test/v1.0}, auth: {token: {secret: {env: T}}}}
mailboxes: {file: boxes.csv}
`

func TestLocationsAreFilledIn(t *testing.T) {
	places := map[string]string{"ann onprem": "onprem", "ann cloud": "cloud", "ben cloud": "unlicensed"}
	for _, row := range []struct{ name, before, after string }{
		{"new columns: they stand behind the others", "name,onprem_smtp,cloud_upn\nann,ann@a.test,ann@b.test\nben,ben@a.test,ben@b.test\n",
			"name,onprem_smtp,cloud_upn,onprem_location,cloud_location\nann,ann@a.test,ann@b.test,onprem,cloud\nben,ben@a.test,ben@b.test,,unlicensed\n"},
		{"columns that are there: they are filled in place", "name,cloud_location,onprem_smtp,cloud_upn,tags\nann,old,ann@a.test,ann@b.test,vip\nben,old,ben@a.test,ben@b.test,\n",
			"name,cloud_location,onprem_smtp,cloud_upn,tags,onprem_location\nann,cloud,ann@a.test,ann@b.test,vip,onprem\nben,unlicensed,ben@a.test,ben@b.test,,\n"},
		{"a mailbox that was not looked for: its cell stays", "name,onprem_smtp,cloud_upn,cloud_location\ncid,cid@a.test,cid@b.test,cloud\nann,ann@a.test,ann@b.test\n",
			"name,onprem_smtp,cloud_upn,cloud_location,onprem_location\ncid,cid@a.test,cid@b.test,cloud,\nann,ann@a.test,ann@b.test,cloud,onprem\n"},
		{"comments, semicolons, references and a byte order mark: they stay", "\ufeff# pilot; first\nname;onprem_smtp;onprem_secret;cloud_upn\n# the boss\nann;ann@a.test;env:ANN;\"ann@b.test\"\n# end\n",
			"\ufeff# pilot; first\nname;onprem_smtp;onprem_secret;cloud_upn;onprem_location;cloud_location\n# the boss\nann;ann@a.test;env:ANN;ann@b.test;onprem;cloud\n# end\n"},
		{"line ends of Windows: they stay", "name,onprem_smtp,cloud_upn\r\nann,ann@a.test,ann@b.test\r\n", "name,onprem_smtp,cloud_upn,onprem_location,cloud_location\r\nann,ann@a.test,ann@b.test,onprem,cloud\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			file, table := filepath.Join(dir, "p.yaml"), filepath.Join(dir, "boxes.csv")
			for name, text := range map[string]string{file: located, table: row.before} {
				if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			p, err := profiles.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.WriteLocations(func(mailbox, path string) string { return places[mailbox+" "+path] }); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(table)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.after, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := profiles.Load(file)
			if err != nil {
				t.Fatalf("the file is not read any more: %v", err)
			}
			if at := again.Mailboxes.List[len(again.Mailboxes.List)-1].Address["cloud"].Location; at == "" || at == "old" {
				t.Errorf("the location is not read back: %q", at)
			}
			if left, _ := os.ReadDir(dir); len(left) != 2 {
				t.Errorf("files are left: %v", left)
			}
			if info, _ := os.Stat(table); info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v", info.Mode())
			}
		})
	}
}

func TestAProfileWithoutAFileHasNowhereToWrite(t *testing.T) {
	p, err := profiles.Parse("p.yaml", []byte("profile: p\npaths:\n  t: {plain: {url: 'http://127.0.0.1:1'}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WriteLocations(func(string, string) string { return "" }); err == nil || p.MailboxFile() != "" {
		t.Errorf("got %v for %q", err, p.MailboxFile())
	}
}
