package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/wallet/icp"
)

// Over TLS a socket opens like any other; over HTTP/2, whose own way (RFC 8441)
// is not offered, the refusal says what to do.
func TestSocketsOverTLS(t *testing.T) {
	chain, key, pool := writeCertificate(t, t.TempDir())
	at := runTLS(t, chain, key)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	post := func(path, bearer string, in, out any) {
		t.Helper()
		body, _ := json.Marshal(in)
		req, _ := http.NewRequest("POST", "https://"+at+api.BasePath+path, bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(out); err != nil || res.StatusCode >= 300 {
			t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
		}
	}
	person, err := icp.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	var c api.Envelope[api.Challenge]
	post("/challenge", "", api.ChallengeRequest{Chain: "icp", Address: person.Principal()}, &c)
	credential, err := person.Credential(c.Data.Message)
	if err != nil {
		t.Fatal(err)
	}
	var s api.Envelope[api.Tokens]
	post("/sessions", credential, api.CreateRequest{}, &s)
	var k api.Envelope[api.SocketTicket]
	post("/sessions/events/ticket", s.Data.SessionToken, api.Empty{}, &k)

	protocols := []string{api.SocketProtocol, api.TicketProtocol + k.Data.Ticket}
	req, _ := http.NewRequest("GET", "https://"+at+api.BasePath+"/sessions/events", nil)
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	req.Header.Set("Sec-WebSocket-Protocol", strings.Join(protocols, ", "))
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var refusal api.Envelope[api.Empty]
	json.NewDecoder(res.Body).Decode(&refusal)
	res.Body.Close()
	if res.Proto != "HTTP/2.0" || res.StatusCode != 400 || refusal.Error == nil || !strings.Contains(refusal.Error.Message, "HTTP/1.1") {
		t.Errorf("%d over %s: %+v", res.StatusCode, res.Proto, refusal.Error)
	}

	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer plain.CloseIdleConnections()
	conn, _, err := websocket.Dial(t.Context(), "wss://"+at+api.BasePath+"/sessions/events", &websocket.DialOptions{HTTPClient: plain, Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, text, err := conn.Read(context.Background()); err != nil || !strings.Contains(string(text), s.Data.SessionID) {
		t.Errorf("%s, %v", text, err)
	}
}
