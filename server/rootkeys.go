package server

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mentalverse/session/wallet/icp"
)

// maxPEM bounds a file with a key.
const maxPEM = 4096

// rootKeys are the root keys of the Internet Computer that the configuration
// names; none means the mainnet's. They are never fetched: whoever answers could
// then sign as anyone.
func (c *Config) rootKeys() ([]icp.RootKey, error) {
	var keys []icp.RootKey
	for _, entry := range c.ICPRootKeys {
		der, err := hex.DecodeString(entry)
		if err != nil {
			if der, err = readPublicKey(entry); err != nil {
				return nil, fmt.Errorf("icp_root_keys: %w", err)
			}
		}
		k, err := icp.ParseRootKey(der)
		if err != nil {
			return nil, fmt.Errorf("icp_root_keys: %.40q is not a root key, in hex or as a PEM file", entry)
		}
		if k.ChainID() == icp.Mainnet().ChainID() && len(c.ICPRootKeys) > 1 {
			return nil, errors.New("icp_root_keys: the mainnet's key stands alone: the holder of another beside it could sign as any person of the mainnet")
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func readPublicKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("%s: not a public key in PEM", path)
	}
	return block.Bytes, nil
}
