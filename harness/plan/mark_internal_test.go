package plan

import (
	"testing"

	"cutover/suites"
	"cutover/suites/strictyaml"
)

func TestWhatIsMailedBeginsWithTheRunsTag(t *testing.T) {
	for _, row := range []struct {
		it, endpoint, body string
		mailed             bool
		want               string
	}{
		{"puts it before the subject of mail", "POST /me/sendMail", `{"message":{"subject":"a","n":1.50}}`, false, `{"message":{"subject":"{{run.tag}} a","n":1.50}}`},
		{"finds the subject in any case", "POST /me/sendMail", `{"Message":{"SUBJECT":"a"}}`, false, `{"Message":{"SUBJECT":"{{run.tag}} a"}}`},
		{"finds every message", "POST /me/sendMail", `{"message":{"subject":"a"},"Message":{"subject":"b"}}`, false, `{"message":{"subject":"{{run.tag}} a"},"Message":{"subject":"{{run.tag}} b"}}`},
		{"gives mail a subject", "POST /me/sendMail", `{"message":{"body":{}}}`, false, `{"message":{"subject":"{{run.tag}}","body":{}}}`},
		{"gives an empty message a subject", "POST /me/sendMail", `{"message":{}}`, false, `{"message":{"subject":"{{run.tag}}"}}`},
		{"does not repeat it", "POST /me/sendMail", `{"message":{"subject":"{{run.tag}} a"}}`, false, ""},
		{"leaves a draft alone that nobody mails", "POST /me/messages", `{"subject":"a"}`, false, ""},
		{"marks a draft that is mailed", "POST /me/mailFolders/inbox/messages", `{"subject":"a","body":{"subject":"b"}}`, true, `{"subject":"{{run.tag}} a","body":{"subject":"b"}}`},
		{"marks what a draft is changed to", "PATCH /me/messages/{id}", `{"subject":"a"}`, true, `{"subject":"{{run.tag}} a"}`},
		{"leaves changes of other things alone", "PATCH /me/messages/{id}", `{"isRead":true}`, true, ""},
		{"marks an invitation", "POST /me/events", `{"subject":"a","attendees":[{}]}`, false, `{"subject":"{{run.tag}} a","attendees":[{}]}`},
		{"leaves an appointment alone", "POST /me/events", `{"subject":"a","attendees":[]}`, false, ""},
		{"marks the subject that an answer is given", "POST /me/messages/{id}/reply", `{"message":{"subject":"a"}}`, true, `{"message":{"subject":"{{run.tag}} a"}}`},
		{"gives an answer no subject", "POST /me/messages/{id}/reply", `{"message":{},"comment":"x"}`, true, ""},
		{"leaves what is no object alone", "POST /me/sendMail", `{"message":[1]}`, false, ""},
		{"leaves raw bodies alone", "POST /me/sendMail", "", false, ""},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			op := suites.Operation{}
			if row.body != "" {
				op.Body = strictyaml.ValueOf([]byte(row.body))
			}
			got, changed := marked(op, row.endpoint, row.mailed)
			if changed != (row.want != "") || changed && string(got.Body.JSON()) != row.want {
				t.Errorf("marked = %s, %v; want %s", got.Body.JSON(), changed, row.want)
			}
		})
	}
}
