// Package store holds the mailboxes of the simulated deployment: messages,
// folders, calendars, events, contacts and settings of twin pairs, generated
// from a seed. It is the one truth behind every service of the lab; each
// service says it in its own dialect.
//
// Rules of the package:
//   - What a method returns (*Message, *Event, *Contact, *Folder, …) is an
//     immutable snapshot: it may be kept and read without a lock, and must not
//     be written. Changes go through the Update methods, which publish a copy.
//   - One lock per mailbox, none above it on the way of a read. No method holds
//     two mailbox locks at once.
//   - A mailbox costs a few hundred bytes until a section of it (mail, calendar,
//     contacts) is first touched; an untouched message then costs one index
//     entry and its text is produced when somebody reads it.
//   - Equal Config means equal mailboxes, byte for byte.
package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Epoch is the moment around which all generated content is placed: a Monday
// morning, so that "this week" of a suite has meetings in it on every run.
var Epoch = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// Config says what to generate. The zero value of a field takes the default
// named beside it.
type Config struct {
	Seed         uint64
	Pairs        int              // twin pairs; 50
	Messages     int              // messages in each mailbox; 200
	Items        []int            // messages by the number of the pair, in turn; overrides Messages
	Zipf         bool             // 60 folders filled by Zipf's law instead of 8 besides the well-known ones
	Events       int              // events (series count once) in each mailbox; 40
	Contacts     int              // contacts in each mailbox; 30
	Requests     int              // every n-th generated message to the owner is a meeting request; 0: none
	SizePercent  int              // message sizes as a share of production's, in percent; 8
	OnPremDomain string           // contoso.test
	CloudDomain  string           // cloud.contoso.test
	Tenant       string           // tenant id, a GUID; derived from the seed
	Quota        int64            // bytes of written content in all mailboxes together; 1 GiB
	Now          func() time.Time // stamps writes; always Epoch when nil
}

func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.Pairs, 50)
	set(&c.Messages, 200)
	set(&c.Events, 40)
	set(&c.Contacts, 30)
	set(&c.SizePercent, 8)
	if c.Quota <= 0 {
		c.Quota = defaultQuota
	}
	if c.OnPremDomain == "" {
		c.OnPremDomain = "contoso.test"
	}
	if c.CloudDomain == "" {
		c.CloudDomain = "cloud.contoso.test"
	}
	if c.Tenant == "" {
		c.Tenant = guid(mix(c.Seed, 0x7e4a47))
	}
	if c.Now == nil {
		c.Now = func() time.Time { return Epoch }
	}
	return c
}

// Store is a set of mailboxes. It is safe for concurrent use.
type Store struct {
	cfg   Config
	pairs []Pair
	extra []*Mailbox
	byKey map[string]*Mailbox // lower-case UPN, SMTP address, object id; fixed after New
	heads headCache

	written atomic.Int64 // bytes, about; of what clients wrote
}

// Pair is a twin: one mailbox on each side with equal content and different
// ids, change keys, conversation ids and addresses.
type Pair struct {
	Name   string
	OnPrem *Mailbox
	Cloud  *Mailbox
}

// New generates the directory. Content follows when a mailbox is touched.
func New(cfg Config) *Store {
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, byKey: make(map[string]*Mailbox, cfg.Pairs*6+8)}
	s.heads.init(headCacheSize)
	s.pairs = make([]Pair, cfg.Pairs)
	boxes := make([]Mailbox, cfg.Pairs*2)
	for i := range s.pairs {
		p := newPerson(cfg.Seed, i)
		on, cl := &boxes[2*i], &boxes[2*i+1]
		s.place(on, p, OnPrem, i)
		s.place(cl, p, Cloud, i)
		s.pairs[i] = Pair{Name: p.login, OnPrem: on, Cloud: cl}
	}
	for i, loc := range []Location{Unlicensed, SoftDeleted} {
		p := newPerson(cfg.Seed, cfg.Pairs+i)
		p.login = loc.String() + "." + p.login
		mb := new(Mailbox)
		s.place(mb, p, loc, cfg.Pairs+i)
		s.extra = append(s.extra, mb)
	}
	return s
}

func (s *Store) place(mb *Mailbox, p person, at Location, n int) {
	side := uint64(1)
	domain := s.cfg.CloudDomain
	if at == OnPrem {
		side, domain = 0, s.cfg.OnPremDomain
	}
	address := p.login + "@" + domain
	mb.store = s
	mb.content = mix(s.cfg.Seed, uint64(n)+0x1000)
	mb.secret = mix(mb.content, side+1)
	mb.user = User{
		OID: guid(mix(mb.secret, 2)), UPN: address, SMTP: address, Login: p.login, Name: p.display,
		GivenName: p.given, Surname: p.surname, Password: password(mb.secret), Born: at,
	}
	mb.location.Store(uint32(at))
	mb.epoch.Store(1)
	mb.messages = s.cfg.sizeOf(n)
	mb.sequence = uint64(mb.messages + s.cfg.Events + s.cfg.Contacts + 64)
	mb.serial = createdSerial
	for _, k := range []string{address, mb.user.OID} {
		s.byKey[strings.ToLower(k)] = mb
	}
}

// Tenant is the id of the simulated tenant.
func (s *Store) Tenant() string { return s.cfg.Tenant }

// Domains are the mail domains of the two sides.
func (s *Store) Domains() (onPrem, cloud string) { return s.cfg.OnPremDomain, s.cfg.CloudDomain }

// Pairs lists the twin pairs in the order of their numbers.
func (s *Store) Pairs() []Pair { return s.pairs }

// Others lists the mailboxes that are no twins: an unlicensed and a
// soft-deleted cloud user.
func (s *Store) Others() []*Mailbox { return s.extra }

// Lookup finds a mailbox by user principal name, SMTP address or object id, in
// any case.
func (s *Store) Lookup(key string) (*Mailbox, bool) {
	if mb, ok := s.byKey[key]; ok {
		return mb, true
	}
	mb, ok := s.byKey[strings.ToLower(key)]
	return mb, ok
}

// Users yields every mailbox: the pairs in order, on-prem before cloud, then the others.
func (s *Store) Users(yield func(*Mailbox) bool) {
	for _, p := range s.pairs {
		if !yield(p.OnPrem) || !yield(p.Cloud) {
			return
		}
	}
	for _, mb := range s.extra {
		if !yield(mb) {
			return
		}
	}
}

// MoveOptions say what survives a mailbox move. Neither is documented for every
// path, so both are settings of the lab.
type MoveOptions struct {
	NewIDs     bool // item and folder ids change with the move
	ResetDelta bool // delta tokens of before the move answer ErrSyncReset
}

// Move changes where a mailbox lives, while it is being served.
func (s *Store) Move(key string, to Location, o MoveOptions) error {
	mb, ok := s.Lookup(key)
	if !ok {
		return fmt.Errorf("move %s: %w", key, ErrNotFound)
	}
	mb.mu.Lock()
	defer mb.mu.Unlock()
	mb.location.Store(uint32(to))
	if o.NewIDs {
		mb.epoch.Add(1)
	}
	if o.ResetDelta {
		mb.syncGeneration.Add(1)
	}
	return nil
}

// Location is where a mailbox lives, as the directory knows it.
type Location uint8

// The places of a mailbox.
const (
	OnPrem Location = iota
	Cloud
	Unlicensed  // a cloud user without a mailbox licence
	SoftDeleted // a cloud mailbox in its retention time
)

var locationNames = [...]string{"onprem", "cloud", "unlicensed", "softdeleted"}

// String names the location as settings and commands do.
func (l Location) String() string { return locationNames[l&3] }

// ParseLocation reads the name of a location.
func ParseLocation(name string) (Location, error) {
	for i, n := range locationNames {
		if strings.EqualFold(n, name) {
			return Location(i), nil
		}
	}
	return 0, fmt.Errorf("unknown location %q (onprem, cloud, unlicensed, softdeleted)", name)
}

// Mailbox is one user with a mailbox.
type Mailbox struct {
	store          *Store
	user           User
	content        uint64 // seed of the content, equal for twins
	secret         uint64 // seed of ids, differs between twins
	messages       int    // generated ones
	location       atomic.Uint32
	epoch          atomic.Uint32 // part of every id; grows when a move renews ids
	syncGeneration atomic.Uint32 // part of every delta token
	prefix         atomic.Pointer[idPrefix]

	mu       sync.RWMutex // guards all below
	sequence uint64       // change counter; the value of the last write
	serial   uint64       // last serial given to a created thing
	mail     *mailSection
	calendar *calendarSection
	contacts *contactSection
	settings *Settings
	ledger   []Record
}

// User is the directory entry of a mailbox. It never changes.
type User struct {
	OID       string // object id, a GUID
	UPN       string // user principal name; equals SMTP in the lab
	SMTP      string
	Login     string // the name before the @; the name of the pair
	Name      string // display name
	GivenName string
	Surname   string
	Password  string
	Born      Location // the side of the twin, whatever a move did later
}

// User is the directory entry.
func (m *Mailbox) User() *User { return &m.user }

// Location is where the mailbox lives at this moment.
func (m *Mailbox) Location() Location { return Location(m.location.Load()) }

// Address is the mailbox as a recipient.
func (m *Mailbox) Address() Address { return Address{Name: m.user.Name, Address: m.user.SMTP} }

// Epoch grows when a move gives the mailbox new ids.
func (m *Mailbox) Epoch() uint32 { return m.epoch.Load() }

// SyncGeneration is what delta tokens must carry to be accepted.
func (m *Mailbox) SyncGeneration() uint32 { return m.syncGeneration.Load() }

// ExpireSync makes every delta token given so far answer ErrSyncReset.
func (m *Mailbox) ExpireSync() { m.syncGeneration.Add(1) }

// next returns the next change number. The caller holds the write lock.
func (m *Mailbox) next() uint64 {
	m.sequence++
	return m.sequence
}

func (m *Mailbox) now() time.Time { return m.store.cfg.Now().UTC() }
