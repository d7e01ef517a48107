package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"syscall"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
)

// Restored is what came of a restore.
type Restored struct {
	Holdings
	Epoch uint32 `json:"new_restore_epoch"`
	Kept  string `json:"kept,omitempty"` // the old database; empty when there was none
	// Damaged says why the old database could not be read.
	Damaged string `json:"damaged,omitempty"`
	Erased  int    `json:"erased_users"` // how many are known; those who are in the backup are erased again at the next start
}

// Restore puts a backup in the place of a stopped server's database and raises
// the restore epoch, so that no logout since the backup is undone.
//
// The epoch is raised first. Whatever is cut short, a server that is started
// finds either database with a raised epoch, and no session of before lives.
//
// Whoever was erased since the backup is erased again by the next start, before
// it serves anybody. Who they are the old database tells, if it is a later state
// than the backup; else one of the lists of erased users or later backups must.
// [NoErased] among them does without.
func Restore(ctx context.Context, c Config, from string, erased ...string) (Restored, error) {
	return restore(ctx, c, from, erased, func(string) error { return nil })
}

// restore tells done of each step that is durable.
func restore(ctx context.Context, c Config, from string, erased []string, done func(step string) error) (out Restored, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return out, err
	}
	if err := ownFolder(c.Data); err != nil {
		return out, err
	}
	master, err := c.findMasterKey()
	if errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("there is no master key: put the one back under which the backup was made: %w", err)
	} else if err != nil {
		return out, err
	}
	r, err := sqlite.Prepare(ctx, c.database(), from)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	keys, err := session.NewKeyring(master, 0, c.publicURL(), c.Algorithm, c.policies())
	if err != nil {
		return out, err
	}
	if !keys.Made(r.New.Meta) {
		return out, fmt.Errorf("%s: it was made with another master key, and opens nothing with this one", from)
	}
	if out.Epoch, err = c.nextEpoch(r); err != nil {
		return out, err
	}
	if err := notItself(from, erased); err != nil {
		return out, err
	}
	gone, err := c.erasedSince(ctx, keys, r, erased)
	if err != nil {
		return out, err
	}
	out.Erased = len(gone.Marks)
	if err := done("checked"); err != nil {
		return out, err
	}
	if err := c.writeErased(gone); err != nil {
		return out, err
	}
	if c.RestoreEpoch == nil {
		if err := c.writeEpoch(out.Epoch); err != nil {
			return out, err
		}
	}
	if err := done("epoch raised"); err != nil {
		return out, err
	}
	kept := c.database() + ".before-restore-" + c.now().UTC().Format("20060102T150405.000Z")
	if err := r.Keep(ctx, kept); err != nil {
		return out, err
	}
	if err := done("old kept"); err != nil {
		return out, err
	}
	if err := r.Put(); err != nil {
		return out, err
	}
	out.Holdings = holdings(r.New)
	switch {
	case r.OldErr == nil:
		out.Kept = kept
	case !errors.Is(r.OldErr, fs.ErrNotExist):
		out.Kept, out.Damaged = kept, r.OldErr.Error()
	}
	return out, done("replaced")
}

// nextEpoch is one above every epoch that is known. One that the configuration
// sets cannot be raised here, and must be so already.
func (c *Config) nextEpoch(r *sqlite.Replacement) (uint32, error) {
	highest := r.New.Meta.RestoreEpoch
	if r.OldErr == nil {
		highest = max(highest, r.Old.Meta.RestoreEpoch)
	}
	if c.RestoreEpoch == nil {
		now, err := c.restoreEpoch()
		if err != nil {
			return 0, err
		}
		highest = max(highest, now)
	}
	if highest == math.MaxUint32 {
		return 0, errors.New("the restore epoch cannot be raised any more")
	}
	next := highest + 1
	if c.RestoreEpoch != nil {
		if *c.RestoreEpoch < next {
			return 0, fmt.Errorf("the configuration sets restore_epoch: %d; set it to %d and run this again", *c.RestoreEpoch, next)
		}
		next = *c.RestoreEpoch
	}
	return next, nil
}

// writeEpoch replaces the data folder's epoch, durably.
func (c *Config) writeEpoch(epoch uint32) error {
	f, err := os.CreateTemp(c.Data, "restore_epoch-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, epoch)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), c.epochPath())
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(c.epochPath())
}

// ownFolder fails unless the folder is the caller's: what root wrote into it, its
// server could not open.
func ownFolder(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if owner, ok := owner(info); ok && owner != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d: run this as that user", path, owner)
	}
	return nil
}

func owner(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// now is the configured clock's time.
func (c *Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
