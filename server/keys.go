package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
)

// Keys describes the signing keys of a data folder, whether or not a server
// runs over it.
func Keys(ctx context.Context, c Config) ([]session.KeyInfo, error) {
	if _, err := os.Stat(c.database()); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("no database in " + c.Data + " yet: start the server once")
	}
	master, err := c.masterKey()
	if err != nil {
		return nil, err
	}
	epoch, err := c.restoreEpoch()
	if err != nil {
		return nil, err
	}
	keys, err := session.NewKeyring(master, epoch, c.publicURL(), c.Algorithm, c.policies())
	if err != nil {
		return nil, err
	}
	store, err := sqlite.OpenReadOnly(ctx, c.database())
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if err := keys.Read(ctx, store, time.Now()); err != nil {
		return nil, err
	}
	return keys.List(), nil
}
