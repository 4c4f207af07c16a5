package graph_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a next link carries is documented for each kind of list: the offset in
// plain sight, or a token and nothing else.
func TestANextLinkCarriesWhatItsKindOfListDoes(t *testing.T) {
	b := newBench(t)
	window := "startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-20T00:00:00Z"
	for _, row := range []struct {
		it, path, prefer string
		want             map[string]string // options of the link; "*" is any value
	}{
		{"repeats the options of a list and counts what was passed over", "/me/mailFolders/inbox/messages?$top=3&$select=subject,from&$orderby=receivedDateTime desc", "",
			map[string]string{"$top": "3", "$select": "subject,from", "$orderby": "receivedDateTime desc", "$skip": "3"}},
		{"adds to the offset that was asked for", "/me/messages?$skip=7&$top=5", "", map[string]string{"$top": "5", "$skip": "12"}},
		{"pages by ten when nothing is said", "/me/messages", "", map[string]string{"$skip": "10"}},
		{"takes the preferred size", "/me/messages", "odata.maxpagesize=4", map[string]string{"$skip": "4"}},
		{"keeps the filter and the count", "/me/messages?$filter=isRead eq true&$count=true&$top=2", "", map[string]string{"$filter": "isRead eq true", "$count": "true", "$top": "2", "$skip": "2"}},
		{"keeps the window of a view", "/me/calendarView?" + window + "&$top=2", "", map[string]string{"startDateTime": "2026-03-02T00:00:00Z", "endDateTime": "2026-03-20T00:00:00Z", "$top": "2", "$skip": "2"}},
		{"hides where a search is", `/me/messages?$search="the"&$top=2`, "", map[string]string{"$skiptoken": "*"}},
		{"hides where a delta round is", "/me/mailFolders/inbox/messages/delta?$select=subject", "odata.maxpagesize=2", map[string]string{"$skiptoken": "*"}},
		{"hides where a view's delta round is", "/me/calendarView/delta?" + window, "odata.maxpagesize=10", map[string]string{"$skiptoken": "*"}},
		{"hides where the directory is", "/users?$top=2", "", map[string]string{"$top": "2", "$skiptoken": "*"}},
	} {
		b.token = "user:" + b.me.User().UPN + " " + allScopes
		if row.path == "/users?$top=2" {
			b.token = "app:a1 User.Read.All"
		}
		first := b.get(row.path, "Prefer", row.prefer).ok(b, 200)
		u, err := url.Parse(first.text("@odata.nextLink"))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, value := range u.Query() {
			got[name] = value[0]
			if row.want[name] == "*" && value[0] != "" {
				got[name] = "*"
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("it %s: %s", row.it, diff)
			continue
		}
		next := b.get(u.String(), "Prefer", row.prefer).ok(b, 200)
		if ids := names(next, "id"); len(ids) == 0 || slices.ContainsFunc(first.values(), func(v map[string]any) bool { return ids[v["id"].(string)] }) {
			t.Errorf("it %s: the next page repeats the first, or has nothing", row.it)
		}
	}
}
