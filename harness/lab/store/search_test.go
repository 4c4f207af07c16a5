package store_test

import (
	"testing"

	"cutover/harness/lab/store"
)

func TestSearch(t *testing.T) {
	_, m := pair(t, 1)
	zoe := []store.Address{{Name: "Zoë", Address: "zoe@x.test"}}
	x, err := m.CreateMessage(0, func(x *store.Message) {
		x.Subject, x.Importance, x.To, x.Cc, x.Bcc, x.From = "quarterly zebra", "high", zoe, zoe, zoe, &zoe[0]
		x.SetBody(store.Body{Kind: "html", Content: "<p>about <b>giraffes</b></p>"})
		x.SetAttachments([]*store.Attachment{store.NewFile("lion.txt", "", nil)})
	})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]bool{
		"zebra": true, "ZEBRA gir*": true, "zebra elephant": false, "elephant OR zebra": true, "zebra AND giraffes": true, "zebra NOT giraffes": false, "zebra -giraffes": false, "NOT elephant": true,
		"subject:zebra": true, "body:zebra": false, "from:zoe": true, "to:zoe": true, "cc:zoe": true, "bcc:zoe": true, "recipients:nobody": false, "participants:Zoë": true,
		"hasAttachments:true": true, "hasattachment:false": false, "importance:high": true, "importance:medium": false, "attachment:lion": true, "attachment:tiger": false,
		"received>=2026-03-02": true, "received:2026-03-02": true, "received<2026-03-02": false, "sent<=2026-03-02": true, "sent>soon": false, "size>1": true, "size<1": false, "size:x": false,
		"kind:email": true, "kind:meetings": false, `"quarterly zebra"`: true, `subject:"quarterly zebra"`: true, "(zebra)": true, "": false, "flavour:sweet": false,
	} {
		if got := store.Search(query)(x); got != want {
			t.Errorf("%q is %v, want %v", query, got, want)
		}
	}
}
