package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/mentalverse/session/server"
)

type doctorCmd struct {
	settings
	Quick   bool     `help:"Do not read every page of the database."`
	Running bool     `help:"That no server answers is a problem."`
	Only    []string `help:"Only these checks, by their names." placeholder:"CHECK"`
	JSON    bool     `help:"Print JSON." name:"json"`
}

func (cmd doctorCmd) Run(ctx context.Context, s streams) error {
	c, fault := cmd.read()
	found, err := server.Examine(ctx, c, server.Examination{Quick: cmd.Quick, Running: cmd.Running, Only: cmd.Only, Fault: fault})
	if err != nil {
		return err
	}
	problems := 0
	for _, f := range found {
		if f.Verdict == server.Problem {
			problems++
		}
		if !cmd.JSON {
			fmt.Fprintf(s.out, "%-8s %s: %s", f.Verdict, f.Check, f.Found)
			if f.Do != "" {
				fmt.Fprintf(s.out, " → %s", f.Do)
			}
			fmt.Fprintln(s.out)
		}
	}
	if cmd.JSON {
		if err := show(s.out, found); err != nil {
			return err
		}
	}
	if problems > 0 {
		return errors.New(map[bool]string{true: "there is a problem", false: fmt.Sprintf("there are %d problems", problems)}[problems == 1])
	}
	return nil
}
