package onprem_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnExtendedPropertyIsKeptAndReturnedWhenAskedForByItsId(t *testing.T) {
	s := open(t, nil)
	const id = "String {00020329-0000-0000-C000-000000000046} Name key"
	made := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/messages", `{"Subject":"x","SingleValueExtendedProperties":[{"PropertyId":"`+id+`","Value":"7"}]}`), 201)
	at := "/api/v2.0/me/messages/" + made["Id"].(string)
	if got := s.get(at); got["SingleValueExtendedProperties"] != nil {
		t.Errorf("unasked, the message shows %v", got["SingleValueExtendedProperties"])
	}
	asked := s.get(at + "?$expand=SingleValueExtendedProperties($filter=PropertyId%20eq%20'" + url.PathEscape(id) + "')")
	want := []any{map[string]any{"PropertyId": "String {00020329-0000-0000-c000-000000000046} Name key", "Value": "7"}}
	if diff := cmp.Diff(want, asked["SingleValueExtendedProperties"]); diff != "" {
		text, _ := json.Marshal(asked)
		t.Errorf("(-want +got):\n%s%s", diff, text)
	}
	s.refused(http.MethodGet, at+"?$expand=SingleValueExtendedProperties", "", 400, "ErrorInvalidRequest")
	s.refused(http.MethodPost, "/api/v2.0/me/messages", `{"SingleValueExtendedProperties":[{"id":"x y","Value":"7"}]}`, 400, "RequestBodyRead")
	s.refused(http.MethodPost, "/api/v2.0/me/messages", `{"SingleValueExtendedProperties":[{"PropertyId":"x","Value":"7"}]}`, 400, "RequestBodyRead")
}
