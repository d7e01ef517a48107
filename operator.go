package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
)

// Operator is one of those who run the service and may look at others or act on
// them, or one of the platform's services, by a key of their own. It is kept for
// ever: the audit trail names it.
type Operator struct {
	ID        string // "op_", or "svc_" of a service, and 80 random bits
	Name      string
	Role      Role
	KeyHash   [32]byte // see hashOperatorKey
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is good
	Version   uint64    // as of a session; 0 for a new one
}

// Role is what a key is for.
type Role string

// The roles. RoleRoot is that of [RootOperator] and is given to nobody.
const (
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleAuditor  Role = "auditor"
	RoleService  Role = "service"
	RoleRoot     Role = "root"
)

// Right is what a call of an operator needs.
type Right int

// The rights.
const (
	SeePeople       Right = iota + 1 // the registry, and people's sessions
	ActOnPeople                      // change and end them
	SeeTrail                         // the audit records
	SeeOperators                     // whom the trail names
	ManageOperators                  // make and revoke keys
	FollowSessions                   // a service's: the feed, and to ask and report about tokens it was shown
)

// rights of the roles. A service follows sessions and no operator does, so that
// neither key serves for the other. Who audits sees what was done and no more of people than
// their ids. Keys are made with the root key alone, so that one that was stolen
// makes none that outlives it.
var rights = map[Role][]Right{
	RoleViewer:   {SeePeople, SeeOperators},
	RoleOperator: {SeePeople, ActOnPeople, SeeOperators},
	RoleAuditor:  {SeeTrail, SeeOperators},
	RoleService:  {FollowSessions},
	RoleRoot:     {SeePeople, ActOnPeople, SeeTrail, SeeOperators, ManageOperators},
}

// May reports whether a role has a right.
func (r Role) May(do Right) bool { return slices.Contains(rights[r], do) }

// RootOperator is the id of whoever can read the master key, from which the
// root key is derived.
const RootOperator = "op_root"

const (
	operatorPrefix    = "op_"
	servicePrefix     = "svc_"
	operatorIDBytes   = 10
	operatorIDLen     = operatorIDBytes * 8 / 5 // behind the prefix
	operatorSecretLen = 43                      // 256 bits in unpadded base64url
	maxOperatorName   = 64
)

// operatorKey is a key as its holder has it: the id that it is looked up by, and
// the secret.
func operatorKey(id string, secret [32]byte) string {
	return id + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
}

// readOperatorKey returns the id and the secret of a key, which has one
// spelling.
func readOperatorKey(key string) (id string, secret [32]byte, ok bool) {
	at := len(key) - operatorSecretLen - 1
	if at < 0 || key[at] != '_' {
		return "", secret, false
	}
	id = key[:at]
	raw, err := base64.RawURLEncoding.Strict().DecodeString(key[at+1:])
	ok = err == nil && len(raw) == len(secret) && (id == RootOperator || isKeyID(id, operatorPrefix) || isKeyID(id, servicePrefix))
	copy(secret[:], raw)
	return id, secret, ok
}

func isKeyID(id, prefix string) bool {
	return len(id) == len(prefix)+operatorIDLen && strings.HasPrefix(id, prefix)
}

// hashOperatorKey is what is kept of a key. Its secret is 256 random bits, which
// nobody can try out, so a slow hash would protect nothing more.
func hashOperatorKey(id string, secret [32]byte) [32]byte {
	return sha256.Sum256(append([]byte("mentalverse:operator:"+id+":"), secret[:]...))
}

// RootKey is the root operator's key.
func (k *Keyring) RootKey() string { return operatorKey(RootOperator, k.Derive("operator")) }

// Authorise returns the operator, or the service, whose key it is. To one whose key is wrong,
// unknown or revoked CodeCredentialInvalid, to one whose role does not have the
// right CodePermissionDenied.
func (s *Service) Authorise(ctx context.Context, key string, needs Right) (Operator, error) {
	id, secret, ok := readOperatorKey(key)
	if !ok {
		return Operator{}, errOperatorKey(nil)
	}
	o, err := s.operator(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Operator{}, unavailable(err)
	}
	shown := hashOperatorKey(id, secret)
	genuine := subtle.ConstantTimeCompare(shown[:], o.KeyHash[:]) == 1
	switch {
	case !genuine || o.ID != id:
		return Operator{}, errOperatorKey(errors.New("no such key"))
	case !o.RevokedAt.IsZero():
		return Operator{}, errOperatorKey(errors.New("revoked"))
	case !o.Role.May(needs):
		return Operator{}, Refuse(CodePermissionDenied, "The role of this key is "+string(o.Role)+", which may not do that.", nil)
	}
	return o, nil
}

func errOperatorKey(cause error) error {
	return Refuse(CodeCredentialInvalid, "Send a key that is good, an operator's or a service's, as Authorization: Bearer.", cause)
}

// Act is who does something to others, and why: it goes into the audit trail.
type Act struct {
	Operator  string // an id
	Reason    string // 3 to 200 bytes
	RequestID string
}

const (
	minReason = 3
	maxReason = 200
)

// check refuses an act that would leave no trace.
func (a Act) check() error {
	if a.Operator == "" || len(a.Reason) < minReason || !isPlainText(a.Reason, maxReason) {
		return Refuse(CodeInvalidRequest, "Send a reason: 3 to 200 bytes of printable text without spaces around it.", nil)
	}
	return nil
}

// record is the trace of the act. Of a pseudonym's it tells no fine time.
func (s *Service) record(a Action, subjectID string, by Act) Record {
	r := Record{Action: a, At: s.now().UTC().Truncate(time.Millisecond), SubjectID: subjectID, Actor: by.Operator, Detail: by.Reason, RequestID: by.RequestID}
	if r.Anonymous() {
		r.At, r.RequestID = Anonymous.coarse(r.At), ""
	}
	return r
}

// AddOperator makes an operator and their key, which is shown this once.
func (s *Service) AddOperator(ctx context.Context, name string, role Role, by Act) (o Operator, key string, err error) {
	if role != RoleViewer && role != RoleOperator && role != RoleAuditor {
		if err := by.check(); err != nil {
			return o, "", err
		}
		return o, "", Refuse(CodeInvalidRequest, "role is viewer, operator or auditor.", nil)
	}
	return s.addKey(ctx, operatorPrefix, Operator{Name: name, Role: role}, ActionOperatorAdd, by)
}

// addKey makes a key of a kind.
func (s *Service) addKey(ctx context.Context, prefix string, o Operator, what Action, by Act) (Operator, string, error) {
	if err := by.check(); err != nil {
		return Operator{}, "", err
	}
	if !isPlainText(o.Name, maxOperatorName) {
		return Operator{}, "", Refuse(CodeInvalidRequest, "name is 1 to 64 bytes of printable text without spaces around it.", nil)
	}
	var id [operatorIDBytes]byte
	var secret [32]byte
	rand.Read(id[:])
	rand.Read(secret[:])
	o.ID, o.CreatedAt = prefix+lowerBase32.EncodeToString(id[:]), s.now().UTC().Truncate(time.Second)
	o.KeyHash = hashOperatorKey(o.ID, secret)
	if err := s.commit(ctx, Change{Operators: []Operator{o}, Records: []Record{s.record(what, o.ID, by)}}); err != nil {
		return Operator{}, "", unavailable(err)
	}
	return o, operatorKey(o.ID, secret), nil
}

// Operators returns up to limit operators behind the one with the id after, by
// their ids, revoked ones too.
func (s *Service) Operators(ctx context.Context, after string, limit int) ([]Operator, error) {
	return s.holders(ctx, operatorPrefix, after, limit)
}

// holders returns those who hold keys of a kind. Their ids stand together.
func (s *Service) holders(ctx context.Context, prefix, after string, limit int) ([]Operator, error) {
	list, err := s.store.Operators(ctx, max(prefix, after), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	for i := range list {
		if !strings.HasPrefix(list[i].ID, prefix) {
			return list[:i], nil
		}
	}
	return list, nil
}

// RevokeOperator takes an operator's key away for ever. That it is taken away
// already is no error.
func (s *Service) RevokeOperator(ctx context.Context, id string, by Act) (Operator, error) {
	return s.revokeKey(ctx, operatorPrefix, id, ActionOperatorRevoke, by)
}

// revokeKey takes away a key of a kind.
func (s *Service) revokeKey(ctx context.Context, prefix, id string, what Action, by Act) (Operator, error) {
	if err := by.check(); err != nil {
		return Operator{}, err
	}
	for range maxAttempts {
		o, err := s.store.Operator(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound), err == nil && !strings.HasPrefix(id, prefix):
			return Operator{}, Refuse(CodeNotFound, "There is nobody of that id here.", nil)
		case err != nil:
			return Operator{}, unavailable(err)
		case !o.RevokedAt.IsZero():
			return o, nil
		}
		o.RevokedAt = s.now().UTC().Truncate(time.Second)
		err = s.commit(ctx, Change{Operators: []Operator{o}, Urgent: true, Records: []Record{s.record(what, id, by)}})
		if err == nil {
			return o, nil
		}
		if !errors.Is(err, ErrConflict) {
			return Operator{}, unavailable(err)
		}
	}
	return Operator{}, unavailable(errContention)
}
