package graph

import "net/http"

// Permissions that admit, least privileged first. Delegated scopes and
// application roles share their names; ".Shared" is handled by the caller.
var (
	mailBasic     = []string{"Mail.ReadBasic", "Mail.ReadBasic.All", "Mail.Read", "Mail.ReadWrite"}
	mailRead      = []string{"Mail.Read", "Mail.ReadWrite"}
	mailWrite     = []string{"Mail.ReadWrite"}
	mailSend      = []string{"Mail.Send"}
	calendarRead  = []string{"Calendars.Read", "Calendars.ReadWrite"}
	calendarWrite = []string{"Calendars.ReadWrite"}
	contactRead   = []string{"Contacts.Read", "Contacts.ReadWrite"}
	contactWrite  = []string{"Contacts.ReadWrite"}
	settingRead   = []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
	settingWrite  = []string{"MailboxSettings.ReadWrite"}
	userRead      = []string{"User.Read", "User.ReadBasic.All", "User.Read.All", "User.ReadWrite", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	usersRead     = []string{"User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	patch  = http.MethodPatch
	put    = http.MethodPut
	remove = http.MethodDelete
)

// newRoutes builds the tree of all paths.
func newRoutes() *node {
	root := &node{}
	root.on(post, "$batch", operation{handle: batch, batch: true})
	root.on(get, "users", operation{handle: listUsers, query: planned(users), scopes: usersRead, global: true})
	root.on(get, "$metadata", operation{handle: metadata, global: true})
	root.on(post, "subscriptions", operation{handle: createSubscription, global: true})
	user := root.at("users/{user}")
	user.on(get, "", operation{handle: getUser, query: planned(users), scopes: userRead, directory: true})
	mailRoutes(user)
	calendarRoutes(user)
	contactRoutes(user)
	settingRoutes(user)
	me := *user // a node of its own, so that the router can tell the two apart
	root.alias("me", &me)
	return root
}

func mailRoutes(user *node) {
	folder := user.at("mailFolders/{folder}")
	user.on(get, "mailFolders", operation{handle: listFolders, query: planned(folders), scopes: mailBasic})
	user.on(get, "mailFolders/$count", operation{handle: countFolders, query: planned(folders), scopes: mailBasic})
	user.on(post, "mailFolders", operation{handle: createFolder, scopes: mailWrite})
	user.on(get, "mailFolders/delta", operation{handle: folderDelta, query: planned(folders), scopes: mailBasic})
	user.alias("mailFolders/microsoft.graph.delta", user.at("mailFolders/delta"))
	folder.on(get, "", operation{handle: getFolder, query: planned(folders), scopes: mailBasic})
	folder.on(patch, "", operation{handle: updateFolder, scopes: mailWrite})
	folder.on(remove, "", operation{handle: deleteFolder, scopes: mailWrite})
	folder.on(post, "move", operation{handle: moveFolder, scopes: mailWrite})
	folder.on(post, "copy", operation{handle: copyFolder, scopes: mailWrite})
	folder.on(get, "childFolders", operation{handle: listFolders, query: planned(folders), scopes: mailBasic})
	folder.on(get, "childFolders/$count", operation{handle: countFolders, query: planned(folders), scopes: mailBasic})
	folder.on(post, "childFolders", operation{handle: createFolder, scopes: mailWrite})
	folder.alias("childFolders/{folder}", folder)
	folder.on(get, "messageRules", operation{handle: listRules, scopes: settingRead})
	folder.on(post, "messageRules", operation{handle: createRule, scopes: settingWrite})
	folder.on(get, "messageRules/{name}", operation{handle: getRule, scopes: settingRead})
	folder.on(patch, "messageRules/{name}", operation{handle: updateRule, scopes: settingWrite})
	folder.on(remove, "messageRules/{name}", operation{handle: deleteRule, scopes: settingWrite})

	list := folder.at("messages")
	list.on(get, "", operation{handle: listMessages, query: planned(messages), scopes: mailBasic})
	list.on(post, "", operation{handle: createMessage, scopes: mailWrite})
	list.on(get, "$count", operation{handle: countMessages, query: planned(messages), scopes: mailBasic})
	list.on(get, "delta", operation{handle: messageDelta, query: planned(messages), scopes: mailBasic})
	list.alias("microsoft.graph.delta", list.at("delta"))
	one := list.at("{message}")
	one.on(get, "", operation{handle: getMessage, query: planned(messages), scopes: mailBasic})
	one.on(patch, "", operation{handle: updateMessage, scopes: mailWrite})
	one.on(remove, "", operation{handle: deleteMessage, scopes: mailWrite})
	one.on(get, "$value", operation{handle: messageContent, scopes: mailRead})
	for _, prefix := range []string{"", "microsoft.graph."} {
		one.on(post, prefix+"move", operation{handle: moveMessage, scopes: mailWrite})
		one.on(post, prefix+"copy", operation{handle: copyMessage, scopes: mailWrite})
		one.on(post, prefix+"send", operation{handle: sendDraft, scopes: mailSend})
		one.on(post, prefix+"reply", operation{handle: reply(replyOnly, true), scopes: mailSend})
		one.on(post, prefix+"replyAll", operation{handle: reply(replyAll, true), scopes: mailSend})
		one.on(post, prefix+"forward", operation{handle: reply(forward, true), scopes: mailSend})
		one.on(post, prefix+"createReply", operation{handle: reply(replyOnly, false), scopes: mailWrite})
		one.on(post, prefix+"createReplyAll", operation{handle: reply(replyAll, false), scopes: mailWrite})
		one.on(post, prefix+"createForward", operation{handle: reply(forward, false), scopes: mailWrite})
		user.on(post, prefix+"sendMail", operation{handle: sendMail, scopes: mailSend})
		user.on(post, prefix+"getMailTips", operation{handle: mailTips, scopes: mailRead})
	}
	attachmentRoutes(one, mailRead, mailWrite)
	extensionRoutes(one, mailRead, mailWrite)
	user.alias("messages", list)
}

func attachmentRoutes(item *node, read, write []string) {
	item.on(get, "attachments", operation{handle: listAttachments, query: planned(attachments), scopes: read})
	item.on(post, "attachments", operation{handle: addAttachment, scopes: write})
	item.on(get, "attachments/$count", operation{handle: countAttachments, scopes: read})
	item.on(post, "attachments/createUploadSession", operation{handle: createUploadSession, scopes: write})
	item.alias("attachments/microsoft.graph.createUploadSession", item.at("attachments/createUploadSession"))
	item.on(get, "attachments/{attachment}", operation{handle: getAttachment, query: planned(attachments), scopes: read})
	item.on(remove, "attachments/{attachment}", operation{handle: deleteAttachment, scopes: write})
	item.on(get, "attachments/{attachment}/$value", operation{handle: attachmentContent, scopes: read})
}

func extensionRoutes(item *node, read, write []string) {
	item.on(post, "extensions", operation{handle: createExtension, scopes: write})
	item.on(get, "extensions/{name}", operation{handle: getExtension, scopes: read})
	item.on(patch, "extensions/{name}", operation{handle: updateExtension, scopes: write})
	item.on(remove, "extensions/{name}", operation{handle: deleteExtension, scopes: write})
}

func calendarRoutes(user *node) {
	list := user.at("events")
	list.on(get, "", operation{handle: listEvents, query: planned(events), scopes: calendarRead})
	list.on(post, "", operation{handle: createEvent, scopes: calendarWrite})
	list.on(get, "$count", operation{handle: countEvents, query: planned(events), scopes: calendarRead})
	one := list.at("{event}")
	one.on(get, "", operation{handle: getEvent, query: planned(events), scopes: calendarRead})
	one.on(patch, "", operation{handle: updateEvent, scopes: calendarWrite})
	one.on(remove, "", operation{handle: deleteEvent, scopes: calendarWrite})
	one.on(get, "instances", operation{handle: eventInstances, query: plannedWindow, scopes: calendarRead})
	for _, prefix := range []string{"", "microsoft.graph."} {
		one.on(post, prefix+"accept", operation{handle: respond("accepted"), scopes: calendarWrite})
		one.on(post, prefix+"decline", operation{handle: respond("declined"), scopes: calendarWrite})
		one.on(post, prefix+"tentativelyAccept", operation{handle: respond("tentativelyAccepted"), scopes: calendarWrite})
		one.on(post, prefix+"cancel", operation{handle: cancelEvent, scopes: calendarWrite})
		one.on(post, prefix+"forward", operation{handle: forwardEvent, scopes: calendarRead})
		one.on(post, prefix+"dismissReminder", operation{handle: dismissReminder, scopes: calendarWrite})
		one.on(post, prefix+"snoozeReminder", operation{handle: snoozeReminder, scopes: calendarWrite})
		user.on(post, prefix+"findMeetingTimes", operation{handle: findMeetingTimes, scopes: calendarRead, delegatedOnly: true})
		user.on(get, prefix+"reminderView", operation{handle: reminderView, scopes: calendarRead})
	}
	attachmentRoutes(one, calendarRead, calendarWrite)
	extensionRoutes(one, calendarRead, calendarWrite)

	named := user.at("calendars/{calendar}")
	named.on(remove, "", operation{handle: deleteCalendar, scopes: calendarWrite})
	for _, k := range []*node{user.at("calendar"), named} {
		k.on(get, "", operation{handle: getCalendar, query: planned(calendars), scopes: calendarRead})
		k.on(patch, "", operation{handle: updateCalendar, scopes: calendarWrite})
		k.alias("events", list)
		k.alias("calendarView", user.at("calendarView"))
		k.on(post, "getSchedule", operation{handle: getSchedule, scopes: calendarRead})
		k.alias("microsoft.graph.getSchedule", k.at("getSchedule"))
		k.on(get, "calendarPermissions", operation{handle: listPermissions, scopes: calendarRead})
		k.on(post, "calendarPermissions", operation{handle: createPermission, scopes: calendarWrite})
		k.on(get, "calendarPermissions/{name}", operation{handle: getPermission, scopes: calendarRead})
		k.on(patch, "calendarPermissions/{name}", operation{handle: updatePermission, scopes: calendarWrite})
		k.on(remove, "calendarPermissions/{name}", operation{handle: deletePermission, scopes: calendarWrite})
	}
	view := user.at("calendarView")
	view.on(get, "", operation{handle: calendarView, query: plannedWindow, scopes: calendarRead})
	view.on(get, "delta", operation{handle: eventDelta, query: planned(events), scopes: calendarRead})
	view.alias("microsoft.graph.delta", view.at("delta"))
	user.on(get, "calendars", operation{handle: listCalendars, query: planned(calendars), scopes: calendarRead})
	user.on(post, "calendars", operation{handle: createCalendar, scopes: calendarWrite})
	user.on(get, "calendarGroups", operation{handle: listGroups, query: planned(calendarGroups), scopes: calendarRead})
	user.on(post, "calendarGroups", operation{handle: createGroup, scopes: calendarWrite})
	group := user.at("calendarGroups/{group}")
	group.on(get, "", operation{handle: getGroup, query: planned(calendarGroups), scopes: calendarRead})
	group.on(patch, "", operation{handle: updateGroup, scopes: calendarWrite})
	group.on(remove, "", operation{handle: deleteGroup, scopes: calendarWrite})
	group.on(get, "calendars", operation{handle: listCalendars, query: planned(calendars), scopes: calendarRead})
	group.on(post, "calendars", operation{handle: createCalendar, scopes: calendarWrite})
	group.alias("calendars/{calendar}", named)
}

func contactRoutes(user *node) {
	list := user.at("contacts")
	list.on(get, "", operation{handle: listContacts, query: plannedContacts, scopes: contactRead})
	list.on(post, "", operation{handle: createContact, scopes: contactWrite})
	list.on(get, "$count", operation{handle: countContacts, query: plannedContacts, scopes: contactRead})
	list.on(get, "delta", operation{handle: contactDelta, query: planned(contacts), scopes: contactRead})
	list.alias("microsoft.graph.delta", list.at("delta"))
	one := list.at("{contact}")
	one.on(get, "", operation{handle: getContact, query: planned(contacts), scopes: contactRead})
	one.on(patch, "", operation{handle: updateContact, scopes: contactWrite})
	one.on(remove, "", operation{handle: deleteContact, scopes: contactWrite})
	one.on(get, "photo", operation{handle: contactPhoto, scopes: contactRead})
	one.on(get, "photo/$value", operation{handle: contactPhotoBytes, scopes: contactRead})
	one.on(put, "photo/$value", operation{handle: setContactPhoto, scopes: contactWrite})
	one.on(patch, "photo/$value", operation{handle: setContactPhoto, scopes: contactWrite})
	extensionRoutes(one, contactRead, contactWrite)
	folder := user.at("contactFolders/{contactfolder}")
	user.on(get, "contactFolders", operation{handle: listContactFolders, query: planned(contactFolders), scopes: contactRead})
	user.on(post, "contactFolders", operation{handle: createContactFolder, scopes: contactWrite})
	user.on(get, "contactFolders/delta", operation{handle: contactFolderDelta, query: planned(contactFolders), scopes: contactRead})
	folder.on(get, "", operation{handle: getContactFolder, query: planned(contactFolders), scopes: contactRead})
	folder.on(patch, "", operation{handle: updateContactFolder, scopes: contactWrite})
	folder.on(remove, "", operation{handle: deleteContactFolder, scopes: contactWrite})
	folder.on(get, "childFolders", operation{handle: listContactFolders, query: planned(contactFolders), scopes: contactRead})
	folder.on(post, "childFolders", operation{handle: createContactFolder, scopes: contactWrite})
	folder.alias("childFolders/{contactfolder}", folder)
	folder.alias("contacts", list)
}

func settingRoutes(user *node) {
	user.on(get, "mailboxSettings", operation{handle: getSettings, scopes: settingRead})
	user.on(patch, "mailboxSettings", operation{handle: updateSettings, scopes: settingWrite})
	user.on(get, "mailboxSettings/{name}", operation{handle: getSetting, scopes: settingRead})
	user.on(get, "outlook/masterCategories", operation{handle: listCategories, scopes: settingRead})
	user.on(post, "outlook/masterCategories", operation{handle: createCategory, scopes: settingWrite})
	user.on(get, "outlook/masterCategories/{name}", operation{handle: getCategory, scopes: settingRead})
	user.on(patch, "outlook/masterCategories/{name}", operation{handle: updateCategory, scopes: settingWrite})
	user.on(remove, "outlook/masterCategories/{name}", operation{handle: deleteCategory, scopes: settingWrite})
	user.on(get, "outlook/supportedLanguages", operation{handle: supportedLanguages, scopes: userRead})
	user.on(get, "outlook/supportedTimeZones", operation{handle: supportedTimeZones, scopes: userRead})
	user.on(post, "translateExchangeIds", operation{handle: translateIDs, scopes: userRead})
	user.on(get, "inferenceClassification/overrides", operation{handle: listOverrides, scopes: mailRead})
	user.on(post, "inferenceClassification/overrides", operation{handle: createOverride, scopes: mailWrite})
	user.on(patch, "inferenceClassification/overrides/{name}", operation{handle: updateOverride, scopes: mailWrite})
	user.on(remove, "inferenceClassification/overrides/{name}", operation{handle: deleteOverride, scopes: mailWrite})
}
