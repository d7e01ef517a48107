package httpapi

import (
	"mime"
	"net/http"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

func (o *operators) professionals(r *http.Request, _ call) (api.ProfessionalList, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return api.ProfessionalList{}, err
	}
	of := o.service.Professionals
	switch review := r.URL.Query()["review"]; {
	case len(review) == 1 && review[0] == "true":
		of = o.service.ToReview
	case len(review) > 0:
		return api.ProfessionalList{}, refuse(http.StatusBadRequest, api.InvalidRequest, "review is true, or is not given.")
	}
	list, err := of(r.Context(), after, limit)
	return api.ProfessionalList{Professionals: each(list, o.entry)}, err
}

func (o *operators) professional(r *http.Request, _ call) (api.Professional, error) {
	p, err := o.service.Professional(r.Context(), r.PathValue("id"))
	return o.entry(p), err
}

func (o *operators) licenceHolder(r *http.Request, _ call) (api.Professional, error) {
	values := r.URL.Query()
	if len(values["authority"]) != 1 || len(values["number"]) != 1 {
		return api.Professional{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send authority and number.")
	}
	p, err := o.service.LicenceHolder(r.Context(), values.Get("authority"), values.Get("number"))
	return o.entry(p), err
}

func (o *operators) addProfessional(r *http.Request, c call, in api.AddProfessionalRequest) (api.Professional, error) {
	licences, err := licencesOf(in.Licences)
	if err != nil {
		return api.Professional{}, err
	}
	p, err := o.service.AddProfessional(r.Context(), session.Registrant{Accounts: accountsOf(in.Accounts), Licences: licences}, c.act(in.Reason))
	return o.entry(p), err
}

func (o *operators) amendProfessional(r *http.Request, c call, in api.AmendProfessionalRequest) (api.Professional, error) {
	var to session.ProfessionalChange
	if in.Accounts != nil {
		accounts := accountsOf(*in.Accounts)
		to.Accounts = &accounts
	}
	if in.Licences != nil {
		licences, err := licencesOf(*in.Licences)
		if err != nil {
			return api.Professional{}, err
		}
		to.Licences = &licences
	}
	p, err := o.service.AmendProfessional(r.Context(), r.PathValue("id"), to, c.act(in.Reason))
	return o.entry(p), err
}

func (o *operators) confirm(r *http.Request, c call, in api.OperatorRequest) (api.Professional, error) {
	p, err := o.service.Confirm(r.Context(), r.PathValue("id"), c.act(in.Reason))
	return o.entry(p), err
}

func (o *operators) confirmAll(r *http.Request, c call, in api.ConfirmAllRequest) (api.ConfirmCount, error) {
	if !in.All {
		return api.ConfirmCount{}, refuse(http.StatusBadRequest, api.InvalidRequest, "Send all: true, or confirm one by its id.")
	}
	n, err := o.service.ConfirmAll(r.Context(), c.act(in.Reason))
	return api.ConfirmCount{Confirmed: n}, err
}

func (o *operators) onLicence(act session.LicenceAct) func(*http.Request, call, api.LicenceRequest) (api.Professional, error) {
	return func(r *http.Request, c call, in api.LicenceRequest) (api.Professional, error) {
		p, err := o.service.ActOnLicence(r.Context(), in.Authority, in.Number, act, c.act(in.Reason))
		return o.entry(p), err
	}
}

// importTimeout is how long a file may take to come and to be imported.
const importTimeout = 10 * time.Minute

// importFile takes a file of licences as it comes.
func (o *operators) importFile(w http.ResponseWriter, r *http.Request, c call) error {
	values := r.URL.Query()
	whole := values.Get("all_or_nothing")
	if len(values["all_or_nothing"]) > 1 || len(values["reason"]) > 1 || whole != "" && whole != "true" && whole != "false" {
		return refuse(http.StatusBadRequest, api.InvalidRequest, "all_or_nothing is true or false, and it and reason are given once.")
	}
	if !isCSV(r.Header.Get("Content-Type")) {
		return refuse(http.StatusUnsupportedMediaType, api.UnsupportedMediaType, "Send the file as text/csv, in UTF-8.")
	}
	if r.ContentLength > api.MaxImport {
		return refuse(http.StatusRequestEntityTooLarge, api.PayloadTooLarge, "The file is larger than 32 MiB: import it in parts.")
	}
	// Without more time there is the usual one.
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetReadDeadline(time.Now().Add(importTimeout))
	_ = deadlines.SetWriteDeadline(time.Now().Add(importTimeout))
	body := http.MaxBytesReader(w, r.Body, api.MaxImport)
	report, err := o.service.ImportProfessionals(r.Context(), readCSV(body), whole == "true", c.act(values.Get("reason")))
	if err != nil {
		return err
	}
	out := importReport(report)
	writeData(w, http.StatusOK, &out)
	return nil
}

// isCSV reports whether a Content-Type is a file's.
func isCSV(text string) bool {
	media, params, err := mime.ParseMediaType(text)
	charset := strings.ToLower(params["charset"])
	return err == nil && media == "text/csv" && (charset == "" || charset == "utf-8")
}

func importReport(r session.ImportReport) api.ImportReport {
	return api.ImportReport{
		Committed: r.Committed, Added: r.Count(session.ImportAdded), Changed: r.Count(session.ImportChanged),
		Unchanged: r.Count(session.ImportUnchanged), Refused: r.Count(session.ImportRefused),
		Lines: each(r.Lines, func(l session.ImportLine) api.ImportLine {
			return api.ImportLine{Line: l.Line, Did: string(l.Did), ProfessionalID: l.Professional, Why: l.Why}
		}),
	}
}

// entry is an entry of the registry as it is now.
func (o *operators) entry(p session.Registrant) api.Professional {
	now := o.service.Now()
	out := api.Professional{
		ProfessionalID: p.ID, VerificationLevel: string(p.Level(now)), Review: p.Review,
		Accounts: each(p.Accounts, func(a session.Account) api.Account { return api.Account{Chain: string(a.Chain), Address: a.Address} }),
		Licences: each(p.Licences, func(l session.Licence) api.Licence {
			return api.Licence{Number: l.Number, Authority: l.Authority, Jurisdiction: l.Jurisdiction, Status: string(l.Status), ValidUntil: stamp(l.ValidUntil)}
		}),
	}
	if until := p.Until(now); !until.IsZero() {
		out.VerifiedUntil = stamp(until)
	}
	return out
}

func accountsOf(list []api.Account) []session.Account {
	return each(list, func(a api.Account) session.Account {
		return session.Account{Chain: session.Chain(a.Chain), Address: a.Address}
	})
}

func licencesOf(list []api.Licence) (out []session.Licence, err error) {
	for _, l := range list {
		until, err := session.ParseValidUntil(l.ValidUntil)
		if err != nil {
			return nil, err
		}
		out = append(out, session.Licence{
			Number: l.Number, Authority: l.Authority, Jurisdiction: l.Jurisdiction, Status: session.LicenceStatus(l.Status), ValidUntil: until,
		})
	}
	return out, nil
}
