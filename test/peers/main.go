// Command peers serves what others would check a session with, for sessiond
// bench to measure beside its own:
//
//	peers scs 127.0.0.1:9001 requests.txt 1000000
//
// Kinds: scs (alexedwards/scs in memory), jwt-eddsa and jwt-hs256 (golang-jwt:
// a signature and an end, no revocation). It writes the requests to make into
// the file, then listens on one processor.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/golang-jwt/jwt/v5"
)

// answer is about what a validate says.
type answer struct {
	Valid       bool     `json:"valid"`
	ExpiresAt   string   `json:"expires_at"`
	Permissions []string `json:"permissions"`
	SessionType string   `json:"session_type"`
	UserID      string   `json:"user_id"`
}

var permissions = []string{"read:profile", "write:messages", "join:groups", "book:sessions"}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: peers KIND ADDRESS REQUESTS SESSIONS")
	}
	n, err := strconv.Atoi(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	var h http.Handler
	var fields []string
	switch kind := os.Args[1]; kind {
	case "scs":
		h, fields = scsCheck(n)
	case "jwt-eddsa", "jwt-hs256":
		h, fields = jwtCheck(n, kind == "jwt-eddsa")
	default:
		log.Fatalf("no kind %q", kind)
	}
	if err := write(os.Args[3], fields); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	log.Fatal((&http.Server{Addr: os.Args[2], Handler: h, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

func write(path string, fields []string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, field := range fields {
		fmt.Fprintf(w, "/\t%s\n", field)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func say(w http.ResponseWriter, user string) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer{Valid: true, ExpiresAt: "2026-11-24T22:00:00Z", Permissions: permissions, SessionType: "standard", UserID: user})
}

func scsCheck(n int) (http.Handler, []string) {
	m := scs.New()
	m.Store = memstore.NewWithCleanupInterval(0)
	m.Lifetime, m.IdleTimeout = 12*time.Hour, 35*time.Minute
	fields := make([]string, n)
	for i := range fields {
		ctx, err := m.Load(context.Background(), "")
		if err != nil {
			log.Fatal(err)
		}
		m.Put(ctx, "user", "user_"+rand.Text())
		m.Put(ctx, "permissions", strings.Join(permissions, " "))
		token, _, err := m.Commit(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fields[i] = "Cookie: session=" + token
	}
	return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := m.GetString(r.Context(), "user")
		if user == "" {
			http.Error(w, "no session", http.StatusUnauthorized)
			return
		}
		say(w, user)
	})), fields
}

type claims struct {
	Scope string `json:"scope"`
	jwt.RegisteredClaims
}

func jwtCheck(n int, eddsa bool) (http.Handler, []string) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	var method jwt.SigningMethod = jwt.SigningMethodEdDSA
	var signs, verifies any = private, public
	if !eddsa {
		method, signs, verifies = jwt.SigningMethodHS256, []byte(private.Seed()), []byte(private.Seed())
	}
	fields := make([]string, n)
	var wg sync.WaitGroup
	for part := range 2 {
		wg.Go(func() {
			for i := part; i < n; i += 2 {
				text, err := jwt.NewWithClaims(method, claims{strings.Join(permissions, " "), jwt.RegisteredClaims{
					Issuer: "http://localhost:8080", Subject: "user_" + rand.Text(), ID: rand.Text(),
					IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(time.Now().Add(12 * time.Hour)),
				}}).SignedString(signs)
				if err != nil {
					log.Fatal(err)
				}
				fields[i] = "Authorization: Bearer " + text
			}
		})
	}
	wg.Wait()
	parser := jwt.NewParser(jwt.WithValidMethods([]string{method.Alg()}), jwt.WithIssuer("http://localhost:8080"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c claims
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, err := parser.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return verifies, nil }); err != nil {
			http.Error(w, "no session", http.StatusUnauthorized)
			return
		}
		say(w, c.Subject)
	}), fields
}
