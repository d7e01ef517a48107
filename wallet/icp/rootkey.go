package icp

import (
	"encoding/hex"
	"sync"
)

// RootKey is the public key of an Internet Computer's root subnet: who holds
// its secret can sign as every canister of that network, and so as every person
// who signs in with one. It is built in or configured, never fetched.
type RootKey struct{ key *blsKey }

// ParseRootKey reads a root key in DER.
func ParseRootKey(der []byte) (RootKey, error) {
	k, err := parseBLSKey(der)
	return RootKey{k}, err
}

// ChainID is how a text names the network: CAIP has no namespace for it, so it
// is the first 32 hex digits of the SHA-256 of the root key in DER.
func (k RootKey) ChainID() string { return "icp:" + hex.EncodeToString(hash(k.key.der)[:16]) }

// Mainnet returns the root key of the Internet Computer.
var Mainnet = sync.OnceValue(func() RootKey {
	k, err := ParseRootKey(unhex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae"))
	if err != nil {
		panic(err)
	}
	return k
})
