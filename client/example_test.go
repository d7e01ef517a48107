package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/mentalverse/session/client"
	"github.com/mentalverse/session/token"
)

// exampleService is a session service with one session, and its token.
func exampleService() (url, raw string, stop func()) {
	k, _ := token.GenerateKey(token.EdDSA)
	s := newService(k)
	_, raw = s.open("read:profile", "write:messages")
	server := httptest.NewServer(s)
	return server.URL, raw, server.Close
}

func Example() {
	url, raw, stop := exampleService()
	defer stop()

	// The key is what `sessiond services add` printed.
	sessions, err := client.New(url, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	s, err := sessions.Verify(context.Background(), raw, client.Require("write:messages"), client.MaxAge(15*time.Minute))
	switch {
	case err == nil:
		fmt.Println("a message of", s.UserID)
	case errors.Is(err, client.ErrUnavailable):
		fmt.Println("try again") // nothing is known of the session
	default:
		fmt.Println("refused:", err)
	}
	// Output: a message of user_1
}

func ExampleClient_Middleware() {
	url, raw, stop := exampleService()
	defer stop()
	sessions, err := client.New(url, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	mux := http.NewServeMux()
	write := sessions.Middleware(client.Require("write:messages"))
	mux.Handle("POST /messages", write(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := client.FromContext(r.Context())
		fmt.Fprintln(w, "a message of", s.UserID)
	})))
	delete := sessions.Middleware(client.Require("delete:messages"))
	mux.Handle("DELETE /messages", delete(http.NotFoundHandler()))

	for _, method := range []string{"POST", "DELETE"} {
		r := httptest.NewRequest(method, "/messages", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 a message of user_1
	//
	// 403 {"success":false,"error":{"code":"permission_denied","message":"This session lacks a permission.","details":{"missing":["delete:messages"]}}}
}

func ExampleClient_Ready() {
	url, _, stop := exampleService()
	defer stop()
	sessions, err := client.New(url, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(sessions.Ready(ctx), sessions.Fresh())
	// Output: <nil> true
}

func ExampleWhenBlind() {
	url, raw, stop := exampleService()
	defer stop()
	// A service that must answer without the feed asks about every token.
	sessions, err := client.New(url, key, client.WhenBlind(client.AskRemotely), client.CacheEntries(10_000))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	_, err = sessions.Verify(context.Background(), raw, client.Background())
	fmt.Println(err)
	// Output: <nil>
}
