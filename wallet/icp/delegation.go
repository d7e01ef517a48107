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

// walk checks a chain from the root key and returns the key that signs at its
// end, and the chain's earliest expiration.
func walk(root []byte, chain []wallet.SignedDelegation, now time.Time) (signer publicKey, notAfter time.Time, err error) {
	if len(chain) > maxDelegations {
		return nil, notAfter, ErrTooMany
	}
	if signer, err = parsePublicKey(root); err != nil {
		return nil, notAfter, err
	}
	seen := [][]byte{root}
	for i := range chain {
		d := &chain[i].Delegation
		if slices.ContainsFunc(seen, func(k []byte) bool { return bytes.Equal(k, d.PublicKey) }) {
			return nil, notAfter, ErrCycle
		}
		seen = append(seen, d.PublicKey)
		if d.Targets != nil {
			return nil, notAfter, ErrTargets
		}
		ends, nanos, err := expiration(d.Expiration)
		if err != nil {
			return nil, notAfter, err
		}
		if !signer.verify(delegationMessage(d, nanos), chain[i].Signature) {
			return nil, notAfter, ErrSignature
		}
		switch {
		case d.Permissions != nil && *d.Permissions != "all":
			return nil, notAfter, ErrPermissions
		case !now.Before(ends):
			return nil, notAfter, ErrExpired
		}
		if notAfter.IsZero() || ends.Before(notAfter) {
			notAfter = ends
		}
		if signer, err = parsePublicKey(d.PublicKey); err != nil {
			return nil, notAfter, err
		}
	}
	return signer, notAfter, nil
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
