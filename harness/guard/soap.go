package guard

import (
	"bytes"
	"encoding/xml"
	"slices"

	"cutover/harness/request"
)

// What Exchange Web Services may change. An operation that is not here is refused outside
// the lab: nobody can say what it touches.

// soapItems change the items, attachments or folders whose ids they hold, or make new ones.
var soapItems = []string{"CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "CopyItem", "SendItem", "CreateAttachment", "DeleteAttachment",
	"CreateFolder", "UpdateFolder", "DeleteFolder", "MoveFolder", "EmptyFolder"}

// soapOwn are operations that a consent names, or that end with the connection.
var soapOwn = []string{"UpdateInboxRules", "SetUserOofSettingsRequest", "AddDelegate", "UpdateDelegate", "RemoveDelegate", "Subscribe", "Unsubscribe"}

// soapOurs tells whether a SOAP request that writes keeps to what is mine.
func soapOurs(body []byte, mine func(id string) bool) bool {
	operations, ok := request.SOAPOperations(body)
	if !ok {
		return !slices.ContainsFunc(touchedIDs(body, true), func(id string) bool { return !mine(id) })
	}
	folders := false
	for _, o := range operations {
		name := o.Name.Local
		switch {
		case request.SOAPReads(name), slices.Contains(soapOwn, name):
		case !slices.Contains(soapItems, name):
			return false
		case name == "UpdateFolder" || name == "DeleteFolder" || name == "MoveFolder" || name == "EmptyFolder":
			folders = true
		}
	}
	return !slices.ContainsFunc(touchedIDs(body, folders), func(id string) bool { return !mine(id) })
}

// touchedIDs are the ids of items and attachments in a SOAP body, and with folders those of
// folders that are not only put into; a folder that goes by its name counts by that.
func touchedIDs(body []byte, folders bool) []string {
	var ids, open []string
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return ids // what cannot be read is refused for that elsewhere
		}
		switch t := token.(type) {
		case xml.StartElement:
			touched := identifies(t.Name.Local) || folders && (t.Name.Local == "FolderId" || t.Name.Local == "DistinguishedFolderId")
			if folders && !identifies(t.Name.Local) && slices.ContainsFunc(open, func(name string) bool { return name == "ToFolderId" }) {
				touched = false
			}
			for _, a := range t.Attr {
				if touched && a.Name.Local == "Id" {
					ids = append(ids, a.Value)
				}
			}
			open = append(open, t.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// identifies tells whether an element holds the id of an item or of an attachment.
func identifies(element string) bool {
	return len(element) >= len("ItemId") && element[len(element)-len("ItemId"):] == "ItemId" || element == "AttachmentId" || element == "ConversationId"
}
