package icp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/mentalverse/session/wallet"
)

// maxDelegations bounds a chain (IC interface specification).
const maxDelegations = 20

// Why a chain is refused; for the log.
var (
	ErrTooMany     = errors.New("icp: too many delegations")
	ErrCycle       = errors.New("icp: a key is repeated in the chain")
	ErrTargets     = errors.New("icp: a delegation with targets is the same principal at every site")
	ErrPermissions = errors.New("icp: a delegation that may not make updates")
	ErrExpired     = errors.New("icp: a delegation has expired")
	ErrExpiration  = errors.New("icp: an expiration that is not a decimal number of nanoseconds")
)

const delegationSeparator = "\x1Aic-request-auth-delegation"

// link is one signature of a chain: whose, over what.
type link struct {
	key                publicKey
	message, signature []byte
}

// walk checks all of a chain but its signatures, and returns those of its
// delegations, the key that signs at its end, and its earliest expiration.
func (n *network) walk(root []byte, chain []wallet.SignedDelegation, now time.Time) (links []link, signer publicKey, notAfter time.Time, err error) {
	refuse := func(err error) ([]link, publicKey, time.Time, error) { return nil, nil, time.Time{}, err }
	if len(chain) > maxDelegations {
		return refuse(ErrTooMany)
	}
	if signer, err = n.publicKey(root); err != nil {
		return refuse(err)
	}
	seen := [][]byte{root}
	for i := range chain {
		d := &chain[i].Delegation
		if slices.ContainsFunc(seen, func(k []byte) bool { return bytes.Equal(k, d.PublicKey) }) {
			return refuse(ErrCycle)
		}
		seen = append(seen, d.PublicKey)
		if d.Targets != nil {
			return refuse(ErrTargets)
		}
		ends, nanos, err := expiration(d.Expiration)
		switch {
		case err != nil:
			return refuse(err)
		case d.Permissions != nil && *d.Permissions != "all":
			return refuse(ErrPermissions)
		case !now.Before(ends):
			return refuse(ErrExpired)
		}
		if notAfter.IsZero() || ends.Before(notAfter) {
			notAfter = ends
		}
		links = append(links, link{signer, delegationMessage(d, nanos), chain[i].Signature})
		if signer, err = n.publicKey(d.PublicKey); err != nil {
			return refuse(err)
		}
		if _, is := signer.(canisterKey); is {
			return refuse(ErrCanisterKey)
		}
	}
	return links, signer, notAfter, nil
}

// expiration reads decimal nanoseconds in their one spelling.
func expiration(s string) (time.Time, uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return time.Time{}, 0, ErrExpiration
	}
	return time.Unix(0, int64(min(n, math.MaxInt64))).UTC(), n, nil
}

// delegationMessage is what the delegating key signs: the separator and the
// representation-independent hash of the delegation's map. Delegations with
// targets never come here.
func delegationMessage(d *wallet.Delegation, nanos uint64) []byte {
	pairs := [][]byte{
		pair("pubkey", hash(d.PublicKey)),
		pair("expiration", hash(binary.AppendUvarint(nil, nanos))), // unsigned LEB128
	}
	if d.Permissions != nil {
		pairs = append(pairs, pair("permissions", hash([]byte(*d.Permissions))))
	}
	slices.SortFunc(pairs, bytes.Compare)
	return append([]byte(delegationSeparator), hash(slices.Concat(pairs...))...)
}

func pair(name string, value []byte) []byte { return append(hash([]byte(name)), value...) }

func hash(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
