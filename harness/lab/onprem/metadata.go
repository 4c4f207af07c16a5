package onprem

// metadata is the service's schema, made of the tables that serve it.
func (s *Service) metadata(v1 bool) []byte {
	b := []byte(`<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>` +
		`<Schema Namespace="Microsoft.OutlookServices" xmlns="http://docs.oasis-open.org/odata/ns/edm">`)
	folder := "MailFolder"
	if v1 {
		folder = "Folder"
	}
	b = entityType(b, "Message", s.messageModel(), v1)
	b = entityType(b, folder, s.folderModel(), v1)
	b = entityType(b, "Attachment", attachmentTable, v1)
	b = entityType(b, "Event", s.eventModel(), v1)
	b = entityType(b, "Calendar", calendarTable, v1)
	b = entityType(b, "CalendarGroup", groupTable, v1)
	b = entityType(b, "Contact", contactTable, v1)
	b = entityType(b, "ContactFolder", contactFolderTable, v1)
	return append(b, `</Schema></edmx:DataServices></edmx:Edmx>`...)
}

func entityType[T any](b []byte, name string, table []property[T], v1 bool) []byte {
	b = append(b, `<EntityType Name="`+name+`"><Key><PropertyRef Name="Id"/></Key>`...)
	for i := range table {
		if n := table[i].in(v1); n != "" && table[i].edm != path {
			b = append(b, `<Property Name="`+n+`" Type="`+table[i].edm+`"/>`...)
		}
	}
	return append(b, `</EntityType>`...)
}
