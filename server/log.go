package server

import (
	"fmt"
	"io"
	"log/slog"
)

type logLevel struct{ slog.Level }

func (l *logLevel) parse(s string) error {
	if err := l.UnmarshalText([]byte(s)); err != nil {
		return fmt.Errorf("log_level: %q is none of debug, info, warn, error", s)
	}
	return nil
}

func (c *Config) logger(w io.Writer) *slog.Logger {
	var level logLevel
	level.parse(c.LogLevel) // checked before
	opts := &slog.HandlerOptions{Level: level.Level}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}
