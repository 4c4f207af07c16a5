package plan

import (
	"testing"

	"cutover/suites"
	"cutover/suites/strictyaml"
)

func TestWhatIsCreatedCarriesTheRunsTag(t *testing.T) {
	for _, row := range []struct{ it, endpoint, body, want string }{
		{"adds categories behind what the suite says", "POST /me/messages", `{"subject":"a","n":1.50}`, `{"subject":"a","n":1.50,"categories":["{{run.tag}}"]}`},
		{"keeps what is nested at the end", "POST /me/messages", `{"body":{"content":"a"}}`, `{"body":{"content":"a"},"categories":["{{run.tag}}"]}`},
		{"adds them to an empty body", "POST /me/events", `{}`, `{"categories":["{{run.tag}}"]}`},
		{"joins the suite's categories", "POST /me/mailFolders/drafts/messages", `{"categories":["Red"]}`, `{"categories":["Red","{{run.tag}}"]}`},
		{"does not repeat the tag", "POST /me/contacts", `{"categories":["{{run.tag}}"]}`, ""},
		{"leaves what is not created alone", "PATCH /me/messages/{id}", `{"subject":"a"}`, ""},
		{"leaves moves alone", "POST /me/messages/{id}/move", `{"destinationId":"archive"}`, ""},
		{"leaves folders alone", "POST /me/mailFolders", `{"displayName":"a"}`, ""},
		{"leaves what is no object alone", "POST /me/messages", `[1]`, ""},
		{"leaves raw bodies alone", "POST /me/messages", "", ""},
	} {
		t.Run(row.it, func(t *testing.T) {
			op := suites.Operation{}
			if row.body != "" {
				op.Body = strictyaml.ValueOf([]byte(row.body))
			}
			got, changed := tagged(op, row.endpoint)
			if changed != (row.want != "") || changed && string(got.Body.JSON()) != row.want {
				t.Errorf("tagged = %s, %v; want %s", got.Body.JSON(), changed, row.want)
			}
		})
	}
}
