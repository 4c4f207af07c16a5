package onprem_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab/store"
)

func TestEventsAreMadeChangedAnsweredAndRemoved(t *testing.T) {
	s := open(t, nil)
	body := `{"Subject":"Stand-up","Body":{"ContentType":"Text","Content":"daily"},"Start":{"DateTime":"2026-03-10T09:00:00","TimeZone":"W. Europe Standard Time"},
		"End":{"DateTime":"2026-03-10T09:15:00","TimeZone":"W. Europe Standard Time"},"Location":{"DisplayName":"Room 1","Address":{"City":"Oslo"}},"ShowAs":"busy",
		"Recurrence":{"Pattern":{"Type":"Weekly","Interval":1,"DaysOfWeek":["Tuesday"],"FirstDayOfWeek":"Monday"},"Range":{"Type":"Numbered","StartDate":"2026-03-10","NumberOfOccurrences":3,"RecurrenceTimeZone":"W. Europe Standard Time"}},
		"Attendees":[{"EmailAddress":{"Address":"` + s.store.Pairs()[1].OnPrem.User().SMTP + `","Name":"B"},"Type":"Required"}]}`
	made := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/events", body), 201)
	id := made["Id"].(string)
	start := made["Start"].(map[string]any)
	if made["Type"] != "SeriesMaster" || start["DateTime"] != "2026-03-10T08:00:00.0000000" || start["TimeZone"] != "UTC" || made["OriginalStartTimeZone"] != "W. Europe Standard Time" {
		t.Errorf("%v", made)
	}
	for _, absent := range []string{"Locations", "IsOnlineMeeting", "TransactionId", "HideAttendees", "AllowNewTimeProposals"} {
		if _, ok := made[absent]; ok {
			t.Errorf("%s is newer than 2016", absent)
		}
	}
	s.header.Set("Prefer", `outlook.timezone="W. Europe Standard Time", outlook.body-content-type="text"`)
	w := s.ask(http.MethodGet, "/api/v2.0/me/events/"+id, "")
	local := s.doc(w, 200)
	if got := local["Start"].(map[string]any)["DateTime"]; got != "2026-03-10T09:00:00.0000000" || local["Body"].(map[string]any)["ContentType"] != "Text" ||
		w.Header().Get("Preference-Applied") != `outlook.timezone="W. Europe Standard Time", outlook.body-content-type="text"` {
		t.Errorf("%v, applied %s", local, w.Header().Get("Preference-Applied"))
	}
	s.header.Del("Prefer")
	dates := list(s.get("/api/v2.0/me/events/" + id + "/instances?startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z"))
	if len(dates) != 3 || dates[0]["SeriesMasterId"] != id || dates[0]["Type"] != "Occurrence" {
		t.Errorf("%d instances", len(dates))
	}
	if got := s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/events/"+id, `{"Subject":"Later"}`), 200); got["Subject"] != "Later" {
		t.Errorf("%v", got)
	}
	for _, row := range []struct{ body, day string }{
		{`{"Subject":"all day","IsAllDay":true,"Start":{"DateTime":"2026-03-12T00:00:00","TimeZone":"W. Europe Standard Time"},"End":{"DateTime":"2026-03-13T00:00:00","TimeZone":"W. Europe Standard Time"}}`, "2026-03-12T00:00:00.0000000"},
	} {
		s.header.Set("Prefer", `outlook.timezone="Tokyo Standard Time"`)
		if got := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/events", row.body), 201)["Start"].(map[string]any); got["DateTime"] != row.day || got["TimeZone"] != "Tokyo Standard Time" {
			t.Errorf("an all-day event keeps its date in every zone: %v", got)
		}
		s.header.Del("Prefer")
	}
	s.refused(http.MethodPost, "/api/v2.0/me/events", `{"IsAllDay":true,"Start":{"DateTime":"2026-03-12T10:00:00","TimeZone":"UTC"},"End":{"DateTime":"2026-03-13T00:00:00","TimeZone":"UTC"}}`, 400, "ErrorPropertyValidationFailure")
	s.refused(http.MethodPost, "/api/v2.0/me/events/"+id+"/accept", `{}`, 400, "ErrorInvalidRequest")
	s.refused(http.MethodPost, "/api/v2.0/me/events", `{"Subject":"x"}`, 400, "ErrorPropertyValidationFailure")
	s.refused(http.MethodPost, "/api/v2.0/me/events", `{"Start":{"DateTime":"2026-03-10T09:00:00","TimeZone":"Mars"}}`, 400, "TimeZoneNotSupportedException")
	guest := s.store.Pairs()[1].OnPrem
	own := s.mb
	s.mb = guest
	invited := list(s.get("/api/v2.0/me/calendarview?startDateTime=2026-03-10T00:00:00Z&endDateTime=2026-03-11T00:00:00Z&$filter=Subject%20eq%20'Later'"))
	if len(invited) != 1 {
		t.Fatalf("the guest sees %d", len(invited))
	}
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/events/"+invited[0]["Id"].(string)+"/tentativelyaccept", `{"Comment":"maybe","SendResponse":true}`), 202)
	s.mb = own
	file := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/events/"+id+"/attachments", `{"Name":"a.txt","ContentBytes":"aGk="}`), 201)
	if got := list(s.get("/api/v2.0/me/events/" + id + "/attachments")); len(got) != 1 || got[0]["Id"] != file["Id"] || got[0]["ContentBytes"] != "aGk=" {
		t.Errorf("attachments %v", got)
	}
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/events/"+id+"/attachments/"+file["Id"].(string), ""), 204)
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/events/"+id, ""), 204)
}

func TestCalendarsAndContactsHaveTheirCollections(t *testing.T) {
	s := open(t, nil)
	for _, path := range []string{"calendar", "calendars", "calendargroups", "calendar/events", "events", "contacts", "contactfolders",
		"calendar/calendarview?startDateTime=2026-03-02&endDateTime=2026-03-09"} {
		s.get("/api/v2.0/me/" + path)
	}
	k := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/calendars", `{"Name":"Spare time","Color":"LightBlue"}`), 201)
	id := k["Id"].(string)
	if got := s.doc(s.ask(http.MethodPatch, "/api/v2.0/me/calendars/"+id, `{"Name":"Own"}`), 200); got["Name"] != "Own" || got["Color"] != "LightBlue" {
		t.Errorf("%v", got)
	}
	s.doc(s.ask(http.MethodPost, "/api/v2.0/me/calendars/"+id+"/events", `{"Subject":"e","Start":{"DateTime":"2026-03-10T09:00:00Z","TimeZone":"UTC"},"End":{"DateTime":"2026-03-10T10:00:00Z","TimeZone":"UTC"}}`), 201)
	if got := list(s.get("/api/v2.0/me/calendars/" + id + "/events")); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
	s.doc(s.ask(http.MethodDelete, "/api/v2.0/me/calendars/"+id, ""), 204)

	f := s.doc(s.ask(http.MethodPost, "/api/v2.0/me/contactfolders", `{"DisplayName":"Walkers"}`), 201)
	folder := "/api/v2.0/me/contactfolders/" + f["Id"].(string)
	x := s.doc(s.ask(http.MethodPost, folder+"/contacts", `{"GivenName":"Eva","MobilePhone1":"1","EmailAddresses":[{"Address":"e@x.test"}],"HomeAddress":{"City":"Oslo","CountryOrRegion":"Norway"},"Birthday":"1990-01-02T00:00:00Z"}`), 201)
	if x["MobilePhone1"] != "1" || x["Birthday"] != "1990-01-02T00:00:00Z" || x["HomeAddress"].(map[string]any)["CountryOrRegion"] != "Norway" {
		t.Errorf("%v", x)
	}
	if _, ok := x["MobilePhone"]; ok {
		t.Error("MobilePhone is Graph's name")
	}
	contact := "/api/v2.0/me/contacts/" + x["Id"].(string)
	s.doc(s.ask(http.MethodPatch, contact, `{"Surname":"Moe"}`), 200)
	if got := s.get(contact + "?$select=Surname"); got["Surname"] != "Moe" || got["GivenName"] != nil {
		t.Errorf("%v", got)
	}
	s.doc(s.ask(http.MethodDelete, contact, ""), 204)
	if got := s.doc(s.ask(http.MethodPatch, folder, `{"DisplayName":"Runners"}`), 200); got["DisplayName"] != "Runners" {
		t.Errorf("%v", got)
	}
	s.get(folder)
	s.get(folder + "/childfolders")
	s.doc(s.ask(http.MethodDelete, folder, ""), 204)
}

func TestV1SaysDatesAndFoldersInItsOwnWords(t *testing.T) {
	s := open(t, nil)
	m := list(s.get("/api/v1.0/me/folders/inbox/messages?$top=1"))[0]
	for _, name := range []string{"DateTimeCreated", "DateTimeLastModified", "DateTimeReceived", "DateTimeSent"} {
		if _, ok := m[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"CreatedDateTime", "InferenceClassification"} {
		if _, ok := m[name]; ok {
			t.Errorf("%s belongs to v2.0", name)
		}
	}
	e := list(s.get("/api/v1.0/me/calendarview?startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-09T00:00:00Z&$top=1"))[0]
	at, ok := e["Start"].(string)
	if _, err := time.Parse(time.RFC3339, at); !ok || err != nil || e["StartTimeZone"] == nil || e["Reminder"] == nil {
		t.Errorf("%v", e)
	}
	s.refused(http.MethodGet, "/api/v1.0/me/mailfolders", "", 400, "RequestBroker-ParseUri")
	if got := s.ask(http.MethodGet, "/api/v1.0/$metadata", "").Body.String(); !strings.Contains(got, `Name="DateTimeReceived"`) || strings.Contains(got, `"ReceivedDateTime"`) {
		t.Errorf("metadata of v1.0: %.300s", got)
	}
	if got := s.ask(http.MethodGet, "/api/v2.0/$metadata", ""); !strings.Contains(got.Body.String(), `Name="MobilePhone1"`) || got.Header().Get("Content-Type") != "application/xml" {
		t.Errorf("metadata of v2.0: %.300s", got.Body)
	}
	s.refused(http.MethodGet, "/api/beta/me", "", 404, "ErrorInvalidRequest")
}

func TestTrackChangesTellsWhatChangedSinceTheToken(t *testing.T) {
	s := open(t, nil)
	s.header.Set("Prefer", "odata.track-changes, odata.maxpagesize=40")
	next, seen := "/api/v2.0/me/mailfolders/inbox/messages", 0
	delta := ""
	for next != "" {
		doc := s.get(strings.TrimPrefix(next, base))
		seen += len(list(doc))
		next, _ = doc["@odata.nextLink"].(string)
		delta, _ = doc["@odata.deltaLink"].(string)
	}
	p, _ := s.mb.Messages(store.InboxFolder, store.MessageQuery{})
	if seen != p.Total || delta == "" {
		t.Fatalf("%d of %d, delta link %q", seen, p.Total, delta)
	}
	gone, kept := p.Items[0], p.Items[1]
	if err := s.mb.DeleteMessage(gone.Ref(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.mb.UpdateMessage(kept.Ref(), "", func(m *store.Message) error { m.Read = !m.Read; return nil }); err != nil {
		t.Fatal(err)
	}
	changes := list(s.get(strings.TrimPrefix(delta, base)))
	var removed, changed int
	for _, c := range changes {
		if c["reason"] == "deleted" {
			removed++
		} else if c["Id"] == s.mb.ID(kept.Ref(), false) {
			changed++
		}
	}
	if len(changes) != 2 || removed != 1 || changed != 1 {
		t.Errorf("%v", changes)
	}
	for _, path := range []string{"contacts?$select=DisplayName", "calendarview?startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-03-20T00:00:00Z&$select=Subject"} {
		full := s.get("/api/v2.0/me/" + path)
		for full["@odata.deltaLink"] == nil {
			full = s.get(strings.TrimPrefix(full["@odata.nextLink"].(string), base))
		}
		again := full["@odata.deltaLink"].(string)
		if got := list(s.get(strings.TrimPrefix(again, base))); len(got) != 0 || !strings.Contains(again, "$select=") {
			t.Errorf("%s: %d changes although nothing changed, by %s", path, len(got), again)
		}
	}
	s.mb.ExpireSync()
	s.refused(http.MethodGet, strings.TrimPrefix(delta, base), "", 410, "SyncStateNotFound")
	s.refused(http.MethodGet, "/api/v2.0/me/mailfolders/inbox/messages?$deltatoken=garbage", "", 410, "SyncStateNotFound")
}
