package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
)

// Key names a thing inside its mailbox for its whole life, whatever its ids do.
// The sort of thing is in the top byte; 0 is nothing.
type Key uint64

// Sort is the sort of thing a Key names.
type Sort uint8

// The sorts.
const (
	FolderSort Sort = iota + 1
	MessageSort
	EventSort
	ContactSort
	ContactFolderSort
	CalendarSort
	GroupSort
	AttachmentSort
	RuleSort
)

func newKey(s Sort, serial uint64) Key { return Key(uint64(s)<<56 | serial) }

// Sort is the sort of thing.
func (k Key) Sort() Sort { return Sort(k >> 56) }

func (k Key) serial() uint64 { return uint64(k) << 8 >> 8 }

// Ref is what an item id says: the item, how often it had moved when the id was
// given (classic ids only), and the date of an occurrence.
type Ref struct {
	Key       Key
	Moves     uint32
	Day       int32 // recur.Date of an occurrence, else 0
	Immutable bool
}

// Lengths of ids in bytes before base64url: items about 150 characters, folders
// 120, immutable ids 72, as seen in captures.
const (
	itemIDBytes      = 113
	folderIDBytes    = 89
	immutableIDBytes = 54
	idPrefixBytes    = 60
)

// idPrefix is what all ids of a mailbox in one epoch begin with.
type idPrefix struct {
	epoch uint32
	seed  uint64
	raw   [idPrefixBytes]byte
	text  [idPrefixBytes / 3 * 4]byte
}

func (m *Mailbox) idPrefix() *idPrefix {
	epoch := m.epoch.Load()
	if p := m.prefix.Load(); p != nil && p.epoch == epoch {
		return p
	}
	p := &idPrefix{epoch: epoch, seed: mix(m.secret, uint64(epoch)<<8)}
	p.raw = [idPrefixBytes]byte{0x00, 0x03, 0x24, 0x00}
	copy(p.raw[4:40], guid(p.seed))
	copy(p.raw[40:46], []byte{0, 0x46, 0, 0, 0, 0})
	binary.BigEndian.PutUint64(p.raw[46:], mix(p.seed, 1))
	binary.BigEndian.PutUint32(p.raw[54:], uint32(mix(p.seed, 2)))
	p.raw[58], p.raw[59] = 0x07, 0x00
	base64.URLEncoding.Encode(p.text[:], p.raw[:])
	m.prefix.Store(p)
	return p
}

// put writes the telling part of an id: the scrambled words and their check.
func (p *idPrefix) put(b []byte, r Ref) {
	mask := mix(p.seed, 3)
	binary.BigEndian.PutUint64(b, uint64(r.Key)^mask)
	binary.BigEndian.PutUint32(b[8:], uint32(r.Day))
	binary.BigEndian.PutUint32(b[12:], r.Moves)
	binary.BigEndian.PutUint64(b[16:], p.check(r))
}

func (p *idPrefix) check(r Ref) uint64 {
	return mix(p.seed^uint64(r.Key), uint64(uint32(r.Day))<<32|uint64(r.Moves))
}

func (p *idPrefix) read(b []byte) (Ref, error) {
	r := Ref{
		Key:   Key(binary.BigEndian.Uint64(b) ^ mix(p.seed, 3)),
		Day:   int32(binary.BigEndian.Uint32(b[8:])),
		Moves: binary.BigEndian.Uint32(b[12:]),
	}
	if binary.BigEndian.Uint64(b[16:]) != p.check(r) {
		return Ref{}, ErrNotFound
	}
	return r, nil
}

// AppendID appends the item id of r to dst: a classic id, or an immutable one
// that survives moves between folders.
func (m *Mailbox) AppendID(dst []byte, r Ref, immutable bool) []byte {
	p := m.idPrefix()
	if immutable {
		var b [immutableIDBytes]byte
		copy(b[:], []byte{0x00, 0x09, 0x00, 0x2e, 0, 0, 0, 0, 0})
		copy(b[9:], p.raw[46:58])
		r.Moves = 0
		p.put(b[21:], r)
		return base64.URLEncoding.AppendEncode(dst, b[:])
	}
	var b [itemIDBytes - idPrefixBytes]byte
	binary.BigEndian.PutUint64(b[:], mix(p.seed, 4))
	p.put(b[12:], r)
	b[40] = 0x0c
	dst = append(dst, p.text[:]...)
	return base64.URLEncoding.AppendEncode(dst, b[:])
}

// ID is AppendID as a string.
func (m *Mailbox) ID(r Ref, immutable bool) string { return string(m.AppendID(nil, r, immutable)) }

// AppendFolderID appends the id of a folder, calendar, calendar group or contact
// folder.
func (m *Mailbox) AppendFolderID(dst []byte, k Key) []byte {
	p := m.idPrefix()
	var b [folderIDBytes - idPrefixBytes]byte
	p.put(b[:], Ref{Key: k})
	dst = append(dst, p.text[:]...)
	return base64.URLEncoding.AppendEncode(dst, b[:])
}

// FolderID is AppendFolderID as a string.
func (m *Mailbox) FolderID(k Key) string { return string(m.AppendFolderID(nil, k)) }

// AppendConversationID appends the id of a conversation.
func (m *Mailbox) AppendConversationID(dst []byte, conversation uint64) []byte {
	p := m.idPrefix()
	var b [58]byte
	copy(b[:40], p.raw[:40])
	b[1] = 0x04
	b[40] = 0x10
	binary.BigEndian.PutUint64(b[42:], mix(p.seed, conversation))
	binary.BigEndian.PutUint64(b[50:], mix(p.seed, conversation+1))
	return base64.URLEncoding.AppendEncode(dst, b[:])
}

// AppendChangeKey appends the change key of a change number.
func (m *Mailbox) AppendChangeKey(dst []byte, change uint64) []byte {
	var b [30]byte
	copy(b[:], []byte{0x09, 0, 0, 0, 0x16})
	binary.BigEndian.PutUint64(b[8:], mix(m.secret, 7))
	binary.BigEndian.PutUint64(b[16:], mix(m.secret, 8))
	binary.BigEndian.PutUint32(b[26:], uint32(change))
	b[25] = byte(change >> 32)
	return base64.StdEncoding.AppendEncode(dst, b[:])
}

// ChangeKey is AppendChangeKey as a string.
func (m *Mailbox) ChangeKey(change uint64) string { return string(m.AppendChangeKey(nil, change)) }

// ParseID reads an id of this mailbox, of whatever sort. ErrMalformedID: no id
// at all; ErrNotFound: an id, of another mailbox or invented.
func (m *Mailbox) ParseID(id string) (Ref, error) {
	var buf [itemIDBytes + 3]byte
	if len(id) > base64.URLEncoding.EncodedLen(itemIDBytes) {
		return Ref{}, ErrMalformedID
	}
	n, err := base64.URLEncoding.Decode(buf[:], []byte(id))
	if err != nil {
		return Ref{}, ErrMalformedID
	}
	var r Ref
	var again [2 * itemIDBytes]byte
	p := m.idPrefix()
	classic := [3]byte(buf[:3]) == [3]byte{0x00, 0x03, 0x24}
	switch {
	case n == itemIDBytes && classic:
		r, err = p.read(buf[idPrefixBytes+12:])
		id = check(id, m.AppendID(again[:0], r, false))
	case n == folderIDBytes && classic:
		r, err = p.read(buf[idPrefixBytes:])
		id = check(id, m.AppendFolderID(again[:0], r.Key))
	case n == immutableIDBytes && buf[1] == 0x09:
		r, err = p.read(buf[21:])
		id = check(id, m.AppendID(again[:0], r, true))
		r.Immutable = true
	default:
		return Ref{}, ErrMalformedID
	}
	if err != nil || id == "" {
		return Ref{}, ErrNotFound
	}
	return r, nil
}

// check is id if it equals what its own content would be written as, else "":
// every character counts.
func check(id string, again []byte) string {
	if id != string(again) {
		return ""
	}
	return id
}

// parseSort is ParseID for one sort of thing.
func (m *Mailbox) parseSort(id string, s Sort) (Ref, error) {
	r, err := m.ParseID(id)
	if err == nil && r.Key.Sort() != s {
		return Ref{}, ErrNotFound
	}
	return r, err
}

// mix is a counter-based random function (the finaliser of splitmix64): equal
// arguments give equal results, and neighbours have nothing in common.
func mix(seed, n uint64) uint64 {
	z := seed + (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// guid is a version 4 GUID made of seed.
func guid(seed uint64) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], mix(seed, 11))
	binary.BigEndian.PutUint64(raw[8:], mix(seed, 12))
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	var b [36]byte
	hex.Encode(b[:], raw[:4])
	b[8] = '-'
	hex.Encode(b[9:], raw[4:6])
	b[13] = '-'
	hex.Encode(b[14:], raw[6:8])
	b[18] = '-'
	hex.Encode(b[19:], raw[8:10])
	b[23] = '-'
	hex.Encode(b[24:], raw[10:])
	return string(b[:])
}
