package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	session "github.com/mentalverse/session"
)

// masterKey finds the master key: the variable, the named file, or the data
// folder's own, which is made when the folder has neither key nor database.
func (c *Config) masterKey() (session.MasterKey, error) {
	key, err := c.findMasterKey()
	path := c.masterKeyPath()
	if !errors.Is(err, fs.ErrNotExist) || path == c.MasterKeyFile {
		return key, err
	}
	if _, err := os.Stat(c.database()); err == nil {
		return key, fmt.Errorf("%s is missing, and the database beside it was made with it: put it back", path)
	}
	return makeMasterKey(path)
}

// findMasterKey is masterKey, but makes none.
func (c *Config) findMasterKey() (session.MasterKey, error) {
	if c.MasterKey == "" {
		return readMasterKey(c.masterKeyPath())
	}
	key, err := parseMasterKey(c.MasterKey)
	if err != nil {
		err = fmt.Errorf("SESSIOND_MASTER_KEY: %w", err)
	}
	return key, err
}

// masterKeyPath is the file that the key is read from, unless the variable has
// it.
func (c *Config) masterKeyPath() string {
	if c.MasterKeyFile != "" {
		return c.MasterKeyFile
	}
	return filepath.Join(c.Data, "master.key")
}

// othersMayRead are the bits of a key file's mode that must not be set. In the
// folder of systemd's credentials, which nobody but the service may enter, the
// group's bit to read is the mask of an access list and no group's right.
func othersMayRead(path string) os.FileMode {
	if folder := os.Getenv("CREDENTIALS_DIRECTORY"); folder != "" && filepath.Dir(path) == filepath.Clean(folder) {
		return 0o037
	}
	return 0o077
}

func readMasterKey(path string) (key session.MasterKey, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return key, err
	}
	if info.Mode().Perm()&othersMayRead(path) != 0 {
		return key, fmt.Errorf("%s: others may read it (mode %04o); make it 0600", path, info.Mode().Perm())
	}
	if info.Size() > 1024 {
		return key, fmt.Errorf("%s: not a master key", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return key, err
	}
	key, err = parseMasterKey(strings.TrimSpace(string(b)))
	if err != nil {
		return key, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func parseMasterKey(text string) (key session.MasterKey, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(key) {
		return key, errors.New("a master key is 64 hex digits")
	}
	copy(key[:], b)
	distinct := map[byte]bool{}
	for _, x := range b {
		distinct[x] = true
	}
	if len(distinct) < 8 {
		return session.MasterKey{}, errors.New("this master key is not random")
	}
	return key, nil
}

// makeMasterKey writes a fresh key durably, never over an existing one.
func makeMasterKey(path string) (key session.MasterKey, err error) {
	rand.Read(key[:])
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, err
	}
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return key, err
	}
	return key, syncFolder(path)
}

// syncFolder makes the name of a file durable.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// restoreEpoch is the configured epoch, or the data folder's.
func (c *Config) restoreEpoch() (uint32, error) {
	if c.RestoreEpoch != nil {
		return *c.RestoreEpoch, nil
	}
	path := c.epochPath()
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: not a number", path)
	}
	return uint32(n), nil
}

func (c *Config) epochPath() string { return filepath.Join(c.Data, "restore_epoch") }

func (c *Config) database() string { return filepath.Join(c.Data, "sessions.db") }
