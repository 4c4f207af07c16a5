package request

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// SOAPOperations are what a SOAP request asks for: the elements in the Body of its
// Envelope, in whatever prefixes. ok is false when the text is no such request, or cannot be
// read to its end.
func SOAPOperations(body []byte) (operations []xml.StartElement, ok bool) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var open []string
	for {
		token, err := d.Token()
		if err != nil {
			return operations, len(operations) > 0 && errors.Is(err, io.EOF)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) == 2 && open[0] == "Envelope" && open[1] == "Body" {
				operations = append(operations, t.Copy())
			}
			open = append(open, t.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// soapReading are how the names of operations begin that only read.
var soapReading = []string{"Find", "Get", "Sync", "Resolve", "Convert", "Expand"}

// soapElsewhere begin like reading, and look into mailboxes that the request does not name as
// its own: searches for discovery.
var soapElsewhere = []string{"FindMailboxStatisticsByKeywords", "GetDiscoverySearchConfiguration", "GetSearchableMailboxes", "GetNonIndexableItemDetails", "GetNonIndexableItemStatistics"}

// SOAPReads tells whether an operation of Exchange Web Services only reads, in the
// mailbox that it was sent to.
func SOAPReads(operation string) bool {
	return !slices.Contains(soapElsewhere, operation) &&
		slices.ContainsFunc(soapReading, func(prefix string) bool { return strings.HasPrefix(operation, prefix) })
}
