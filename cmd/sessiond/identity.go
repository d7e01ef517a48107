package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mentalverse/session/privatefile"
	"github.com/mentalverse/session/wallet/ethereum"
	"github.com/mentalverse/session/wallet/icp"
	"github.com/mentalverse/session/wallet/solana"
)

// account is a wallet of the command line's own: one key in a file.
type account interface {
	Address() string
	Credential(text string) (string, error)
	MarshalPEM() ([]byte, error)
}

// principal is an Internet Computer account, whose address has that name.
type principal struct{ *icp.Identity }

func (p principal) Address() string { return p.Principal() }

// walletKind is how one chain's account stands in a file.
type walletKind struct {
	noun string
	file string // unless --identity says another
	// mark is the line before the PEM, explanatory text by RFC 7468, section 2.
	// A Solana key and an Internet Computer key are both Ed25519 in PKCS #8:
	// without it one file would be two accounts.
	mark  string
	parse func([]byte) (account, error)
	fresh func() (account, error)
}

var walletKinds = map[string]walletKind{
	"icp": {
		noun: "an Internet Computer", file: "sessiond-identity.pem",
		parse: parser(func(b []byte) (principal, error) { id, err := icp.ParseIdentityPEM(b); return principal{id}, err }),
		fresh: maker(func() (principal, error) { id, err := icp.NewIdentity(); return principal{id}, err }),
	},
	"ethereum": {
		noun: "an Ethereum", file: "sessiond-identity-ethereum.pem",
		parse: parser(ethereum.ParseIdentityPEM), fresh: maker(ethereum.NewIdentity),
	},
	"solana": {
		noun: "a Solana", file: "sessiond-identity-solana.pem", mark: "Solana identity",
		parse: parser(solana.ParseIdentityPEM), fresh: maker(solana.NewIdentity),
	},
}

func parser[A account](parse func([]byte) (A, error)) func([]byte) (account, error) {
	return func(b []byte) (account, error) { return parse(b) }
}

func maker[A account](fresh func() (A, error)) func() (account, error) {
	return func() (account, error) { return fresh() }
}

// kindOf tells which wallet a file is of, "" when of none.
func kindOf(b []byte) string {
	block, _ := pem.Decode(b)
	mark, _, _ := bytes.Cut(b, []byte("\n"))
	switch {
	case block == nil:
		return ""
	case block.Type == "EC PRIVATE KEY":
		return "ethereum"
	case string(bytes.TrimSpace(mark)) == walletKinds["solana"].mark:
		return "solana"
	default:
		return "icp"
	}
}

// identity reads the wallet's file, or makes it.
func identity(path, wallet string) (a account, made bool, err error) {
	kind := walletKinds[wallet]
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a, err = kind.write(path)
		return a, err == nil, err
	case err != nil:
		return nil, false, err
	}
	if is := kindOf(b); is != "" && is != wallet {
		return nil, false, fmt.Errorf("%s: this is %s identity, and --wallet is %s", path, walletKinds[is].noun, wallet)
	}
	if a, err = kind.parse(b); err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	return a, false, nil
}

// write makes a new account and its file.
func (k walletKind) write(path string) (account, error) {
	a, err := k.fresh()
	if err != nil {
		return nil, err
	}
	b, err := a.MarshalPEM()
	if err != nil {
		return nil, err
	}
	if k.mark != "" {
		b = append([]byte(k.mark+"\n"), b...)
	}
	return a, privatefile.Replace(path, b)
}
