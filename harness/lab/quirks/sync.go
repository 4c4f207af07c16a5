package quirks

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// syncs are the rows about identity, change tracking, paging and concurrency.
var syncs = []Quirk{
	{ID: "id.alphabet", State: Inherent, Side: "both", Class: "adapter", Certainty: "captured", Source: "graph-docs 14419", About: "EWS ids use + and /, REST ids - and _.", Trigger: "translateExchangeIds to ewsId"},
	{ID: "id.length", State: Inherent, Side: "cloud", Class: "breaking", Certainty: "documented", Source: "outlook-immutable-id", About: "Classic ids have about 150 characters, immutable ones 72.", Trigger: "Prefer: IdType"},
	{ID: "id.move", State: Inherent, Side: "both", Class: "breaking", Certainty: "documented", Source: "outlook-immutable-id", About: "A classic id changes when its item moves.", Trigger: "move, then get by the old id"},
	{ID: "id.prefer_ignored", State: Inherent, Side: "onprem", Class: "breaking", Certainty: "inferred", Source: "field knowledge", About: "The preference for immutable ids is ignored on-prem.", Trigger: "Prefer: IdType"},
	{ID: "id.legacy", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "captured", Source: "php-ews 177, exchangelib 484",
		About: "A stored id of long ago is refused: it is in EwsLegacyId format.", Trigger: "GET of a message"},
	{ID: "sync.protocol", State: Inherent, Side: "onprem", Class: "adapter", Certainty: "documented", Source: "outlook-dev-docs, compare-graph", About: "Change tracking by a preference on-prem, by a function in Graph.", Trigger: "odata.track-changes, delta"},
	{ID: "sync.reset", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "captured", Source: "graph-docs 2350, delta-query-overview",
		About: "A delta token is forgotten: 410 SyncStateNotFound.", Trigger: "delta with a token",
		act: &act{side: "cloud", method: http.MethodGet,
			when: func(r *http.Request, _ []byte) bool {
				return strings.Contains(strings.ToLower(r.URL.RawQuery), "deltatoken=")
			},
			refuse: problem(http.StatusGone, "SyncStateNotFound", "The sync state generation is not found; generation=149;[highest=157][157][155][156]")}},
	{ID: "sync.moveback", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "captured", Source: "graph-docs 21752",
		About: "An item moved away and back between two rounds is reported deleted and never added again.", Trigger: "delta with immutable ids"},
	{ID: "page.skip", State: Toggle, Side: "cloud", Class: "adapter", Certainty: "captured", Source: "graph-docs 7569, 5029, 2153",
		About: "Pages are short and the next one begins at no multiple of the page size.", Trigger: "lists of messages",
		act: &act{side: "cloud", method: http.MethodGet, paths: messageLists, rewrite: shortPage}},
	{ID: "list.truncate", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "documented", Source: "EWS FindItem operation",
		About: "Lists cut a subject at 255 characters, as those of EWS do.", Trigger: "lists of messages",
		act: &act{side: "onprem", method: http.MethodGet, paths: messageLists, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if s, ok := m["Subject"].(string); ok {
					if long := []rune(s); len(long) > 255 {
						m["Subject"] = string(long[:255])
					}
				}
			})
		}}},
	{ID: "conflict.code", State: Toggle, Side: "cloud", Class: "adapter", Certainty: "captured", Source: "davmail 491",
		About: "A PATCH is refused with 412 although no change key was sent.", Trigger: "PATCH of a message or an event",
		act: &act{side: "cloud", method: http.MethodPatch, paths: concat(messageItem, eventItem),
			refuse: problem(http.StatusPreconditionFailed, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")}},
	{ID: "event.txid", State: Inherent, Side: "cloud", Class: "capability", Certainty: "captured", Source: "davmail 484",
		About: "A transactionId cannot be changed; on-prem does not know it.", Trigger: "PATCH of an event with one"},
	{ID: "delta.bigpage", State: Toggle, Side: "cloud", Class: "timing", Certainty: "client code", Source: "corso events_pager",
		About: "A delta round with pages of 500 ends in an empty 503.", Trigger: "delta with odata.maxpagesize of 500 or more",
		act: &act{side: "cloud", method: http.MethodGet,
			when: func(r *http.Request, _ []byte) bool {
				_, size, ok := strings.Cut(strings.ToLower(strings.Join(r.Header["Prefer"], ",")), "odata.maxpagesize=")
				size, _, _ = strings.Cut(size, ",")
				n, err := strconv.Atoi(strings.TrimSpace(size))
				return ok && err == nil && n >= 500 && strings.Contains(r.URL.Path, "/delta")
			},
			refuse: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }}},
	{ID: "migrated.broken", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "client code", Source: "corso errors",
		About: "Some migrated items are listed and cannot be fetched: 500 ErrorCorruptData.", Trigger: "GET of every third message",
		act: &act{side: "cloud", method: http.MethodGet, paths: messageItem,
			when: func(r *http.Request, _ []byte) bool {
				h := fnv.New32a()
				_, _ = h.Write([]byte(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/'):]))
				return h.Sum32()%3 == 0
			},
			refuse: problem(http.StatusInternalServerError, "ErrorCorruptData", "Data is corrupt.,Invalid global object ID")}},
}

// shortPage takes the last two items of a page that has a next one, and lets the
// next page begin with them.
func shortPage(_ *http.Request, doc any) any {
	top, _ := doc.(map[string]any)
	list, _ := top["value"].([]any)
	link, _ := top["@odata.nextLink"].(string)
	at := strings.Index(strings.ToLower(link), "skip=")
	if len(list) < 4 || at < 0 {
		return doc
	}
	end := at + len("skip=")
	stop := end
	for stop < len(link) && link[stop] >= '0' && link[stop] <= '9' {
		stop++
	}
	skip, err := strconv.Atoi(link[end:stop])
	if err != nil {
		return doc
	}
	if _, err := url.Parse(link); err != nil {
		return doc
	}
	top["value"] = list[:len(list)-2]
	top["@odata.nextLink"] = link[:end] + strconv.Itoa(skip-2) + link[stop:]
	return doc
}
