package canon

// Dialect says how a path spells what Graph v1.0 spells in camelCase. The zero value is Graph's own
// spelling. A Dialect is read only once it is in use.
type Dialect struct {
	Name string
	// FoldFirst lowers the first letter of property names: ReceivedDateTime → receivedDateTime.
	// Outlook REST v2.0 and Graph v1.0 differ in nothing else (outlook-dev-docs, compare-graph).
	FoldFirst bool
	// Renames maps a wire name to the canonical one, before folding: MobilePhone1 → mobilePhone.
	Renames map[string]string
	// FoldEnums lowers enum values at places that the schema types as enums: Normal → normal, HTML → html.
	FoldEnums bool
	// Namespaces maps prefixes of @odata.type: #Microsoft.OutlookServices. → #microsoft.graph.
	// The type's name behind a mapped prefix has its first letter lowered.
	Namespaces map[string]string
	// Model2016 says that the side answers from the Outlook model of August 2016: properties that
	// the schema marks as newer are expected to be absent there.
	Model2016 bool
	// Untyped switches the schema off: the body is somebody else's JSON, where "id" is a value like
	// any other.
	Untyped bool
	// PageCap is the largest page of the side, 0 when it has none that is known.
	PageCap int
}

// Graph is the dialect of Microsoft Graph v1.0. The service caps a page of messages at 1000.
func Graph() *Dialect { return &Dialect{Name: "graph", PageCap: 1000} }

// Rest is the dialect of Outlook REST v2.0, or of v1.0 when version says so. Its pages hold 50 items
// at most (Outlook REST reference of 2016).
func Rest(version string) *Dialect {
	d := &Dialect{
		Name: "rest", FoldFirst: true, FoldEnums: true, Model2016: true, PageCap: 50,
		Renames:    map[string]string{"MobilePhone1": "mobilePhone", "ICalUID": "iCalUId", "ICalUId": "iCalUId", "iCalUID": "iCalUId"},
		Namespaces: map[string]string{"#Microsoft.OutlookServices.": "#microsoft.graph.", "#Microsoft.Exchange.Services.OData.Model.": "#microsoft.graph."},
	}
	if version == "v1.0" {
		d.Renames["DateTimeCreated"] = "createdDateTime"
		d.Renames["DateTimeLastModified"] = "lastModifiedDateTime"
		d.Renames["DateTimeReceived"] = "receivedDateTime"
		d.Renames["DateTimeSent"] = "sentDateTime"
	}
	return d
}

// Plain is the dialect of any other HTTP API: nothing is folded, nothing is typed.
func Plain() *Dialect { return &Dialect{Name: "plain", Untyped: true} }
