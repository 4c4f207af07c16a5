package conform

import (
	"bytes"
	"slices"
	"strings"
)

// locationCodes are the ways in which a service says that a mailbox is not where it was asked.
var locationCodes = []string{
	"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ResourceNotFound", "ErrorInvalidUser", "ErrorMissingEmailAddress",
	"MailboxInfoStale", "ErrorNonExistentMailbox", "ErrorIncorrectRoutingHint",
}

var (
	comboCodes    = []string{"InefficientFilter", "SearchWithOrderBy", "SearchWithFilter", "ErrorRestrictionTooComplex", "ErrorInvalidUrlQueryFilter"}
	syncCodes     = []string{"SyncStateNotFound", "SyncStateInvalid", "ResyncRequired", "ErrorInvalidSyncStateData"}
	sizeCodes     = []string{"RequestEntityTooLarge", "ErrorMessageSizeExceeded", "ErrorAttachmentSizeLimitExceeded"}
	brokenCodes   = []string{"ErrorCorruptData", "ErrorInvalidRecipients", "ErrorCannotOpenFileAttachment"}
	previewText   = "currently in preview"
	segmentText   = "Resource not found for the segment"
	bodyTypeText  = "Microsoft.OutlookServices."
	policyText    = "Access to OData is disabled"
	legacyIDText  = "EwsLegacyId"
	immutableText = "TransactionId is immutable"
	extendedText  = "ValueExtendedProperties'"
)

// recognise finds the row of the ledger that explains a difference of statuses or error codes, ""
// when none does, and the side that the row describes. It looks at codes, diagnostics and the stable
// parts of messages only.
func recognise(p *Pair, l, r failure) (id, side string) {
	left, right := refusedSeries(p, l, p.Right), refusedSeries(p, r, p.Left)
	if left || right {
		return "recur.inexpressible", blame(left, right)
	}
	left, right = refusedExpand(l, p.Right), refusedExpand(r, p.Left)
	if left || right {
		return "xprop.addressing", blame(left, right)
	}
	for i, f := range []failure{l, r} {
		if f.status < 400 {
			continue
		}
		if id := recogniseOne(p.Endpoint, f); id != "" {
			return id, blame(i == 0, i == 1)
		}
	}
	return "", attributedNeither
}

// refusedSeries reports whether a side refused to create the series that the other side created.
func refusedSeries(p *Pair, f failure, other Answer) bool {
	return f.status == 400 && f.code == "ErrorPropertyValidationFailure" && strings.HasPrefix(p.Endpoint, "POST ") &&
		strings.HasSuffix(p.Endpoint, "/events") && other.Status < 300 && bytes.Contains(other.Body, []byte(`ecurrence":{`))
}

// refusedExpand reports whether a side refused to show the extended properties that the other side shows.
func refusedExpand(f failure, other Answer) bool {
	return f.status == 400 && f.code == "ErrorInvalidRequest" && other.Status < 300 && bytes.Contains(other.Body, []byte(`ValueExtendedProperties":[`))
}

func recogniseOne(endpoint string, f failure) string {
	reads := strings.HasPrefix(endpoint, "GET ")
	switch {
	case f.status == 401:
		return recogniseRefusal(f)
	case f.code == "RequestBodyRead" && strings.Contains(f.message, extendedText):
		return "xprop.addressing"
	case f.code == "RequestBodyRead" && strings.Contains(f.message, bodyTypeText):
		return "write.casing"
	case strings.Contains(endpoint, "/masterCategories") && (f.status == 400 || f.status == 404):
		return "cat.master"
	case strings.Contains(endpoint, "/mailboxSettings") && slices.Contains(locationCodes, f.code):
		return "settings.missing"
	case slices.Contains(locationCodes, f.code):
		return "locate.error"
	case strings.Contains(f.message, segmentText):
		return "segment.unknown"
	case strings.Contains(f.message, previewText):
		return "beta.api"
	case slices.Contains(comboCodes, f.code):
		return "query.combo"
	case f.status == 410 || slices.Contains(syncCodes, f.code):
		return "sync.reset"
	case f.status == 413 || slices.Contains(sizeCodes, f.code) || strings.Contains(f.message, "maximum request length"):
		return "size.request"
	case f.code == "ErrorIrresolvableConflict":
		return "conflict.code"
	case f.code == "ErrorAccessDenied" && strings.Contains(f.message, policyText):
		return "auth.policy"
	case f.code == "ErrorInvalidIdMalformed" && strings.Contains(f.message, legacyIDText):
		return "id.legacy"
	case strings.Contains(f.message, immutableText):
		return "event.txid"
	case reads && slices.Contains(brokenCodes, f.code):
		return "migrated.broken"
	}
	return ""
}

// recogniseRefusal tells refused tokens apart by the number in x-ms-diagnostics; through Graph, which
// passes no diagnostics on, by the empty message.
func recogniseRefusal(f failure) string {
	number, _, _ := strings.Cut(f.diagnose, ";")
	switch strings.TrimSpace(number) {
	case "2000001":
		return "auth.app_only"
	case "2000008":
		return "auth.partner_perm"
	case "2000003", "2000010":
		return "auth.audience"
	}
	if f.code == "UnknownError" && f.message == "" {
		return "auth.app_only"
	}
	return ""
}
