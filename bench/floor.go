package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/token"
)

// Floors are what a refresh cannot be had without: handlers that do nothing but
// so much of it, each measured beside a refresh as the no-op is.
var Floors = [][]string{{"read"}, {"read", "sign"}, {"read", "store"}, {"read", "store", "sign"}}

// floor does parts of a refresh, without a rule or a secret.
type floor struct {
	parts []string
	key   ed25519.PrivateKey
	dir   string
	store *sqlite.Store
	rows  chan *session.Session // those that nobody is writing
}

// floorRows is of how many sessions a floor steps, each by one client at a time.
const floorRows = 64

// signed is about what the signature of a session token is made of, in bytes.
const signed = 500

// openFloor opens what the parts need: "read" reads a body and its JSON, "store"
// commits what a refresh changes, shared with whoever is ready, and "sign" makes
// an Ed25519 signature.
func openFloor(ctx context.Context, parts []string) (_ *floor, err error) {
	f := &floor{parts: parts}
	if _, f.key, err = ed25519.GenerateKey(rand.Reader); err != nil || !slices.Contains(parts, "store") {
		return f, err
	}
	if f.dir, err = os.MkdirTemp("", "sessiond-floor-"); err != nil {
		return nil, err
	}
	if f.store, err = sqlite.Open(ctx, filepath.Join(f.dir, "sessions.db")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(f.dir))
	}
	f.rows = make(chan *session.Session, floorRows)
	for range cap(f.rows) {
		row := floorRow(time.Now().UTC().Truncate(time.Second))
		if err := f.store.Apply(ctx, session.Change{Insert: []session.Session{row}})[0]; err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.rows <- &row
	}
	return f, nil
}

func floorRow(at time.Time) session.Session {
	p := session.DefaultPolicies()[session.Standard]
	row := session.Session{
		ID: token.NewID(token.Standard, at), Type: session.Standard, Channel: session.Header, Reporting: true,
		Subject:     session.Subject{ID: session.NewUserID(), Account: session.Account{Chain: session.InternetComputer, Address: rand.Text() + rand.Text()}},
		Permissions: p.Permissions, TokenLife: p.TokenLife, IdleLife: 35 * time.Minute,
		CreatedAt: at, AuthTime: at, LastActivity: at, SteppedAt: at, ExpiresAt: at.Add(12 * time.Hour), AbsoluteEnd: at.Add(24 * time.Hour),
		Generation: 1, MinGen: 1, Version: 1,
	}
	rand.Read(row.Seed[:])
	return row
}

// serve does the parts once.
func (f *floor) serve(r *http.Request) error {
	for _, part := range f.parts {
		var err error
		switch part {
		case "read":
			err = readRefresh(r)
		case "store":
			err = f.step(r.Context())
		case "sign":
			ed25519.Sign(f.key, make([]byte, signed))
		default:
			err = errors.New("a floor has no part " + part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readRefresh(r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, api.MaxBody))
	if err != nil {
		return err
	}
	var in api.RefreshRequest
	return api.Unmarshal(body, &in)
}

// step writes what a refresh changes of one of the rows.
func (f *floor) step(ctx context.Context) error {
	row := <-f.rows
	defer func() { f.rows <- row }()
	row.Generation++
	err := f.store.Apply(ctx, session.Change{Update: []session.Session{*row}, Records: []session.Record{{
		Action: session.ActionRefresh, At: row.SteppedAt, SessionID: row.ID, SubjectID: row.Subject.ID, RequestID: "req_0123456789abcdef",
	}}})[0]
	if err == nil {
		row.Version++
	}
	return err
}

func (f *floor) close() error {
	if f.store == nil {
		return nil
	}
	return errors.Join(f.store.Close(), os.RemoveAll(f.dir))
}
