package wallet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	session "github.com/mentalverse/session"
)

// Chain is how one chain's wallets sign: a value, so that a further chain is
// one folder and one line where the registry is made.
type Chain struct {
	Name    session.Chain
	Noun    string // in the text's first line
	ChainID string // in the text
	Type    string // of its credentials
	// Canonical refuses an address that is not in its one canonical form.
	Canonical func(address string) error
	// Verify checks the signatures and that the account's own key is behind
	// them. The text has been checked before. A [session.Error] is answered as it
	// is; any other error is for the log, and the answer says no more than that
	// the credential does not hold.
	Verify func(ctx context.Context, c Credential, address string, now time.Time) (session.Evidence, error)
}

// Config is what the texts say of this service.
type Config struct {
	Domain  string // host, and port unless the scheme's own
	URI     string
	Service string // the name people read
}

// Check refuses what cannot stand in a sign-in text: no text could be read
// again, and nobody could sign in.
func (c Config) Check() error {
	if !isAuthority(c.Domain) || !isURI(c.URI) {
		return errors.New("the public URL cannot stand in a sign-in text (RFC 3986)")
	}
	if c.Service == "" || !isStatement(c.Service) {
		return errors.New("service: the name that people read is of ASCII letters, digits, spaces and -._~:/?#[]@!$&'()*+,;= (EIP-4361)")
	}
	return nil
}

// Verifier implements session.Verifier over the chains. It is immutable.
type Verifier struct {
	config Config
	chains []Chain
}

var _ session.Verifier = (*Verifier)(nil)

// New returns a verifier of the given chains.
func New(c Config, chains ...Chain) *Verifier { return &Verifier{config: c, chains: chains} }

func (v *Verifier) byName(name session.Chain) (Chain, error) {
	var served []string
	for _, c := range v.chains {
		if c.Name == name {
			return c, nil
		}
		served = append(served, string(c.Name))
	}
	return Chain{}, session.Refuse(session.CodeInvalidRequest, "This chain is not served; chain may be "+strings.Join(served, ", ")+".", nil)
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// Ask implements session.Verifier.
func (v *Verifier) Ask(c session.Challenge) (session.Question, error) {
	text, err := v.text(c)
	return session.Question{Message: text}, err
}

// text is what the challenge's account must sign.
func (v *Verifier) text(c session.Challenge) (string, error) {
	chain, err := v.byName(c.Account.Chain)
	if err != nil {
		return "", err
	}
	if err := chain.Canonical(c.Account.Address); err != nil {
		return "", session.Refuse(session.CodeInvalidRequest, "address is not an account of this chain in its canonical form", err)
	}
	statement := fmt.Sprintf("Sign in to %s and open a %s session.", v.config.Service, c.Type)
	if c.Purpose == session.PurposeReauthenticate {
		statement = fmt.Sprintf("Confirm to %s that it is you, in your open %s session.", v.config.Service, c.Type)
	}
	return Message{
		Domain: v.config.Domain, Noun: chain.Noun, Address: c.Account.Address, Statement: statement,
		URI: v.config.URI, Version: "1", ChainID: chain.ChainID, Nonce: c.Nonce,
		IssuedAt: c.IssuedAt.UTC().Format(timeFormat), ExpirationTime: c.ExpiresAt.UTC().Format(timeFormat),
		RequestID: c.RequestID(), Resources: []string{"urn:mentalverse:session:" + string(c.Type)},
	}.String(), nil
}

// invalid is the one answer to every credential that does not hold; why is for
// the log.
func invalid(cause error) error {
	return session.Refuse(session.CodeCredentialInvalid, "The credential is not valid.", cause)
}

// Open implements session.Verifier.
func (v *Verifier) Open(text string) (session.Presented, error) {
	c, err := ParseCredential(text)
	if err != nil {
		return nil, invalid(err)
	}
	m, err := ParseMessage(c.Message)
	if err != nil {
		return nil, invalid(err)
	}
	for _, chain := range v.chains {
		if chain.Type == c.Type {
			if chain.Noun != m.Noun {
				return nil, invalid(errors.New("the type does not match the first line"))
			}
			return presented{v, chain, c, m}, nil
		}
	}
	return nil, invalid(errors.New("a type that is not served"))
}

type presented struct {
	verifier   *Verifier
	chain      Chain
	credential Credential
	message    Message
}

// Claim implements session.Presented.
func (p presented) Claim(time.Time) session.Claim {
	return session.Claim{Account: session.Account{Chain: p.chain.Name, Address: p.message.Address}, Nonce: p.message.Nonce}
}

// Verify implements session.Presented.
func (p presented) Verify(ctx context.Context, c session.Challenge, now time.Time) (session.Evidence, error) {
	want, err := p.verifier.text(c)
	if err != nil || want != p.credential.Message {
		return session.Evidence{}, session.Refuse(session.CodeChallengeInvalid, "The signed text is not the one this service wrote.", err)
	}
	e, err := p.chain.Verify(ctx, p.credential, p.message.Address, now)
	if refused := (*session.Error)(nil); errors.As(err, &refused) {
		return session.Evidence{}, refused
	}
	if err != nil {
		return session.Evidence{}, invalid(err)
	}
	return e, nil
}
