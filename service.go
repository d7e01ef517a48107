package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mentalverse/session/token"
)

// Config is what a [Service] stands on. Store, Verifier, MasterKey and Issuer
// are required; the rest has defaults.
type Config struct {
	Store        Store
	Verifier     Verifier // of wallets
	Group        Group    // of members; nil serves no anonymous sessions
	MasterKey    MasterKey
	RestoreEpoch uint32          // see Meta.RestoreEpoch; raising it ends every session
	Issuer       string          // of session tokens: the service's public URL
	Algorithm    token.Algorithm // of session tokens; EdDSA by default
	Policies     Policies        // DefaultPolicies by default
	Now          func() time.Time
	Log          *slog.Logger
	Observer     Observer
	// Changed is called after a commit of which others must learn at once. It must
	// not block. Nil: nobody follows.
	Changed func()
}

// Observer is told of what operators count. Its methods must not block.
type Observer interface {
	// Alarm tells of what an operator must look at, such as "store_rollback".
	Alarm(name string)
	// Event tells of a committed event.
	Event(e Event)
}

type noObserver struct{}

func (noObserver) Alarm(string) {}
func (noObserver) Event(Event)  {}

// Service is the session service: every rule of the domain over a [Store] and
// a [Verifier]. Its methods are safe for concurrent use and return an [*Error]
// for every refusal; any other error is unknown and means CodeUnavailable.
type Service struct {
	store    Store
	verifier Verifier
	group    Group
	policies Policies
	epoch    uint32
	now      func() time.Time
	log      *slog.Logger
	observer Observer
	changed  func()
	keys     *Keyring

	callers  callers
	live     *live
	silent   atomic.Bool // the store is; see listen
	cuts     atomic.Pointer[[]Cut]
	followed uint32 // the newest cut whose rows have all followed; of followCuts
	subjects [256]sync.Mutex
	counted  anonymousCount

	publishing sync.Mutex // of the group; held by who loads it and plans for it
	loaded     bool       // the group is what the store holds

	toldFull atomic.Int64 // the minute in which the log was told of a full store
}

// NewService opens the service over its store: it checks the master key and
// the restore epoch, puts the signing keys in force and loads the live
// sessions. Call Run to keep it going.
func NewService(ctx context.Context, c Config) (*Service, error) {
	if c.Algorithm == "" {
		c.Algorithm = token.EdDSA
	}
	if c.Policies == nil {
		c.Policies = DefaultPolicies()
	}
	if err := c.Policies.Check(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	keys, err := NewKeyring(c.MasterKey, c.RestoreEpoch, c.Issuer, c.Algorithm, c.Policies)
	if err != nil {
		return nil, err
	}
	s := &Service{
		store: bounded{c.Store}, verifier: c.Verifier, group: c.Group, policies: c.Policies, epoch: c.RestoreEpoch,
		now: c.Now, log: c.Log, observer: c.Observer, changed: c.Changed, keys: keys,
		live: newLive(c.RestoreEpoch, c.Now()),
	}
	s.cuts.Store(new([]Cut))
	unclean, err := s.claimStore(ctx)
	if err != nil {
		return nil, err
	}
	if err := keys.Load(ctx, s.store, s.now()); err != nil {
		return nil, err
	}
	if err := s.loadCuts(ctx); err != nil {
		return nil, err
	}
	if err := s.recogniseGroup(ctx); err != nil {
		return nil, err
	}
	return s, s.load(ctx, unclean)
}

// claimStore checks that store, master key and restore epoch belong together,
// and marks the store as running. It reports whether the last run ended
// uncleanly.
func (s *Service) claimStore(ctx context.Context) (unclean bool, err error) {
	old, err := s.store.Meta(ctx)
	if err != nil {
		return false, err
	}
	if err := s.keys.matches(old); err != nil {
		return false, err
	}
	if s.epoch < old.RestoreEpoch {
		return false, fmt.Errorf("session: the restore epoch %d is below the store's %d: an older configuration or key folder was put beside a newer store", s.epoch, old.RestoreEpoch)
	}
	if old.KeyCheck != nil && s.epoch > old.RestoreEpoch {
		now := s.now()
		record := Record{Action: ActionEpoch, At: now, Detail: fmt.Sprint(s.epoch)}
		if err := s.store.Apply(ctx, Change{Distrust: now.UTC().Truncate(time.Second), Records: []Record{record}})[0]; err != nil {
			return false, err
		}
		s.log.Warn("restore epoch raised: every earlier session has ended, operators need new keys, and the registry waits for review", "from", old.RestoreEpoch, "to", s.epoch)
	}
	return old.Running, s.store.SetMeta(ctx, old, Meta{RestoreEpoch: s.epoch, KeyCheck: s.keys.check, Running: true})
}

// load fills the live table. After an unclean end up to a minute of activity
// may be lost, so each session is given that minute; an anonymous one, whose
// activity is told in five minutes, the next five.
func (s *Service) load(ctx context.Context, unclean bool) error {
	now := s.now()
	n := 0
	for row, err := range s.store.Live(ctx, now.Add(-MaxAbsoluteLife)) {
		if err != nil {
			return err
		}
		if row.RestoreEpoch != s.epoch {
			continue
		}
		s.live.keepWritten(&row, now)
		if unclean {
			at := row.LastActivity.Add(max(activityEvery, row.Type.grain()))
			if at.After(now) {
				at = now
			}
			s.live.see(&row, 0, row.Type.coarse(at), now)
		}
		n++
	}
	s.log.Info("live sessions loaded", "sessions", n, "unclean_end", unclean)
	return nil
}

// Now is the service's clock.
func (s *Service) Now() time.Time { return s.now() }

// RestoreEpoch is the epoch that the service was opened in; see Meta.
func (s *Service) RestoreEpoch() uint32 { return s.epoch }

// Keys returns the service's keyring.
func (s *Service) Keys() *Keyring { return s.keys }

// Ready reports whether the store answers; nil means yes.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }

// LiveCount returns how many sessions stand in memory.
func (s *Service) LiveCount() int { return s.live.count() }

// UnwrittenCount returns of how many sessions something was seen that is not in
// the store yet: activity of the last minute, mostly.
func (s *Service) UnwrittenCount() int { return s.live.countUnwritten() }

// session returns a session from memory or the store, with what was seen of
// it. ErrNotFound when there is none or it is of another restore epoch.
func (s *Service) session(ctx context.Context, id token.ID) (row Session, err error) {
	err = s.find(ctx, id, &row)
	return row, err
}

// find is session into a zero one, which an error leaves so.
func (s *Service) find(ctx context.Context, id token.ID, row *Session) error {
	if s.silent.Load() {
		return errSilent
	}
	for range maxAttempts {
		mark, ok := s.live.get(id, row)
		if ok {
			row.cutBy(*s.cuts.Load())
			return nil
		}
		stored, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		if stored, ok = s.live.keepRead(stored, mark, s.now()); ok {
			*row = stored
			return nil
		}
	}
	return errContention
}

// read returns a session of this restore epoch from the store.
func (s *Service) read(ctx context.Context, id token.ID) (Session, error) {
	row, err := s.store.Session(ctx, id)
	if err == nil && row.RestoreEpoch != s.epoch {
		return Session{}, ErrNotFound
	}
	row.cutBy(*s.cuts.Load())
	return row, err
}

// settle applies changes, each wholly or not at all, and puts what came of them
// into the live table: of those whose outcome is not known when ctx ends,
// whenever it is. Otherwise a session that ends when nobody waits any more would
// stay alive in memory.
func (s *Service) settle(ctx context.Context, changes ...Change) []error {
	errs := s.store.Apply(ctx, changes...)
	now, urgent := s.now(), false
	for i := range changes {
		if late, ok := errors.AsType[*Undecided](errs[i]); ok {
			go s.settleLate(changes[i], late.Outcome)
			continue
		}
		urgent = s.settled(&changes[i], errs[i], now) || urgent
	}
	if urgent {
		s.changed()
	}
	return errs
}

// settleLate is settle of a change that nobody waits for any more.
func (s *Service) settleLate(c Change, outcome <-chan error) {
	err := <-outcome
	if s.settled(&c, err, s.now()) {
		s.changed()
	}
}

// settled puts what came of a change into the live table, and reports whether
// others must learn of it at once.
func (s *Service) settled(c *Change, err error, now time.Time) (urgent bool) {
	if len(c.Operators) > 0 {
		s.callers.forget() // whatever came of it
	}
	switch {
	case errors.Is(err, ErrFull):
		s.alarmFull(now)
		return false
	case err != nil:
		for i := range c.Update {
			s.live.forget(c.Update[i].ID)
		}
		return false
	}
	for i := range c.Insert {
		s.live.keepWritten(&c.Insert[i], now)
	}
	for _, row := range c.Update {
		row.Version++
		s.live.keepWritten(&row, now)
	}
	if c.Cut != nil {
		s.keepCut(*c.Cut)
	}
	for _, e := range c.Events {
		s.observer.Event(e)
		urgent = urgent || e.Kind.EndsTrust()
	}
	return urgent
}

// alarmFull tells the operator, once a minute in the log.
func (s *Service) alarmFull(now time.Time) {
	s.observer.Alarm("store_full")
	last, minute := s.toldFull.Load(), now.Unix()/60
	if last != minute && s.toldFull.CompareAndSwap(last, minute) {
		s.log.Error("store_full: the disk of the store has no room; until it has, sessions are ended and rights taken away, and nothing else")
	}
}

// maxAttempts bounds how often a lost compare-and-swap is decided anew.
const maxAttempts = 32

var errContention = errors.New("session: too many changes at once")

// subjectLock orders this node's creations of one subject, so that they do not
// spend their attempts on one another. Other nodes meet in the roster's
// compare-and-swap.
func (s *Service) subjectLock(subjectID string) *sync.Mutex {
	var h uint8
	for i := range len(subjectID) {
		h = h*31 + subjectID[i]
	}
	return &s.subjects[h]
}
