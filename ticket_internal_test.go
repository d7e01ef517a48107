package session

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"testing"
	"time"

	"github.com/mentalverse/session/token"
)

func ticketOf(k *ticketKey, kind token.Kind) (string, token.ID) {
	id := token.NewID(kind, issuedAt)
	return k.issue(&Session{ID: id, MinGen: 3}, issuedAt), id
}

// WSS-02: a ticket is good for half a minute, and for nothing but its session.
func TestATicketIsBoundToItsSessionAndTime(t *testing.T) {
	k := &ticketKey{key: [32]byte{7}, epoch: 2}
	good, id := ticketOf(k, token.Standard)
	if len(good) != TicketTextLen {
		t.Fatalf("%d characters", len(good))
	}
	for _, after := range []time.Duration{-time.Minute, 0, TicketLife - time.Second} {
		opened, err := k.open(good, issuedAt.Add(after))
		if err != nil || opened.SessionID != id || opened.minGen != 3 {
			t.Errorf("after %v: %+v, %v", after, opened, err)
		}
	}
	for _, after := range []time.Duration{-2 * time.Minute, TicketLife, 31 * time.Second, time.Hour} {
		if _, err := k.open(good, issuedAt.Add(after)); err != errTicketExpired {
			t.Errorf("after %v: %v", after, err)
		}
	}
	for name, other := range map[string]*ticketKey{"key": {key: [32]byte{8}, epoch: 2}, "restore epoch": {key: [32]byte{7}, epoch: 3}} {
		if _, err := other.open(good, issuedAt); err == nil {
			t.Errorf("another %s does not matter", name)
		}
	}
	for _, text := range []string{"", good[:TicketTextLen-1], good + "A", good[:TicketTextLen-1] + "\n", good[:TicketTextLen-1] + "=", good[:TicketTextLen-1] + "+"} {
		if _, err := k.open(text, issuedAt); err == nil {
			t.Errorf("%q opens", text)
		}
	}
	raw, _ := base64.RawURLEncoding.DecodeString(good)
	for i := range raw {
		for bit := range 8 {
			bent := bytes.Clone(raw)
			bent[i] ^= 1 << bit
			if _, err := k.open(base64.RawURLEncoding.EncodeToString(bent), issuedAt); err == nil {
				t.Fatalf("bit %d of byte %d does not matter", bit, i)
			}
		}
	}
}

// PRI-02: what is stored of a used ticket tells the five minutes of an
// anonymous session, and the second of any other.
func TestAUsedTicketTellsNoFineTime(t *testing.T) {
	k := &ticketKey{key: [32]byte{7}}
	at := issuedAt.Truncate(token.AnonymousBucket).Add(3*time.Minute + 7*time.Second)
	for kind, want := range map[token.Kind]time.Time{token.Anonymous: at.Truncate(token.AnonymousBucket), token.Standard: at, token.Professional: at} {
		opened, err := k.open(k.issue(&Session{ID: token.NewID(kind, at)}, at), at)
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(binary.BigEndian.Uint32(opened.nonce.Key[:])); got != want.Unix() {
			t.Errorf("kind %d: %v", kind, time.Unix(got, 0).UTC())
		}
		if bytes.Contains(opened.nonce.Key[:], opened.SessionID[1:9]) {
			t.Error("the key names the session")
		}
	}
}

// The key is fresh in each process, so that only this process's ticket opens.
func FuzzTicket(f *testing.F) {
	k := &ticketKey{}
	rand.Read(k.key[:])
	good, _ := ticketOf(k, token.Standard)
	f.Add(good)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := k.open(text, issuedAt); err == nil && text != good {
			t.Errorf("%q opens", text)
		}
	})
}
