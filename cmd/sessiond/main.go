// Command sessiond is the session server and a small client for people.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

type cli struct {
	Serve         serveCmd         `cmd:"" help:"Run the session server."`
	Config        configCmd        `cmd:"" help:"Print the documented default configuration, or check a file."`
	Keys          keysCmd          `cmd:"" help:"List the signing keys, or rotate them."`
	Backup        backupCmd        `cmd:"" help:"Copy the database, beside a running server or not."`
	Restore       restoreCmd       `cmd:"" help:"Put a backup in the database's place. The server must be stopped; everyone signs in anew."`
	Doctor        doctorCmd        `cmd:"" help:"Look at everything the server stands on, and say what to do."`
	Signin        signinCmd        `cmd:"" help:"Sign in with an identity file (made when missing) and print the session."`
	Validate      validateCmd      `cmd:"" help:"Ask whether the saved session is good."`
	Refresh       refreshCmd       `cmd:"" help:"Exchange the saved refresh token for the next pair."`
	Logout        logoutCmd        `cmd:"" help:"End the saved session."`
	Sessions      sessionsCmd      `cmd:"" help:"List my live sessions, or end one."`
	Members       membersCmd       `cmd:"" help:"Anonymous sign-in: enrol this device, leave, or look at the group."`
	Professionals professionalsCmd `cmd:"" help:"Operators: the registry of professionals and their licences."`
	Pseudonyms    pseudonymsCmd    `cmd:"" help:"Operators: block a pseudonym, or let it in again."`
	Operators     operatorsCmd     `cmd:"" help:"Operators: who may be one, and as what."`
	Services      servicesCmd      `cmd:"" help:"Operators: which of the platform's services follow sessions."`
	Users         usersCmd         `cmd:"" help:"Operators: erase a user, block one, or let one in again."`
	Live          liveCmd          `cmd:"" help:"Operators: list the live sessions of a user, a type, a time or a signing key."`
	End           endCmd           `cmd:"" help:"Operators: end many sessions at once."`
	Bench         benchCmd         `cmd:"" help:"Measure speed, as ratios within one run."`
	Version       versionCmd       `cmd:"" help:"Print the version."`
}

// streams are where the commands speak.
type streams struct{ out, err io.Writer }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	k := kong.Parse(&c,
		kong.Name("sessiond"),
		kong.Description("Sessions for mental-health platforms: sign in with a wallet, stay signed in, end at once."),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{out: os.Stdout, err: os.Stderr}),
	)
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "sessiond:", err)
		os.Exit(1)
	}
}

type versionCmd struct{}

func (versionCmd) Run(s streams) error {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(s.out, "sessiond", version)
	return err
}
