package lab_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cutover/harness/lab"
)

// An attachment of 3 MB or more goes through an upload session, where there is one:
// for cloud mailboxes, in Graph of 2019 as of today, on a host of its own. The
// on-prem servers do not know the segment, with or without Graph in front.
func TestALargeAttachmentTakesAnUploadSessionWhereThereAreAny(t *testing.T) {
	w := start(t, lab.Options{})
	const size = 3<<20 + 5
	open := fmt.Sprintf(`{"AttachmentItem":{"attachmentType":"file","name":"big.bin","size":%d}}`, size)
	for name, graph := range map[string]string{"today": w.info.Graph, "2019": w.info.GraphEras["2019"]} {
		user := w.cloudUser()
		draft := w.ask(user, "POST", graph+"/me/messages", `{"subject":"large"}`).doc["id"].(string)
		got := w.ask(user, "POST", graph+"/me/messages/"+draft+"/attachments/createUploadSession", open)
		to, _ := got.doc["uploadUrl"].(string)
		if got.status != 201 || origin(to) == origin(graph) || !strings.HasPrefix(to, w.info.GraphUpload+"/api/v2.0/Users('") || fmt.Sprint(got.doc["nextExpectedRanges"]) != "[0-]" {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		if a := w.put(to, user, 0, 9, size); a.status != 401 {
			t.Errorf("%s: with a token the upload host says %d %s", name, a.status, a.body)
		}
		for _, step := range []struct {
			from, to, total, status int
			next                    string
		}{
			{0, 1<<20 - 1, size, 200, "[1048576]"}, {0, 1<<20 - 1, size, 416, ""}, {2 << 20, size - 1, size, 416, ""}, {1 << 20, size, size + 1, 400, ""},
			{1 << 20, size - 1, size, 201, ""}, {1 << 20, size - 1, size, 404, ""},
		} {
			a := w.put(to, "", step.from, step.to, step.total)
			if next, ok := a.doc["NextExpectedRanges"]; a.status != step.status || ok && fmt.Sprint(next) != step.next || (a.status == 201) != (a.header.Get("Location") != "") {
				t.Errorf("%s: bytes %d-%d: %d %s", name, step.from, step.to, a.status, a.body)
			}
		}
		if a := w.get(user, graph+"/me/messages/"+draft+"/attachments?$select=name,isInline"); field(a, "name") != "big.bin" {
			t.Errorf("%s: %s", name, a.body)
		}
		again, _ := w.ask(user, "POST", graph+"/me/messages/"+draft+"/attachments/createUploadSession", open).doc["uploadUrl"].(string)
		if a := w.ask("", http.MethodDelete, again, ""); a.status != 204 {
			t.Errorf("%s: cancelling: %d %s", name, a.status, a.body)
		}
		if a := w.put(again, "", 0, 9, size); a.status != 404 {
			t.Errorf("%s: after cancelling: %d %s", name, a.status, a.body)
		}
		if a := w.ask(user, "POST", graph+"/me/messages/"+draft+"/attachments/createUploadSession", strings.Replace(open, fmt.Sprint(size), "157286401", 1)); a.status != 400 {
			t.Errorf("%s: more than 150 MB: %d", name, a.status)
		}
	}
	draft := w.rest(0, "POST", "/me/messages", `{"Subject":"large"}`).doc["Id"].(string)
	for address, want := range map[string]string{
		w.info.GraphEras["2019"]: "400 RequestBroker-ParseUri", w.info.Graph: "404 MailboxNotEnabledForRESTAPI",
	} {
		a := w.ask(w.onPremUser(), "POST", address+"/me/messages/"+draft+"/attachments/createUploadSession", open)
		if got := fmt.Sprint(a.status, " ", a.code); got != want || (a.status == 400) != strings.HasSuffix(a.message, preview) {
			t.Errorf("%s: %s %s, want %s", address, got, a.message, want)
		}
	}
	if a := w.rest(0, "POST", "/me/messages/"+draft+"/attachments/createUploadSession", open); fmt.Sprint(a.status, " ", a.code) != "400 RequestBroker-ParseUri" {
		t.Errorf("the servers themselves: %d %s", a.status, a.body)
	}
}

// put sends a range.
func (w *world) put(address, token string, from, to, total int) answer {
	return w.ask(token, http.MethodPut, address, strings.Repeat("x", to-from+1), "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, total), "Content-Type", "application/octet-stream")
}
