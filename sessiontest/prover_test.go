package sessiontest_test

import (
	"testing"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/prover"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/sessiontest"
)

// What the prover makes is as good as a device's, and what it cannot prove does
// not end it.
func TestTheProverProvesWhatIsTrue(t *testing.T) {
	var p sessiontest.Prover
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	who, err := prover.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	const service = anonymous.ServiceID("app.example.com")
	c := service.NewEnrolment("a-nonce")
	if _, err := p.Prove(who, semaphore.Path{Index: 1}, c.Message, c.Scope); err == nil {
		t.Error("it proves a path that no tree has")
	}
	proof, err := p.Prove(who, semaphore.Path{}, c.Message, c.Scope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := anonymous.NewVerifier(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.VerifyEnrolment(t.Context(), service, "a-nonce", who.Commitment(), proof); err != nil {
		t.Error(err)
	}
	if _, err := v.VerifyEnrolment(t.Context(), service, "another", who.Commitment(), proof); err == nil {
		t.Error("the proof is for every challenge")
	}
}
