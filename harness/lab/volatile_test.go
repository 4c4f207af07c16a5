package lab_test

import (
	"testing"

	"cutover/harness/lab"
)

func TestVolatilePropertiesAreAnotherTextEveryTime(t *testing.T) {
	w := start(t, lab.Options{Mailboxes: 1, Volatile: "cloud:jobTitle,cloud:companyName=steady"})
	token := w.app(0)
	address := w.info.Graph + "/users/" + w.info.Pairs[0].CloudUPN + "/contacts?$top=1&$select=jobTitle,companyName,displayName"
	contact := func() map[string]any {
		return w.ask(token, "GET", address, "").doc["value"].([]any)[0].(map[string]any)
	}
	first, second := contact(), contact()
	if first["jobTitle"] == second["jobTitle"] || first["companyName"] != "steady" || first["displayName"] != second["displayName"] {
		t.Errorf("two answers: %v and %v", first, second)
	}
}

func TestAVolatilePropertyNeedsASide(t *testing.T) {
	for _, wrong := range []string{"jobTitle", "left:jobTitle", "cloud:", "cloud:a=b"} {
		if _, err := lab.ParseSettings(map[string]string{"volatile": wrong}); err == nil {
			t.Errorf("lab.volatile=%s is accepted", wrong)
		}
	}
}
