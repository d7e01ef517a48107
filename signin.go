package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mentalverse/session/token"
)

// ChallengeRequest asks for a challenge.
type ChallengeRequest struct {
	Purpose      Purpose // sign-in when empty
	Type         Type    // standard when empty
	Account      Account // of a reauthentication it may be left out; never of an anonymous one
	SessionToken Secret  // of a reauthentication or an enrolment
}

// Prompt is a challenge with what it asks.
type Prompt struct {
	Challenge
	Question
}

// Challenge issues a challenge. It stores nothing.
func (s *Service) Challenge(ctx context.Context, r ChallengeRequest) (Prompt, error) {
	c := Challenge{Purpose: r.Purpose, Type: r.Type, Account: r.Account}
	switch r.Purpose {
	case "", PurposeSignIn:
		c.Purpose = PurposeSignIn
		if c.Type == "" {
			c.Type = Standard
		}
	case PurposeEnrol:
		row, err := s.identified(ctx, r.SessionToken)
		if err != nil {
			return Prompt{}, err
		}
		if c.Type != Anonymous {
			return Prompt{}, Refuse(CodeInvalidRequest, "purpose enrol is for session_type anonymous", nil)
		}
		c.SessionID = row.ID
	case PurposeReauthenticate:
		row, err := s.authenticate(ctx, r.SessionToken, Glance)
		if err != nil {
			return Prompt{}, err
		}
		if !r.Account.IsZero() && r.Account != row.Subject.Account || r.Type != "" && r.Type != row.Type {
			return Prompt{}, Refuse(CodeInvalidRequest, "this session belongs to another account or type", nil)
		}
		c.Account, c.Type, c.SessionID = row.Subject.Account, row.Type, row.ID
	default:
		return Prompt{}, Refuse(CodeInvalidRequest, "purpose is signin, reauthenticate or enrol", nil)
	}
	verifier, err := s.verifierOf(c.Type)
	if err != nil {
		return Prompt{}, err
	}
	now := s.now()
	if c.Type == Anonymous && c.Purpose != PurposeEnrol {
		if err := s.group.Ready(now); err != nil {
			return Prompt{}, err
		}
	}
	// The account is checked before it is signed into a nonce.
	if _, err := verifier.Ask(c); err != nil {
		return Prompt{}, err
	}
	c = s.keys.challenge.issue(c, now)
	q, err := verifier.Ask(c)
	return Prompt{Challenge: c, Question: q}, err
}

// verifierOf returns the verifier of the credentials that open sessions of a
// type.
func (s *Service) verifierOf(t Type) (Verifier, error) {
	switch {
	case t == Standard, t == Professional:
		return s.verifier, nil
	case t == Anonymous && s.group != nil:
		return s.group, nil
	case t.Valid():
		return nil, notServed(t)
	}
	return nil, Refuse(CodeInvalidRequest, "session_type is standard, anonymous or professional", nil)
}

func notServed(t Type) *Error {
	return Refuse(CodeInvalidRequest, string(t)+" sessions are not served here", nil)
}

// CreateRequest asks for a session. Everything but Credential is optional, and
// can only narrow what the policy gives.
type CreateRequest struct {
	Credential  string
	Type        Type          // standard when empty
	Duration    time.Duration // of one token; the policy's most when zero
	Permissions []string      // the policy's when nil; none when empty
	Reporting   bool          // the client reports its person's activity
	DeviceLabel string
	Channel     Channel // by which its secrets travel; Header when empty
	RequestID   string
	// Admit, when not nil, is asked for the pseudonym that a proof claims, before
	// the proof is verified, which takes long. Its error is the answer.
	Admit func(pseudonym string) error
}

// Tokens is a session with the pair that opens it.
type Tokens struct {
	Session      Session
	SessionToken Secret
	RefreshToken Secret
	ExpiresIn    time.Duration // to the session token's end
	RefreshAt    time.Time     // zero when a refresh would reach no further
}

// Create verifies a credential and opens a session for its account. Where the
// account's subject (or the pseudonym) has as many live sessions as its policy allows, the oldest
// end in the same change.
func (s *Service) Create(ctx context.Context, r CreateRequest) (Tokens, error) {
	if r.Type == "" {
		r.Type = Standard
	}
	if r.Channel == "" {
		r.Channel = Header
	}
	if _, err := s.verifierOf(r.Type); err != nil {
		return Tokens{}, err
	}
	policy := s.policies[r.Type]
	if policy.Reporting && !r.Reporting {
		return Tokens{}, Refuse(CodeInvalidRequest, `this service serves only clients that report activity: send "activity":"reported"`, nil)
	}
	permissions, tokenLife, err := policy.narrow(r.Type, r.Permissions, r.Duration)
	if err != nil {
		return Tokens{}, err
	}
	if err := checkLabel(r.DeviceLabel); err != nil {
		return Tokens{}, err
	}
	if r.DeviceLabel != "" && r.Type == Anonymous {
		return Tokens{}, errAnonymousLabel
	}
	now := s.now()
	evidence, nonce, err := s.verify(ctx, r.Credential, Challenge{Purpose: PurposeSignIn, Type: r.Type}, r.Admit, now)
	if err != nil {
		return Tokens{}, err
	}

	created := now.UTC().Truncate(r.Type.grain())
	row := Session{
		ID: token.NewID(r.Type.kind(), created), Type: r.Type, Permissions: permissions,
		DeviceLabel: r.DeviceLabel, Reporting: r.Reporting, Channel: r.Channel,
		CreatedAt: created, AuthTime: created, LastActivity: created, SteppedAt: created,
		TokenLife: tokenLife, IdleLife: policy.IdleLife, AbsoluteEnd: created.Add(policy.AbsoluteLife),
		Generation: 1, MinGen: 1, Cut: s.newestCut(), RestoreEpoch: s.epoch, Version: 1,
	}
	if !evidence.NotAfter.IsZero() && evidence.NotAfter.Before(row.AbsoluteEnd) {
		row.AbsoluteEnd = evidence.NotAfter.UTC().Truncate(time.Second)
	}
	if !row.AbsoluteEnd.After(now) {
		return Tokens{}, Refuse(CodeCredentialInvalid, "The credential ends too soon to open a session.", nil)
	}
	if evidence.SessionKey != nil {
		row.SeenKeys = []KeyHash{hashKey(evidence.SessionKey)}
	}
	row.ExpiresAt = row.tokenEnd(created)
	rand.Read(row.Seed[:])
	return s.open(ctx, row, evidence, nonce, r.RequestID)
}

// open commits a new session for the account's user or for the pseudonym,
// within the limit.
func (s *Service) open(ctx context.Context, row Session, e Evidence, nonce UsedNonce, requestID string) (Tokens, error) {
	lock := s.subjectLock(e.Pseudonym + e.Account.String())
	lock.Lock()
	defer lock.Unlock()
	for range maxAttempts {
		c := Change{Nonce: &nonce}
		row.Subject = Subject{ID: e.Pseudonym, Account: e.Account}
		if row.Type != Anonymous {
			userID, err := s.store.UserOf(ctx, e.Account)
			if errors.Is(err, ErrNotFound) {
				userID = NewUserID()
				c.Link = &Link{Account: e.Account, UserID: userID, At: row.CreatedAt}
			} else if err != nil {
				return Tokens{}, unavailable(err)
			}
			row.Subject.ID = userID
		}
		if row.Type == Professional {
			if err := s.practise(ctx, &c, &row); err != nil {
				return Tokens{}, err
			}
		}
		if err := s.makeRoom(ctx, &c, row, e.NotAfter, requestID); errors.Is(err, ErrConflict) {
			continue
		} else if err != nil {
			return Tokens{}, err
		}
		c.Insert = []Session{row}
		c.note(EventCreated, ActionCreate, row, row.CreatedAt, requestID)
		switch err := s.commit(ctx, c); {
		case err == nil:
			return s.mint(&row, s.keys.refresh.Session(row.Seed))
		case errors.Is(err, ErrConflict):
			continue
		case errors.Is(err, ErrNonceUsed):
			return Tokens{}, challengeInvalid(err)
		default:
			return Tokens{}, unavailable(err)
		}
	}
	return Tokens{}, unavailable(errContention)
}

// makeRoom puts the subject's new roster into the change, and ends as many of
// its oldest sessions of the type as the limit asks. That of a pseudonym serves
// until its epoch is over.
func (s *Service) makeRoom(ctx context.Context, c *Change, row Session, epochEnd time.Time, requestID string) error {
	roster, err := s.store.Roster(ctx, row.Subject.ID)
	if err != nil {
		return unavailable(err)
	}
	switch {
	case row.Type == Anonymous:
		roster.Until = epochEnd
	case roster.Version == 0 && c.Link == nil: // the user has been erased meanwhile
		return ErrConflict
	}
	if s.now().Before(roster.BlockedUntil) {
		if row.Type == Anonymous {
			return Refuse(CodePermissionDenied, "This pseudonym is blocked until "+roster.BlockedUntil.UTC().Format(time.DateOnly)+".", nil)
		}
		return Refuse(CodePermissionDenied, "This account is blocked.", nil)
	}
	var keep []token.ID
	var same []Session
	for _, id := range roster.Sessions {
		other, err := s.session(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && !other.Alive(row.CreatedAt) {
			continue
		}
		if err != nil {
			return unavailable(err)
		}
		keep = append(keep, id)
		if other.Type == row.Type {
			same = append(same, other)
		}
	}
	for len(same) >= s.policies[row.Type].MaxLive {
		oldest := same[0].end(EndLimit, row.CreatedAt)
		same = same[1:]
		c.Update = append(c.Update, oldest)
		c.note(EventEnded, ActionEnd, oldest, row.CreatedAt, requestID)
		for i, id := range keep {
			if id == oldest.ID {
				keep = append(keep[:i:i], keep[i+1:]...)
				break
			}
		}
	}
	roster.Sessions = append(keep, row.ID)
	c.Roster = &roster
	return nil
}

// verify opens a credential, checks that it answers a challenge of ours made
// for want's purpose, type and session, and then its signature or proof.
func (s *Service) verify(ctx context.Context, credential string, want Challenge, admit func(string) error, now time.Time) (Evidence, UsedNonce, error) {
	if credential == "" {
		return Evidence{}, UsedNonce{}, Refuse(CodeCredentialInvalid, "A credential is needed: Authorization: Bearer <credential>, or credential in the body.", nil)
	}
	verifier, err := s.verifierOf(want.Type)
	if err != nil {
		return Evidence{}, UsedNonce{}, err
	}
	if want.Type == Anonymous {
		if err := s.group.Ready(now); err != nil {
			return Evidence{}, UsedNonce{}, err
		}
	}
	presented, err := verifier.Open(credential)
	if err != nil {
		return Evidence{}, UsedNonce{}, err
	}
	claim := presented.Claim(now)
	want.Account, want.Nonce = claim.Account, claim.Nonce
	c, nonce, err := s.keys.challenge.open(want, now)
	if err != nil {
		return Evidence{}, UsedNonce{}, challengeInvalid(err)
	}
	if admit != nil && claim.Pseudonym != "" {
		if err := admit(claim.Pseudonym); err != nil {
			return Evidence{}, UsedNonce{}, err
		}
	}
	evidence, err := presented.Verify(ctx, c, now)
	if err != nil {
		return Evidence{}, UsedNonce{}, err
	}
	if evidence.Account != claim.Account || evidence.Pseudonym != claim.Pseudonym || (want.Type == Anonymous) != isPseudonym(evidence.Pseudonym) {
		return Evidence{}, UsedNonce{}, Refuse(CodeCredentialInvalid, "The credential is not valid.", errors.New("evidence of another account"))
	}
	return evidence, nonce, nil
}

func challengeInvalid(cause error) *Error {
	return Refuse(CodeChallengeInvalid, "This challenge is unknown, used or too old. Ask for a new one.", cause)
}

// mint makes the pair of the session's current generation. Where a lost answer
// is given again after its session token's time, that token is over from the
// beginning; the refresh token beside it is what its holder needs.
func (s *Service) mint(row *Session, key token.SessionKey) (Tokens, error) {
	now := s.now()
	issued := now
	if !now.Before(row.ExpiresAt) {
		issued = row.SteppedAt
	}
	jwt, err := s.keys.current.Load().sign.Sign(token.Claims{
		Issuer: s.keys.issuer, Subject: row.Subject.ID, SessionID: row.ID, Generation: row.Generation,
		IssuedAt: issued.UTC().Truncate(row.Type.grain()), ExpiresAt: row.ExpiresAt, AuthTime: row.AuthTime,
		Scope: row.Permissions, Type: string(row.Type),
	})
	if err != nil {
		return Tokens{}, unavailable(err)
	}
	return Tokens{
		Session:      *row,
		SessionToken: NewSecret(row.Channel, jwt),
		RefreshToken: NewSecret(row.Channel, key.Mint(row.ID, row.Generation)),
		ExpiresIn:    max(0, row.ExpiresAt.Sub(now)),
		RefreshAt:    refreshAt(row, now),
	}, nil
}

// refreshAt spreads refreshes over ±10 % around 80 % of the token's life, so
// that sessions made together do not come back together.
func refreshAt(row *Session, now time.Time) time.Time {
	if !row.ExpiresAt.Before(row.AbsoluteEnd) {
		return time.Time{}
	}
	var b [1]byte
	rand.Read(b[:])
	jitter := 0.9 + 0.2*float64(b[0])/255
	return now.Add(time.Duration(float64(max(0, row.ExpiresAt.Sub(now))) * 0.8 * jitter)).UTC().Truncate(time.Second)
}

// note adds the event (unless kind is empty) and the audit record of an act. Of
// an anonymous session's they tell no fine time, and no request, whose time a
// log may know.
func (c *Change) note(kind EventKind, action Action, row Session, at time.Time, requestID string) {
	if row.Type == Anonymous {
		at, requestID = row.Type.coarse(at), ""
	}
	if kind != "" {
		c.Events = append(c.Events, Event{
			Kind: kind, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, Reason: row.EndReason, MinGen: row.MinGen,
		})
	}
	c.Records = append(c.Records, Record{
		Action: action, At: at, SessionID: row.ID, SubjectID: row.Subject.ID, Detail: string(row.EndReason), RequestID: requestID,
	})
}

func hashKey(der []byte) (h KeyHash) {
	sum := sha256.Sum256(der)
	copy(h[:], sum[:])
	return h
}

var errAnonymousLabel = Refuse(CodeInvalidRequest, "An anonymous session keeps nothing about its device: leave device_label out.", nil)

// MaxDeviceLabel bounds a device label, in bytes.
const MaxDeviceLabel = 64

func checkLabel(label string) error {
	bad := len(label) > MaxDeviceLabel || !utf8.ValidString(label) ||
		strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) })
	if bad {
		return Refuse(CodeInvalidRequest, "device_label is at most 64 bytes of printable text", nil)
	}
	return nil
}
