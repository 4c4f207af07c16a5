package store

import "errors"

// The refusals of the store. Services translate them into their own codes.
var (
	ErrNotFound      = errors.New("no such object in the mailbox")
	ErrMalformedID   = errors.New("id is malformed")
	ErrExists        = errors.New("a folder of that name exists")
	ErrDistinguished = errors.New("a well-known folder cannot be removed")
	ErrConflict      = errors.New("change key does not match")
	ErrSyncReset     = errors.New("sync state is not known any more")
	ErrNoRecipients  = errors.New("a message needs at least one recipient")
	ErrCrossing      = errors.New("occurrence would cross its neighbour")
	ErrNotOrganizer  = errors.New("only the organizer can do that")
	ErrOrganizer     = errors.New("the organizer cannot respond")
	ErrNotEmpty      = errors.New("not empty")
	ErrQuota         = errors.New("the store takes no more")
	ErrNotDraft      = errors.New("the message is not a draft")
)
