package session

import (
	"context"
	"errors"
	"slices"
)

// Touch tells that the session's person is here, and returns the session with
// its ends moved.
func (s *Service) Touch(ctx context.Context, sessionToken Secret) (Session, error) {
	return s.authenticate(ctx, sessionToken, Personal)
}

// Current returns the session that the token opens.
func (s *Service) Current(ctx context.Context, sessionToken Secret) (Session, error) {
	return s.authenticate(ctx, sessionToken, Poll)
}

// AmendRequest changes a session. Nil leaves a part as it is.
type AmendRequest struct {
	Permissions []string // may narrow; to widen within the type needs fresh authentication
	DeviceLabel *string
	RequestID   string
}

// Amend changes the session's permissions or its device label. A change of
// permissions replaces the tokens: every earlier one dies in the same commit,
// and Tokens then holds the new pair; otherwise only the session.
func (s *Service) Amend(ctx context.Context, sessionToken Secret, r AmendRequest) (Tokens, error) {
	if r.DeviceLabel != nil {
		if err := checkLabel(*r.DeviceLabel); err != nil {
			return Tokens{}, err
		}
	}
	for range maxAttempts {
		row, err := s.authenticate(ctx, sessionToken, Personal)
		if err != nil {
			return Tokens{}, err
		}
		if r.DeviceLabel != nil && row.Type == Anonymous {
			return Tokens{}, errAnonymousLabel
		}
		now := s.now()
		var c Change
		replace := false
		if r.Permissions != nil {
			want := NewPermissions(r.Permissions...)
			if missing := s.policies[row.Type].Permissions.Lacking(want...); missing != nil {
				return Tokens{}, denied(missing)
			}
			if row.Permissions.Lacking(want...) != nil && !row.authenticatedWithin(FreshAuthentication, now) {
				return Tokens{}, stale(FreshAuthentication)
			}
			if replace = !slices.Equal(want, row.Permissions); replace {
				row.Permissions = want
				row = row.elevate(now)
				c.note(EventUpdated, ActionPermissions, row, now, r.RequestID)
			}
		}
		if r.DeviceLabel != nil && *r.DeviceLabel != row.DeviceLabel {
			row.DeviceLabel = *r.DeviceLabel
			c.note("", ActionLabel, row, now, r.RequestID)
		}
		if c.Records == nil {
			return Tokens{Session: row, ExpiresIn: max(0, row.ExpiresAt.Sub(now))}, nil
		}
		c.Update = []Session{row}
		switch err := s.commit(ctx, c); {
		case err == nil && replace:
			return s.mint(&row, s.keys.refresh.Session(row.Seed))
		case err == nil:
			return Tokens{Session: row, ExpiresIn: max(0, row.ExpiresAt.Sub(now))}, nil
		case !errors.Is(err, ErrConflict):
			return Tokens{}, unavailable(err)
		}
	}
	return Tokens{}, unavailable(errContention)
}

// maxSeenKeys bounds how many delegated keys one session may have seen: more
// than a day of fresh authentications, one every FreshAuthentication.
const maxSeenKeys = 128

// Reauthenticate proves anew that the session's own account is here: it renews
// AuthTime and replaces the tokens; every earlier one dies in the same commit.
// The absolute end does not move.
//
// A delegation must name a session key that this session has not seen, because
// a delegated key signs without its person.
func (s *Service) Reauthenticate(ctx context.Context, sessionToken Secret, credential, requestID string) (Tokens, error) {
	row, err := s.authenticate(ctx, sessionToken, Personal)
	if err != nil {
		return Tokens{}, err
	}
	now := s.now()
	want := Challenge{Purpose: PurposeReauthenticate, Type: row.Type, SessionID: row.ID}
	evidence, nonce, err := s.verify(ctx, credential, want, nil, now)
	if err != nil {
		return Tokens{}, err
	}
	for range maxAttempts {
		if evidence.Account != row.Subject.Account || row.Type == Anonymous && evidence.Pseudonym != row.Subject.ID {
			return Tokens{}, Refuse(CodeCredentialInvalid, "The credential is of another account.", nil)
		}
		if evidence.SessionKey != nil {
			key := hashKey(evidence.SessionKey)
			if slices.Contains(row.SeenKeys, key) || len(row.SeenKeys) >= maxSeenKeys {
				return Tokens{}, Refuse(CodeCredentialInvalid, "Sign in with your wallet again: this delegation was used before.", nil)
			}
			row.SeenKeys = append(slices.Clone(row.SeenKeys), key)
		}
		row.AuthTime = now.UTC().Truncate(row.Type.grain())
		row = row.elevate(now)
		c := Change{Update: []Session{row}, Nonce: &nonce}
		c.note(EventUpdated, ActionReauthenticate, row, now, requestID)
		err := s.commit(ctx, c)
		switch {
		case err == nil:
			return s.mint(&row, s.keys.refresh.Session(row.Seed))
		case errors.Is(err, ErrNonceUsed):
			return Tokens{}, challengeInvalid(err)
		case !errors.Is(err, ErrConflict):
			return Tokens{}, unavailable(err)
		}
		if row, err = s.authenticate(ctx, sessionToken, Personal); err != nil {
			return Tokens{}, err
		}
	}
	return Tokens{}, unavailable(errContention)
}
