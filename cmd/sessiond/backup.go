package main

import (
	"context"
	"fmt"
	"time"

	"github.com/mentalverse/session/server"
)

type backupCmd struct {
	settings
	To    string `help:"The file to write, outside of the data folder." required:"" placeholder:"FILE"`
	Force bool   `help:"Replace an older backup."`
	JSON  bool   `help:"Print JSON." name:"json"`
}

func (cmd backupCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	began := time.Now()
	h, err := server.Backup(ctx, c, cmd.To, cmd.Force)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, h)
	}
	fmt.Fprintf(s.out, "%s: %s, in %v\n", cmd.To, describe(h), time.Since(began).Round(time.Millisecond))
	_, err = fmt.Fprintln(s.out, "The master key is not in it: keep that apart. Each without the other is useless.")
	return err
}

func describe(h server.Holdings) string {
	return fmt.Sprintf("%d sessions (%d open), %d accounts, %d records, %d bytes, restore epoch %d", h.Sessions, h.Open, h.Accounts, h.Records, h.Bytes, h.RestoreEpoch)
}

type restoreCmd struct {
	settings
	From   string   `help:"The backup." required:"" placeholder:"FILE"`
	Erased []string `help:"Who was erased since: a list (sessiond users erased) or a later backup, where the database in place cannot tell; none does without (repeatable)." placeholder:"FILE"`
	JSON   bool     `help:"Print JSON." name:"json"`
}

func (cmd restoreCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	r, err := server.Restore(ctx, c, cmd.From, cmd.Erased...)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return show(s.out, r)
	}
	fmt.Fprintf(s.out, "restored: %s\n", describe(r.Holdings))
	if r.Damaged != "" {
		fmt.Fprintf(s.out, "the old database could not be read (%s)\n", r.Damaged)
	}
	if r.Kept != "" {
		fmt.Fprintf(s.out, "the old database is kept as %s: remove it when you need it no more\n", r.Kept)
	}
	fmt.Fprintf(s.out, "%d users are known as erased: the next start erases them again where they are in it\n", r.Erased)
	_, err = fmt.Fprintf(s.out, "the restore epoch is %d: everyone signs in anew\n", r.Epoch)
	return err
}
