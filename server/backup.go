package server

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/mentalverse/session/store/sqlite"
)

// Holdings is what a database or a backup of one holds.
type Holdings struct {
	Sessions     int64  `json:"sessions"`
	Open         int64  `json:"open_sessions"`
	Accounts     int64  `json:"accounts"`
	Records      int64  `json:"records"`
	Bytes        int64  `json:"bytes"`
	Schema       int    `json:"schema"`
	RestoreEpoch uint32 `json:"restore_epoch"`
}

func holdings(c sqlite.Contents) Holdings {
	return Holdings{c.Sessions, c.Open, c.Accounts, c.Records, c.Bytes, c.Schema, c.Meta.RestoreEpoch}
}

// Backup copies the database of a data folder, whether or not a server runs
// over it, to a file. It reads neither the master key nor anything else of the
// folder. replace lets it take the place of an older backup.
func Backup(ctx context.Context, c Config, to string, replace bool) (Holdings, error) {
	if _, err := os.Stat(c.database()); errors.Is(err, fs.ErrNotExist) {
		return Holdings{}, errors.New("no database in " + c.Data + ": there is nothing to back up")
	}
	held, err := sqlite.Backup(ctx, c.database(), to, replace)
	return holdings(held), err
}
