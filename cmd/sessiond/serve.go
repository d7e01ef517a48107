package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/mentalverse/session/server"
)

// settings are the flags that lie over the configuration file.
type settings struct {
	Listen         *string `help:"Where clients connect (default 127.0.0.1:8080)." env:"SESSIOND_LISTEN"`
	OperatorListen *string `help:"Where operators connect (default 127.0.0.1:8081)." env:"SESSIOND_OPERATOR_LISTEN"`
	PublicURL      *string `name:"public-url" help:"The origin under which clients reach the service." env:"SESSIOND_PUBLIC_URL"`
	TLSCert        *string `name:"tls-cert" help:"Certificate chain in PEM, to serve TLS." env:"SESSIOND_TLS_CERT" placeholder:"FILE"`
	TLSKey         *string `name:"tls-key" help:"The certificate's key in PEM." env:"SESSIOND_TLS_KEY" placeholder:"FILE"`
	Data           *string `help:"Folder of the database and the master key (default ./data)." env:"SESSIOND_DATA"`
	MasterKeyFile  *string `help:"The master key's file, if it is not <data>/master.key." env:"SESSIOND_MASTER_KEY_FILE" placeholder:"FILE"`
	Config         string  `help:"YAML configuration file." env:"SESSIOND_CONFIG" placeholder:"FILE"`
	Dev            *bool   `help:"Development: text logs, plain http allowed." env:"SESSIOND_DEV"`
}

// config is read, checked.
func (s settings) config() (server.Config, error) {
	c, err := s.read()
	if err != nil {
		return c, err
	}
	return c, c.Check()
}

// read lays file, variables and flags over the default.
func (s settings) read() (server.Config, error) {
	c := server.DefaultConfig()
	if s.Config != "" {
		if err := c.ReadFile(s.Config); err != nil {
			return c, err
		}
	}
	for _, o := range []struct {
		from *string
		to   *string
	}{{s.Listen, &c.Listen}, {s.OperatorListen, &c.OperatorListen}, {s.PublicURL, &c.PublicURL}, {s.TLSCert, &c.TLSCert}, {s.TLSKey, &c.TLSKey}, {s.Data, &c.Data}, {s.MasterKeyFile, &c.MasterKeyFile}} {
		if o.from != nil {
			*o.to = *o.from
		}
	}
	if s.Dev != nil {
		c.Dev = *s.Dev
	}
	if c.Dev {
		c.LogFormat = "text"
	}
	c.MasterKey = os.Getenv("SESSIOND_MASTER_KEY")
	return c, nil
}

type serveCmd struct {
	settings
	Chaos bool `help:"With --dev: delay, refuse or lose a tenth of the answers, for authors of clients."`
}

func (cmd serveCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	c.Chaos = c.Chaos || cmd.Chaos
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return server.Run(ctx, c, s.err, func(at server.Addresses) {
		fmt.Fprintf(s.out, "sessiond is ready on %s://%s (operators: http://%s)\n", scheme, at.Public, at.Operator)
	})
}

type configCmd struct {
	Default configDefaultCmd `cmd:"" default:"1" help:"Print the documented default configuration."`
	Check   configCheckCmd   `cmd:"" help:"Check a configuration file."`
}

type configDefaultCmd struct{}

func (configDefaultCmd) Run(s streams) error {
	_, err := s.out.Write(server.DefaultYAML)
	return err
}

type configCheckCmd struct {
	File string `arg:"" help:"The file to check."`
}

func (cmd configCheckCmd) Run(s streams) error {
	c := server.DefaultConfig()
	if err := c.ReadFile(cmd.File); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	_, err := fmt.Fprintln(s.out, "ok")
	return err
}

type keysCmd struct {
	List   keysListCmd   `cmd:"" default:"withargs" help:"List the signing keys."`
	Rotate keysRotateCmd `cmd:"" help:"Publish a successor now; it signs after --after. The server must be stopped."`
}

type keysListCmd struct {
	settings
	JSON bool `help:"Print JSON." name:"json"`
}

func (cmd keysListCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	keys, err := server.Keys(ctx, c)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return json.NewEncoder(s.out).Encode(keys)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KID\tALG\tSTATE\tSIGNS FROM\tVERIFIES UNTIL")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Algorithm, k.State, k.ActiveFrom.Format(time.RFC3339), k.VerifyUntil.Format(time.RFC3339))
	}
	return w.Flush()
}

type keysRotateCmd struct {
	settings
	After time.Duration `help:"How long the successor is published before it signs." default:"0s"`
}

func (cmd keysRotateCmd) Run(ctx context.Context, s streams) error {
	c, err := cmd.config()
	if err != nil {
		return err
	}
	service, store, err := server.Open(ctx, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now()
	if err := service.Keys().Rotate(ctx, store, now.Add(cmd.After), now); err != nil {
		return err
	}
	if err := service.Release(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "rotated")
	return err
}
