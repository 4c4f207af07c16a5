package onprem_test

import (
	"net/http"
	"testing"
)

func TestAListThatIsAskedAgainShowsEveryWriteInBetween(t *testing.T) {
	s := open(t, nil)
	const inbox, drafts = "/api/v2.0/me/mailfolders/inbox/messages?$top=5&$count=true", "/api/v2.0/me/mailfolders/drafts/messages?$top=5&$select=Subject&$count=true"
	id := list(s.get(inbox))[0]["Id"].(string)
	draft := ""
	for _, row := range []struct {
		it    string
		write func()
	}{
		{"shows a draft", func() {
			draft = s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages", `{"Subject":"one"}`), http.StatusCreated)["Id"].(string)
		}},
		{"shows a changed subject", func() {
			s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/messages/"+draft, `{"Subject":"two"}`), http.StatusOK)
		}},
		{"shows what was read", func() {
			s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/messages/"+id, `{"IsRead":false,"Categories":["x"]}`), http.StatusOK)
		}},
		{"misses what was moved away", func() {
			s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages/"+id+"/move", `{"DestinationId":"drafts"}`), http.StatusCreated)
		}},
		{"misses what was deleted", func() { s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/messages/"+draft, ""), http.StatusNoContent) }},
	} {
		for _, path := range []string{inbox, drafts} {
			s.get(path)
		}
		row.write()
		for _, path := range []string{inbox, drafts} {
			s.header["Prefer"] = []string{"x"} // asks the store anew
			anew := s.ask(http.MethodGet, path, "").Body.String()
			delete(s.header, "Prefer")
			first, second := s.ask(http.MethodGet, path, "").Body.String(), s.ask(http.MethodGet, path, "").Body.String()
			if first != anew || second != anew {
				t.Errorf("%s: %s is not what is there:\n%.300s\n%.300s", row.it, path, first, anew)
			}
		}
	}
}

// What one may read is asked before what was kept is given out.
func TestAKeptListIsOnlyForWhoMayReadIt(t *testing.T) {
	s := open(t, nil)
	u := s.mb.User()
	path := "/api/v2.0/users/" + u.UPN + "/messages?$top=2"
	s.get(path)
	s.get(path)
	other := s.store.Pairs()[1].OnPrem.User()
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(other.UPN, other.Password)
	s.header["Authorization"] = r.Header["Authorization"]
	if w := s.ask(http.MethodGet, path, ""); w.Code != http.StatusForbidden {
		t.Errorf("somebody else got %d", w.Code)
	}
}
