package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func licence(status LicenceStatus, until time.Time) Licence {
	return Licence{Number: "7", Authority: "Board", Jurisdiction: "DE-BY", Status: status, ValidUntil: until}
}

func TestTheLevelFollowsFromTheLicences(t *testing.T) {
	soon, later := day.Add(time.Hour), day.Add(48*time.Hour)
	for name, c := range map[string]struct {
		licences []Licence
		level    Level
		until    time.Time
	}{
		"none":                              {nil, LevelPending, time.Time{}},
		"nobody looked":                     {[]Licence{licence(LicencePending, later)}, LevelPending, time.Time{}},
		"verified":                          {[]Licence{licence(LicenceVerified, soon)}, LevelVerified, soon},
		"two verified":                      {[]Licence{licence(LicenceVerified, soon), licence(LicenceVerified, later)}, LevelVerified, later},
		"at its very end":                   {[]Licence{licence(LicenceVerified, day)}, LevelExpired, time.Time{}},
		"a second before":                   {[]Licence{licence(LicenceVerified, day.Add(time.Second))}, LevelVerified, day.Add(time.Second)},
		"suspended":                         {[]Licence{licence(LicenceSuspended, later)}, LevelSuspended, time.Time{}},
		"suspended here, verified there":    {[]Licence{licence(LicenceSuspended, later), licence(LicenceVerified, soon)}, LevelVerified, soon},
		"revoked, another has run out":      {[]Licence{licence(LicenceVerified, day), licence(LicenceRevoked, later)}, LevelRevoked, time.Time{}},
		"suspended longer than it is valid": {[]Licence{licence(LicenceSuspended, day)}, LevelSuspended, time.Time{}},
	} {
		p := Registrant{Licences: c.licences}
		if got, until := p.Level(day), p.Until(day); got != c.level || !until.Equal(c.until) {
			t.Errorf("%s: %s until %v, want %s until %v", name, got, until, c.level, c.until)
		}
	}
}

// Whatever the licences are, there is an end exactly where the level is verified.
func TestARightHasAnEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	statuses := []LicenceStatus{LicencePending, LicenceVerified, LicenceSuspended, LicenceRevoked}
	for range 10_000 {
		var p Registrant
		for range rng.IntN(5) {
			p.Licences = append(p.Licences, licence(statuses[rng.IntN(4)], day.Add(time.Duration(rng.IntN(200)-100)*time.Minute)))
		}
		now := day.Add(time.Duration(rng.IntN(200)-100) * time.Minute)
		verified, until := p.Level(now) == LevelVerified, p.Until(now)
		if verified != !until.IsZero() || verified && !until.After(now) {
			t.Fatalf("%+v at %v: %s until %v", p.Licences, now, p.Level(now), until)
		}
		if verified && (p.Level(until) == LevelVerified || p.Level(until.Add(-time.Nanosecond)) != LevelVerified) {
			t.Fatalf("%+v: the right does not end at %v", p.Licences, until)
		}
	}
}

func TestAnEntryIsChecked(t *testing.T) {
	good := func() Registrant {
		return Registrant{Accounts: []Account{{InternetComputer, "aaaaa-aa"}}, Licences: []Licence{licence(LicenceVerified, day)}}
	}
	p := good()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Registrant){
		"no licence":          func(p *Registrant) { p.Licences = nil },
		"too many licences":   func(p *Registrant) { p.Licences = make([]Licence, MaxLicences+1) },
		"too many accounts":   func(p *Registrant) { p.Accounts = make([]Account, MaxAccounts+1) },
		"a licence twice":     func(p *Registrant) { p.Licences = append(p.Licences, p.Licences[0]) },
		"an account twice":    func(p *Registrant) { p.Accounts = append(p.Accounts, p.Accounts[0]) },
		"no number":           func(p *Registrant) { p.Licences[0].Number = "" },
		"a number of spaces":  func(p *Registrant) { p.Licences[0].Number = " 7" },
		"a line break":        func(p *Registrant) { p.Licences[0].Authority = "a\nb" },
		"a text that turns":   func(p *Registrant) { p.Licences[0].Jurisdiction = "DE\u202e" },
		"a long authority":    func(p *Registrant) { p.Licences[0].Authority = string(make([]byte, 200)) },
		"no UTF-8":            func(p *Registrant) { p.Licences[0].Number = "\xff" },
		"no such status":      func(p *Registrant) { p.Licences[0].Status = "expired" },
		"no end":              func(p *Registrant) { p.Licences[0].ValidUntil = time.Time{} },
		"an end with a tail":  func(p *Registrant) { p.Licences[0].ValidUntil = day.Add(time.Millisecond) },
		"an end of long ago":  func(p *Registrant) { p.Licences[0].ValidUntil = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) },
		"an end of far ahead": func(p *Registrant) { p.Licences[0].ValidUntil = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no chain":            func(p *Registrant) { p.Accounts[0].Chain = "" },
		"an odd address":      func(p *Registrant) { p.Accounts[0].Address = "a b" },
	} {
		p := good()
		spoil(&p)
		if err := p.Check(); CodeOf(err) != CodeInvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}
