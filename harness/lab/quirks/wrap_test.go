package quirks_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cutover/harness/lab/quirks"
)

// through sends a request through one quirk in front of a service that answers
// body, and returns what came out.
func through(id, side, method, target, request, body string, header http.Header) *httptest.ResponseRecorder {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "999")
		_, _ = w.Write([]byte(body))
	})
	h := quirks.NewSet([]string{id}, 1).Wrap(side, next, func(r *http.Request) int {
		if strings.Contains(r.URL.Path, "nobody") {
			return -1
		}
		return 0
	})
	r := httptest.NewRequest(method, target, strings.NewReader(request))
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnActChangesItsOperationAndNoOther(t *testing.T) {
	big := http.Header{"Prefer": {"odata.maxpagesize=500"}}
	yearly := `{"recurrence":{"pattern":{"type":"relativeYearly"}}}`
	list := `{"value":[1,2,3,4,5],"@odata.nextLink":"https://g/v1.0/me/messages?$skip=5&$top=5"}`
	short := `{"@odata.nextLink":"https://g/v1.0/me/messages?$skip=3&$top=5","value":[1,2,3]}`
	for _, row := range []struct {
		name, id, side, method, target, request, body string
		header                                        http.Header
		status                                        int
		want                                          string
	}{
		{"it leaves nulls out", "null.absent", "onprem", "GET", "/api/v2.0/me/contacts/x", "", `{"Title":null,"Id":"1"}`, nil, 200, `{"Id":"1"}`},
		{"it leaves them in elsewhere", "null.absent", "onprem", "GET", "/api/v2.0/me/messages/x", "", `{"Title":null}`, nil, 200, `{"Title":null}`},
		{"it leaves nobody's answers alone", "null.absent", "onprem", "GET", "/api/v2.0/nobody/contacts/x", "", `{"Title":null}`, nil, 200, `{"Title":null}`},
		{"it leaves the other side alone", "null.absent", "cloud", "GET", "/api/v2.0/me/contacts/x", "", `{"Title":null}`, nil, 200, `{"Title":null}`},
		{"it leaves alone what is no JSON", "null.absent", "onprem", "GET", "/api/v2.0/me/contacts/x", "", `<html>`, nil, 200, `<html>`},
		{"it takes two items off a page", "page.skip", "cloud", "GET", "/v1.0/me/messages", "", list, nil, 200, short},
		{"it leaves a last page alone", "page.skip", "cloud", "GET", "/v1.0/me/messages", "", `{"value":[1,2,3,4]}`, nil, 200, `{"value":[1,2,3,4]}`},
		{"it leaves a page without a number alone", "page.skip", "cloud", "GET", "/v1.0/me/messages", "", `{"@odata.nextLink":"x?$skip=y","value":[1,2,3,4]}`, nil, 200, `{"@odata.nextLink":"x?$skip=y","value":[1,2,3,4]}`},
		{"it keeps event bodies text", "body.event_text", "onprem", "GET", "/api/v2.0/me/events/x", "", `{"Body":{"ContentType":"HTML","Content":"<p>a</p>"}}`, nil, 200, `{"Body":{"Content":"a","ContentType":"Text"}}`},
		{"it keeps styles", "body.sanitise", "onprem", "GET", "/api/v2.0/me/messages/x", "", `{"Body":{"Content":"<body>"}}`, nil, 200, `{"Body":{"Content":"<style>p.MsoNormal{margin:0cm}</style><script>void 0</script><body style=\"border:1px\">"}}`},
		{"it names a custom zone", "time.custom_zone", "cloud", "GET", "/v1.0/me/events/x", "", `{"originalStartTimeZone":"UTC"}`, nil, 200, `{"originalStartTimeZone":"tzone://Microsoft/Custom"}`},
		{"it writes an offset", "time.original_start", "cloud", "GET", "/v1.0/me/calendarView", "", `{"value":[{"originalStart":"2026-03-02T09:00:00Z"}]}`, nil, 200, `{"value":[{"originalStart":"2026-03-02T09:00:00+00:00"}]}`},
		{"it empties the zone", "recur.tz_empty", "cloud", "GET", "/v1.0/me/events", "", `{"value":[{"recurrence":{"range":{"recurrenceTimeZone":"UTC"}}},{"recurrence":null}]}`, nil, 200, `{"value":[{"recurrence":{"range":{"recurrenceTimeZone":""}}},{"recurrence":null}]}`},
		{"it drops sentinels", "recur.sentinels", "onprem", "GET", "/api/v2.0/me/events/x", "", `{"Recurrence":{"Range":{"Type":"NoEnd","EndDate":"0001-01-01","NumberOfOccurrences":0}}}`, nil, 200, `{"Recurrence":{"Range":{"Type":"NoEnd"}}}`},
		{"it finds nothing", "index.lag", "cloud", "GET", "/v1.0/me/messages?%24search=x", "", `{"value":[1],"@odata.nextLink":"n"}`, nil, 200, `{"value":[]}`},
		{"it finds what is listed", "index.lag", "cloud", "GET", "/v1.0/me/messages", "", `{"value":[1]}`, nil, 200, `{"value":[1]}`},
		{"it refuses a yearly series", "recur.inexpressible", "cloud", "POST", "/v1.0/me/events", yearly, `{}`, nil, 400, "ErrorPropertyValidationFailure"},
		{"it takes a weekly one", "recur.inexpressible", "cloud", "POST", "/v1.0/me/events", `{"type":"weekly"}`, `{}`, nil, 200, `{}`},
		{"it denies the mailbox", "auth.policy", "cloud", "GET", "/v1.0/me/events", "", `{}`, nil, 403, "Access to OData is disabled."},
		{"it forgets the token", "sync.reset", "cloud", "GET", "/v1.0/me/messages/delta?$deltatoken=x", "", `{}`, nil, 410, "SyncStateNotFound"},
		{"it conflicts", "conflict.code", "cloud", "PATCH", "/v1.0/me/messages/x", "{}", `{}`, nil, 412, "ErrorIrresolvableConflict"},
		{"it fails on big pages", "delta.bigpage", "cloud", "GET", "/v1.0/me/messages/delta", "", `{}`, big, 503, ""},
		{"it serves small pages", "delta.bigpage", "cloud", "GET", "/v1.0/me/messages/delta", "", `{}`, nil, 200, `{}`},
		{"it is slow with content", "size.slow", "cloud", "GET", "/v1.0/me/messages/x/$value", "", `{}`, nil, 504, "UnknownError"},
		{"it tells its limits", "meta.headers", "onprem", "GET", "/api/v2.0/me", "", `{}`, nil, 200, `{}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := through(row.id, row.side, row.method, row.target, row.request, row.body, row.header)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.want) || row.want == "" && w.Body.Len() > 0 {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	if w := through("meta.headers", "onprem", "GET", "/api/v2.0/me", "", "{}", nil); w.Header().Get("Rate-Limit-Limit") != "10000" {
		t.Error("no rate limit is told")
	}
}

func TestABodyThatAQuirkLookedAtReachesTheService(t *testing.T) {
	var got string
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b := make([]byte, 64)
		n, _ := r.Body.Read(b)
		got = string(b[:n])
	})
	h := quirks.NewSet([]string{"recur.inexpressible"}, 1).Wrap("cloud", next, func(*http.Request) int { return 0 })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1.0/me/events", strings.NewReader(`{"a":1}`)))
	if got != `{"a":1}` {
		t.Errorf("the service read %q", got)
	}
}

func TestThrottlingHasAShapePerSide(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	set := quirks.NewSet([]string{"throttle.shape"}, 1)
	for side, path := range map[string]string{"onprem": "/api/v2.0/me", "cloud": "/v1.0/me"} {
		h := set.Wrap(side, next, func(*http.Request) int { return 0 })
		var codes []int
		var last *httptest.ResponseRecorder
		for range 5 {
			last = httptest.NewRecorder()
			h.ServeHTTP(last, httptest.NewRequest("GET", path, nil))
			codes = append(codes, last.Code)
		}
		want := map[string]int{"onprem": 503, "cloud": 429}[side]
		if codes[0] != 200 || codes[3] != 200 || codes[4] != want || (last.Header().Get("Retry-After") == "2.128") != (side == "cloud") {
			t.Errorf("%s: %v, Retry-After %s", side, codes, last.Header().Get("Retry-After"))
		}
	}
}
