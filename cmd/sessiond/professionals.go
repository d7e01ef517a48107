package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/mentalverse/session/api"
)

type professionalsCmd struct {
	Add       professionalsAddCmd    `cmd:"" help:"Put a professional with one licence into the registry."`
	Import    professionalsImportCmd `cmd:"" help:"Bring a file of licences in (CSV), for the first time or again."`
	List      professionalsListCmd   `cmd:"" help:"List the registry."`
	Show      professionalsShowCmd   `cmd:"" help:"Show one professional."`
	Confirm   confirmCmd             `cmd:"" help:"After a restore: an entry, or every one that waits for review, counts as it is."`
	Verify    verifyCmd              `cmd:"" help:"A pending licence is verified from now on."`
	Suspend   suspendCmd             `cmd:"" help:"A licence counts no more until it is reinstated; sessions that stand on it end."`
	Revoke    revokeCmd              `cmd:"" help:"Take a licence away; sessions that stand on it end."`
	Reinstate reinstateCmd           `cmd:"" help:"A suspended or revoked licence is verified again."`
}

type professionalsAddCmd struct {
	operating
	because
	named
	Jurisdiction string   `required:"" help:"Where the licence counts, such as DE-BY or US-CA."`
	ValidUntil   string   `required:"" help:"Until when: a date, whose whole day (UTC) counts, or a time."`
	Status       string   `enum:"pending,verified,suspended,revoked" default:"pending" help:"What is known of it: pending, verified, suspended or revoked."`
	Account      []string `help:"An account of theirs, CHAIN:ADDRESS (repeatable)." placeholder:"CHAIN:ADDRESS"`
	JSON         bool     `help:"Print JSON." name:"json"`
}

func (cmd professionalsAddCmd) Run(ctx context.Context, s streams) error {
	in := api.AddProfessionalRequest{Reason: cmd.Reason, Licences: []api.Licence{{
		Number: cmd.Number, Authority: cmd.Authority, Jurisdiction: cmd.Jurisdiction, Status: cmd.Status, ValidUntil: cmd.ValidUntil,
	}}}
	for _, a := range cmd.Account {
		chain, address, ok := strings.Cut(a, ":")
		if !ok {
			return fmt.Errorf("--account %s is not CHAIN:ADDRESS", a)
		}
		in.Accounts = append(in.Accounts, api.Account{Chain: chain, Address: address})
	}
	p, err := operate[api.Professional](ctx, cmd.operating, "POST", "/professionals", in)
	if err != nil {
		return err
	}
	return showProfessional(s, p, cmd.JSON)
}

type professionalsImportCmd struct {
	operating
	because
	File         string `arg:"" help:"The file: UTF-8, with the columns number,authority,jurisdiction,status,valid_until and, if you like, chain,address and person."`
	AllOrNothing bool   `help:"Do nothing if a line is refused; at most 10,000 lines."`
	JSON         bool   `help:"Print JSON, line by line." name:"json"`
}

func (cmd professionalsImportCmd) Run(ctx context.Context, s streams) error {
	f, err := os.Open(cmd.File)
	if err != nil {
		return err
	}
	defer f.Close()
	query := url.Values{"reason": {cmd.Reason}}
	if cmd.AllOrNothing {
		query.Set("all_or_nothing", "true")
	}
	r, err := operate[api.ImportReport](ctx, cmd.operating, "POST", "/professionals/import?"+query.Encode(), f)
	if err != nil {
		return err
	}
	if cmd.JSON {
		err = show(s.out, r)
	} else {
		err = tellImport(s, r)
	}
	if err == nil && r.Refused > 0 {
		err = fmt.Errorf("%d lines were refused", r.Refused)
		if !r.Committed {
			err = fmt.Errorf("%w, and nothing was done", err)
		}
	}
	return err
}

// tellImport tells the refused lines and counts the others.
func tellImport(s streams, r api.ImportReport) error {
	for _, l := range r.Lines {
		if l.Did == "refused" {
			fmt.Fprintf(s.err, "line %d: %s\n", l.Line, l.Why)
		}
	}
	_, err := fmt.Fprintf(s.out, "added %d, changed %d, unchanged %d, refused %d\n", r.Added, r.Changed, r.Unchanged, r.Refused)
	return err
}

type professionalsListCmd struct {
	operating
	After  string `help:"Only those behind this id." placeholder:"ID"`
	Limit  int    `help:"How many." default:"100"`
	Review bool   `help:"Only those that wait for review since a restore."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (cmd professionalsListCmd) Run(ctx context.Context, s streams) error {
	all := []api.Professional{}
	for after := cmd.After; len(all) < cmd.Limit; {
		page := min(1000, cmd.Limit-len(all))
		list, err := operate[api.ProfessionalList](ctx, cmd.operating, "GET", "/professionals?"+cmd.query(after, page), nil)
		if err != nil {
			return err
		}
		all = append(all, list.Professionals...)
		if len(list.Professionals) < page {
			break
		}
		after = all[len(all)-1].ProfessionalID
	}
	if cmd.JSON {
		return show(s.out, api.ProfessionalList{Professionals: all})
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROFESSIONAL\tREVIEW\tLEVEL\tUNTIL\tACCOUNTS\tLICENCES")
	for _, p := range all {
		var licences []string
		for _, l := range p.Licences {
			licences = append(licences, l.Number+" of "+l.Authority)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", p.ProfessionalID, map[bool]string{true: "waits"}[p.Review], p.VerificationLevel, p.VerifiedUntil, len(p.Accounts), strings.Join(licences, ", "))
	}
	return w.Flush()
}

func (cmd professionalsListCmd) query(after string, page int) string {
	q := url.Values{"limit": {strconv.Itoa(page)}, "after": {after}}
	if cmd.Review {
		q.Set("review", "true")
	}
	return q.Encode()
}

type confirmCmd struct {
	operating
	because
	ID  string `arg:"" optional:"" help:"The professional's id, lic_…"`
	All bool   `help:"Every one that waits."`
}

func (cmd confirmCmd) Run(ctx context.Context, s streams) error {
	if (cmd.ID == "") != cmd.All {
		return fmt.Errorf("name an id, or --all")
	}
	if cmd.All {
		n, err := operate[api.ConfirmCount](ctx, cmd.operating, "POST", "/professionals/confirm", api.ConfirmAllRequest{All: true, Reason: cmd.Reason})
		if err == nil {
			_, err = fmt.Fprintf(s.out, "confirmed %d\n", n.Confirmed)
		}
		return err
	}
	p, err := operate[api.Professional](ctx, cmd.operating, "POST", "/professionals/"+url.PathEscape(cmd.ID)+"/confirm", api.OperatorRequest{Reason: cmd.Reason})
	if err != nil {
		return err
	}
	return showProfessional(s, p, false)
}

type professionalsShowCmd struct {
	operating
	ID        string `arg:"" optional:"" help:"The professional's id, lic_…"`
	Number    string `help:"Or a licence's number and its authority."`
	Authority string `help:"Who issued it."`
	JSON      bool   `help:"Print JSON." name:"json"`
}

func (cmd professionalsShowCmd) Run(ctx context.Context, s streams) error {
	path := "/professionals/" + url.PathEscape(cmd.ID)
	if (cmd.ID == "") == (cmd.Number == "" || cmd.Authority == "") {
		return fmt.Errorf("name an id, or --number and --authority")
	}
	if cmd.ID == "" {
		path = "/licences?" + url.Values{"authority": {cmd.Authority}, "number": {cmd.Number}}.Encode()
	}
	p, err := operate[api.Professional](ctx, cmd.operating, "GET", path, nil)
	if err != nil {
		return err
	}
	return showProfessional(s, p, cmd.JSON)
}

// named is a licence, by whose it is.
type named struct {
	Number    string `required:"" help:"The licence's number."`
	Authority string `required:"" help:"Who issued it."`
}

// onLicence is an act on one licence.
type onLicence struct {
	operating
	because
	named
	JSON bool `help:"Print JSON." name:"json"`
}

func (cmd onLicence) do(ctx context.Context, s streams, act string) error {
	p, err := operate[api.Professional](ctx, cmd.operating, "POST", "/licences/"+act, api.LicenceRequest{Authority: cmd.Authority, Number: cmd.Number, Reason: cmd.Reason})
	if err != nil {
		return err
	}
	return showProfessional(s, p, cmd.JSON)
}

type (
	verifyCmd    struct{ onLicence }
	suspendCmd   struct{ onLicence }
	revokeCmd    struct{ onLicence }
	reinstateCmd struct{ onLicence }
)

func (cmd verifyCmd) Run(ctx context.Context, s streams) error  { return cmd.do(ctx, s, "verify") }
func (cmd suspendCmd) Run(ctx context.Context, s streams) error { return cmd.do(ctx, s, "suspend") }
func (cmd revokeCmd) Run(ctx context.Context, s streams) error  { return cmd.do(ctx, s, "revoke") }
func (cmd reinstateCmd) Run(ctx context.Context, s streams) error {
	return cmd.do(ctx, s, "reinstate")
}

func showProfessional(s streams, p api.Professional, asJSON bool) error {
	if asJSON {
		return show(s.out, p)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "professional\t%s\nlevel\t%s\n", p.ProfessionalID, p.VerificationLevel)
	if p.Review {
		fmt.Fprintln(w, "review\twaits since a restore: sessiond professionals confirm")
	}
	if p.VerifiedUntil != "" {
		fmt.Fprintf(w, "until\t%s\n", p.VerifiedUntil)
	}
	for _, a := range p.Accounts {
		fmt.Fprintf(w, "account\t%s:%s\n", a.Chain, a.Address)
	}
	for _, l := range p.Licences {
		fmt.Fprintf(w, "licence\t%s of %s, %s, %s until %s\n", l.Number, l.Authority, l.Jurisdiction, l.Status, l.ValidUntil)
	}
	return w.Flush()
}
