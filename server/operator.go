package server

import (
	session "github.com/mentalverse/session"
)

// OperatorKey is the root operator's key: who can read this machine's master key
// may do everything that an operator may, and make the first one.
func OperatorKey(c Config) (string, error) {
	master, err := c.findMasterKey()
	if err != nil {
		return "", err
	}
	keys, err := session.NewKeyring(master, 0, c.publicURL(), c.Algorithm, c.policies())
	if err != nil {
		return "", err
	}
	return keys.RootKey(), nil
}
