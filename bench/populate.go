package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/server"
	"github.com/mentalverse/session/wallet/icp"
)

// writers is how many make sessions at once: enough to share commits.
const writers = 512

// populate fills the configured data folder with live sessions through the
// service itself, with credentials whose signature nobody checks, and returns
// their session tokens.
func populate(ctx context.Context, c server.Config, sessions int, progress io.Writer) ([]string, error) {
	c.Verifier = believer{}
	service, store, err := server.Open(ctx, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	tokens := make([]string, sessions)
	errs := make(chan error, writers)
	began := time.Now()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < sessions; i += writers {
				if tokens[i], err = create(ctx, service); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	fmt.Fprintf(progress, "made %d sessions in %v\n", sessions, time.Since(began).Round(time.Millisecond))
	return tokens, service.Release(ctx)
}

func create(ctx context.Context, s *session.Service) (string, error) {
	id, err := icp.NewIdentity()
	if err != nil {
		return "", err
	}
	prompt, err := s.Challenge(ctx, session.ChallengeRequest{Account: session.Account{Chain: session.InternetComputer, Address: id.Principal()}})
	if err != nil {
		return "", err
	}
	out, err := s.Create(ctx, session.CreateRequest{Credential: id.Principal() + " " + prompt.Nonce, Reporting: true, RequestID: "req_" + rand.Text()[:16]})
	return out.SessionToken.Reveal(), err
}

// believer takes a credential of the form "address nonce" at its word.
type believer struct{}

func (believer) Ask(session.Challenge) (session.Question, error) { return session.Question{}, nil }

func (believer) Open(credential string) (session.Presented, error) {
	address, nonce, _ := strings.Cut(credential, " ")
	return believed{session.Account{Chain: session.InternetComputer, Address: address}, nonce}, nil
}

type believed struct {
	account session.Account
	nonce   string
}

func (b believed) Claim(time.Time) session.Claim {
	return session.Claim{Account: b.account, Nonce: b.nonce}
}

func (b believed) Verify(context.Context, session.Challenge, time.Time) (session.Evidence, error) {
	return session.Evidence{Account: b.account}, nil
}
