package onprem

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cutover/harness/lab/store"
)

// The web services (EWS) end at one operation: GetFolder of the inbox, which is
// what a sign-in is tried with. Everything else is not part of the lab.

// soapRequest is what the service reads of an envelope.
type soapRequest struct {
	Impersonated struct {
		Primary string `xml:"PrimarySmtpAddress"`
		SMTP    string `xml:"SmtpAddress"`
		UPN     string `xml:"PrincipalName"`
	} `xml:"Header>ExchangeImpersonation>ConnectingSID"`
	GetFolder *struct {
		Folder struct {
			ID string `xml:"Id,attr"`
		} `xml:"FolderIds>DistinguishedFolderId"`
	} `xml:"Body>GetFolder"`
}

// maxEnvelope bounds a SOAP request: GetFolder has some hundred bytes.
const maxEnvelope = 64 << 10

// ews answers a signed-in request to the web services.
func (s *Service) ews(x *exchange) {
	var in soapRequest
	body, err := io.ReadAll(io.LimitReader(x.r.Body, maxEnvelope))
	if err != nil || x.r.Method != post || xml.Unmarshal(body, &in) != nil || in.GetFolder == nil || in.GetFolder.Folder.ID != "inbox" {
		iis(x.w, http.StatusNotImplemented, "This operation is not part of the lab.")
		return
	}
	s.backend(x)
	switch box, wanted := s.impersonated(x.caller, &in); {
	case box != nil && box.Location() == store.OnPrem:
		s.soap(x, "Success", "NoError", `<m:Folders><t:Folder><t:DisplayName>Inbox</t:DisplayName></t:Folder></m:Folders>`)
	case box == nil && !x.caller.full:
		s.soap(x, "Error", "ErrorImpersonateUserDenied", "")
	case box == nil && wanted == "":
		s.soap(x, "Error", "ErrorMissingEmailAddress", "")
	default:
		s.soap(x, "Error", "ErrorNonExistentMailbox", "")
	}
}

// impersonated is the mailbox that the request is about: the caller's own, or
// the one that a caller with full access names. nil: there is none, or the
// caller has no right to it.
func (s *Service) impersonated(c *caller, in *soapRequest) (box *store.Mailbox, wanted string) {
	for _, name := range []string{in.Impersonated.Primary, in.Impersonated.SMTP, in.Impersonated.UPN} {
		if name != "" {
			wanted = name
		}
	}
	if wanted == "" {
		return c.mailbox, ""
	}
	found, ok := s.cfg.Store.Lookup(wanted)
	if !ok || !c.full && found != c.mailbox {
		return nil, wanted
	}
	return found, wanted
}

// soap answers as the service does: item errors come with status 200.
func (s *Service) soap(x *exchange, class, code, content string) {
	part := strings.SplitN(x.node.Build+".0.0.0.0", ".", 5)
	x.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(x.w, `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>`+
		`<h:ServerVersionInfo MajorVersion="%s" MinorVersion="%s" MajorBuildNumber="%s" MinorBuildNumber="%s" xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/></s:Header>`+
		`<s:Body><m:GetFolderResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">`+
		`<m:ResponseMessages><m:GetFolderResponseMessage ResponseClass="%s"><m:ResponseCode>%s</m:ResponseCode>%s</m:GetFolderResponseMessage></m:ResponseMessages>`+
		`</m:GetFolderResponse></s:Body></s:Envelope>`, part[0], part[1], part[2], part[3], class, code, content)
}
