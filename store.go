package session

import (
	"context"
	"iter"
	"time"

	"github.com/mentalverse/session/token"
)

// Store keeps sessions, accounts, used challenges, keys, events and audit
// records. It decides nothing: rules are the service's.
//
// All methods are safe for concurrent use. A failure that is not one of the
// sentinel errors below means "unknown": the caller must treat it as
// [CodeUnavailable] and never as an answer. A method that reads returns when
// its context is done; one that writes may then return early too, while what it
// was given is still done.
type Store interface {
	// Session returns the session whether it lives or has ended.
	// [ErrNotFound] when there is none (or it has been swept).
	Session(ctx context.Context, id token.ID) (Session, error)

	// Roster returns the subject's roster. A subject never seen has the zero
	// roster of that subject: version 0 and no sessions. Never ErrNotFound.
	Roster(ctx context.Context, subjectID string) (Roster, error)

	// UserOf returns the id of the user an account belongs to.
	// [ErrNotFound] when the account has never signed in.
	UserOf(ctx context.Context, account Account) (string, error)

	// AccountsOf returns the accounts of a user, in any order; none of one who does
	// not exist.
	AccountsOf(ctx context.Context, userID string) ([]Account, error)

	// Users returns up to limit users whose ids are above one, by their ids.
	Users(ctx context.Context, after string, limit int) ([]string, error)
	// Erased is Users of those who were erased, as the audit trail has it.
	Erased(ctx context.Context, after string, limit int) ([]string, error)

	// Member returns what a user has in the group. [ErrNotFound] when nothing.
	Member(ctx context.Context, userID string) (Member, error)
	// Waiting returns the members for whom the next snapshots change something,
	// in any order.
	Waiting(ctx context.Context) ([]Member, error)
	// Places yields the group's places in their order; zero is one that was left.
	// The first error ends the sequence.
	Places(ctx context.Context) iter.Seq2[Commitment, error]
	// Snapshots returns up to limit published snapshots as they were given, oldest
	// first, from a number on; or the newest, with NewestSnapshots.
	Snapshots(ctx context.Context, from int64, limit int) ([][]byte, error)

	// Cuts returns all cuts by their numbers.
	Cuts(ctx context.Context) ([]Cut, error)

	// Professional returns an entry of the registry by its id, ProfessionalOf by an
	// account, LicenceHolder by a licence. [ErrNotFound] when there is none.
	Professional(ctx context.Context, id string) (Registrant, error)
	ProfessionalOf(ctx context.Context, account Account) (Registrant, error)
	LicenceHolder(ctx context.Context, authority, number string) (Registrant, error)
	// Professionals returns up to limit entries whose ids are above one, by their
	// ids.
	Professionals(ctx context.Context, after string, limit int) ([]Registrant, error)

	// ToReview is Professionals of those that wait for review.
	ToReview(ctx context.Context, after string, limit int) ([]Registrant, error)

	// Operator returns an operator, whether their key is good or was revoked.
	// [ErrNotFound] when there is none.
	Operator(ctx context.Context, id string) (Operator, error)
	// Operators returns up to limit operators whose ids are above one, by their
	// ids.
	Operators(ctx context.Context, after string, limit int) ([]Operator, error)

	// Live yields every session that has not ended and whose id is not older
	// than since, in the order of their ids. The first error ends the sequence.
	Live(ctx context.Context, since time.Time) iter.Seq2[Session, error]

	// Apply commits each change wholly or not at all, and returns one error for
	// each in order: nil, [ErrConflict] (a compare-and-swap lost; read again and
	// decide anew), [ErrNonceUsed], [ErrTaken], [ErrFull] (nothing was done), an
	// [Undecided] where ctx ended first, or an unknown failure. It returns only after what it acknowledges is durable. Changes of
	// one call or of several may share a commit; one that conflicts takes no other
	// with it. A store keeps room for changes that it must take ([Change.Must]) when it
	// is full for all others.
	Apply(ctx context.Context, changes ...Change) []error

	// Keys returns every stored signing key, ordered by ActiveFrom.
	Keys(ctx context.Context) ([]WrappedKey, error)
	// AddKey stores a key durably. [ErrConflict] when a key of the same
	// algorithm and the same ActiveFrom exists, or the id is taken.
	AddKey(ctx context.Context, k WrappedKey) error
	// DropKeys removes the keys with these ids; missing ones are no error.
	DropKeys(ctx context.Context, ids ...string) error

	// Meta returns the store's own facts; a new store has the zero Meta.
	Meta(ctx context.Context) (Meta, error)
	// SetMeta replaces them durably if they still equal old, else [ErrConflict].
	SetMeta(ctx context.Context, old, new Meta) error

	// Events returns up to limit events after the position, oldest first: those
	// that are about pseudonyms, or all others. Each of the two logs has positions
	// of its own, which count up from 1 by one in the order in which changes became
	// visible: nothing appears below a position that was read, and a hole means
	// that events were swept. Who follows the log of pseudonyms must not fall behind
	// by more than [AnonymousEventsKept], or begin anew from the sessions.
	Events(ctx context.Context, anonymous bool, after uint64, limit int) ([]StoredEvent, error)
	// NewestEvent returns the last event of a log, which no sweep deletes.
	// [ErrNotFound] while nothing has happened.
	NewestEvent(ctx context.Context, anonymous bool) (StoredEvent, error)
	// Records returns up to limit audit records that are not about pseudonyms after
	// the position, oldest first.
	Records(ctx context.Context, after uint64, limit int) ([]StoredRecord, error)
	// AnonymousRecords returns up to limit audit records about pseudonyms whose
	// keys are above one, by their keys: a time and then 128 random bits. Nothing
	// stored tells which of the same time was first.
	AnonymousRecords(ctx context.Context, after [20]byte, limit int) ([]AnonymousRecord, error)

	// Sweep deletes at most limit rows of each kind that are older than their
	// cutoff, in a transaction of its own that shares the writers' queue, and
	// returns how many it deleted. Zero means that nothing is left to do.
	Sweep(ctx context.Context, cut SweepCut, limit int) (int, error)

	// Ping reports whether the store can answer.
	Ping(ctx context.Context) error
	// Close finishes queued changes and releases the store.
	Close() error
}

// Change is what one act does to the store: it commits wholly or not at all.
// The audit record is part of it, so that no change is without one.
type Change struct {
	// Insert are new sessions, with Version 1.
	Insert []Session
	// Update are sessions in their new state. Version is the version they were
	// read at; the store keeps them with Version+1, or answers ErrConflict when
	// the stored version differs. A stored session that has ended accepts no
	// update: ended is final. Id, type, subject, channel, reporting, creation,
	// absolute end, seed and restore epoch are as inserted: a store need not
	// write them again.
	Update []Session
	// Roster, when not nil, replaces the subject's roster in its new state.
	// Version is as for Update (0 for a subject never seen).
	Roster *Roster
	// Link, when not nil, binds an account that no user has yet; ErrConflict
	// when another change bound it first.
	Link *Link
	// Members are users' commitments in their new state; Version is as for Update,
	// 0 for a user who has none. One whose Current is zero is forgotten; a store
	// gives who comes anew a version that nobody had. ErrTaken when a commitment of
	// theirs is another user's.
	Members []Member
	// Publication, when not nil, changes the group: ErrConflict when its number is
	// not the next or its First is not the next place. Its Members count as above.
	Publication *Publication
	// Professionals are entries of the registry in their new state; Version is as
	// for Update, 0 for a new one. ErrTaken when an account or a licence of theirs
	// is another's.
	Professionals []Registrant
	// Holds, when not nil, is an entry of the registry that the change relies on:
	// ErrConflict unless it has this version. It gets another, so that whoever
	// changes it meanwhile learns of what relies on it.
	Holds *Hold
	// Cut, when not nil, is kept: ErrConflict when its number is not the next.
	Cut *Cut
	// Erase, when not empty, is a user whose accounts, roster and sessions, ended
	// ones too, are deleted after all else of the change is done.
	Erase string
	// Distrust, unless zero, puts every entry of the registry to review and revokes
	// every operator's good key as of then, but none of RoleService: what the store holds may be older than
	// what was last done to it.
	Distrust time.Time
	// Operators are operators in their new state; Version is as for Update, 0 for a
	// new one. A store keeps those who were revoked so.
	Operators []Operator
	// Urgent is a change by which an operator takes a right away. A store that is
	// full takes it all the same.
	Urgent bool
	// Nonce, when not nil, uses a challenge up; [ErrNonceUsed] when it was used.
	Nonce *UsedNonce

	Events  []Event
	Records []Record
}

// Must reports whether a store has to take the change even when it is full: it
// is urgent, or does nothing but end sessions.
func (c *Change) Must() bool {
	if c.Urgent {
		return true
	}
	if len(c.Update) == 0 || len(c.Insert) > 0 || c.Roster != nil || c.Link != nil || c.Nonce != nil || len(c.Members) > 0 || c.Publication != nil || len(c.Professionals) > 0 || c.Holds != nil || c.Erase != "" || c.Cut != nil || !c.Distrust.IsZero() || len(c.Operators) > 0 {
		return false
	}
	for i := range c.Update {
		if !c.Update[i].Ended() {
			return false
		}
	}
	return true
}

// Hold is the version of an entry of the registry that a change relies on.
type Hold struct {
	Professional string
	Version      uint64
}

// Roster is the list of a subject's sessions that may live, oldest first. The
// session limit is enforced by its compare-and-swap. Sessions that ended leave
// the list when the next one is created.
type Roster struct {
	SubjectID    string
	Sessions     []token.ID
	BlockedUntil time.Time // opens no session before; zero: is not blocked
	Until        time.Time // serves nobody from then on; zero: serves for ever
	Version      uint64
}

// Link says that an account belongs to a user.
type Link struct {
	Account Account
	UserID  string
	At      time.Time
}

// UsedNonce is a challenge that has been answered. Key begins with the
// challenge's issue time in big-endian seconds, so keys are time-ordered.
type UsedNonce struct {
	Key [20]byte
}

// WrappedKey is a signing key as a store keeps it: its secret encrypted under
// the keyring's wrapping key.
type WrappedKey struct {
	ID         string
	Algorithm  token.Algorithm
	CreatedAt  time.Time // published from here on
	ActiveFrom time.Time // signs from here on
	Secret     []byte    // AES-256-GCM: nonce ‖ ciphertext ‖ tag
}

// Meta are the store's own facts.
type Meta struct {
	RestoreEpoch uint32
	KeyCheck     []byte // a fingerprint of the master key the store was made with
	Running      bool   // set while a service runs: still set at start means an unclean end
}

// SweepCut says how old is too old. A zero time sweeps nothing of that kind.
type SweepCut struct {
	Sessions time.Time // by the time in their id
	Nonces   time.Time // by their challenge's issue time
	Events   time.Time // of those that are not about pseudonyms
	Told     time.Time // of those that are
	Records  time.Time // of both trails
	Rosters  time.Time // by their Until
	Cuts     time.Time // but for the newest
}

// StoredEvent is an event with its position in the log.
type StoredEvent struct {
	Position uint64
	Event
}

// NewestSnapshots asks for the newest ones.
const NewestSnapshots = -1

// AnonymousRecord is an audit record about a pseudonym, with its key. Nothing
// else is kept of the record than Action, At, SessionID, SubjectID, Actor and
// Detail.
type AnonymousRecord struct {
	Key [20]byte
	Record
}

// StoredRecord is an audit record with its position.
type StoredRecord struct {
	Position uint64
	Record
}
