package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mentalverse/session/api"
)

// The real program on a real full disk: who is signed in stays so, who asks to be
// signed out is, nothing else is taken, and all of it is again when there is
// room, without hands.
func TestAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=120m,mode=0700"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("NOT RUN: no small disk can be mounted: %v", err)
		}
		t.Skipf("NOT RUN: no small disk can be mounted: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	p := serve(t, disk)
	defer func() { p.kill(t) }()
	r := remote{Server: p.url}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var people []api.Tokens
	for range 40 {
		tokens, err := signIn(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, tokens)
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)

	unavailable := func(err error) bool {
		var refusal *api.Error
		return errors.As(err, &refusal) && refusal.Code == api.Unavailable
	}
	refused := false
	for range 200 { // the WAL may have had room left
		if _, err := signIn(ctx, r); err != nil {
			if !unavailable(err) {
				t.Fatalf("a sign-in on a full disk: %v", err)
			}
			refused = true
			break
		}
	}
	if !refused {
		t.Fatal("the disk is not full")
	}
	for i, tokens := range people {
		if _, err := ask[api.Validation](ctx, r, "GET", "/sessions/validate", tokens.SessionToken, nil); err != nil {
			t.Errorf("who is signed in: %v", err)
		}
		if i%2 == 0 {
			if _, err := ask[api.Empty](ctx, r, "POST", "/sessions/logout", tokens.SessionToken, nil); err != nil {
				t.Errorf("a logout on a full disk: %v", err)
			}
		}
	}
	if _, err := ask[api.Tokens](ctx, r, "POST", "/sessions/refresh", "", api.RefreshRequest{RefreshToken: people[1].RefreshToken}); !unavailable(err) {
		t.Errorf("a refresh on a full disk: %v", err)
	}

	folder := filepath.Join(disk, "data")
	at := operating{settings: settings{Data: &folder, OperatorListen: &p.operator}}
	if _, err := operate[api.Empty](ctx, at, "POST", "/sessions/end", api.EndManyRequest{Selection: api.Selection{SessionType: "professional"}, Reason: "a stolen laptop"}); err != nil {
		t.Errorf("an end of many on a full disk: %v", err)
	}
	if _, err := operate[api.Operator](ctx, at, "POST", "/operators", api.AddOperatorRequest{Name: "Ada", Role: "viewer", Reason: "on the team"}); !unavailable(err) {
		t.Errorf("a new operator on a full disk: %v", err)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; {
		_, err := signIn(ctx, r)
		if err == nil {
			t.Logf("it recovered within %v", time.Since(began).Round(time.Millisecond))
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("it does not recover: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.kill(t)
	p = serve(t, disk)
	r = remote{Server: p.url}
	for i, tokens := range people {
		_, err := ask[api.Validation](ctx, r, "GET", "/sessions/validate", tokens.SessionToken, nil)
		if (err != nil) != (i%2 == 0) {
			t.Errorf("session %d after a kill: %v", i, err)
		}
	}
}

// fill writes a file until the disk has no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 4 {
		block := make([]byte, size)
		for err == nil {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}
