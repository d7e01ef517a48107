package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/wallet/icp"
)

// The calls whose speed people notice.
const (
	validatePath = api.BasePath + "/sessions/validate"
	refreshPath  = api.BasePath + "/sessions/refresh"
	logoutPath   = api.BasePath + "/sessions/logout"
	createPath   = api.BasePath + "/sessions"
)

// validateLoad validates tokens at random, for ever.
func validateLoad(tokens []string) load {
	requests := make([][]byte, len(tokens))
	for i, t := range tokens {
		requests[i] = request("GET", validatePath, t, nil)
	}
	return randomLoad(requests)
}

// glance is a validate that tells nothing of its person.
func glance(token string) []byte {
	r := request("GET", validatePath, token, nil)
	return slices.Concat(r[:len(r)-2], []byte("Session-Activity: background\r\n\r\n"))
}

// randomLoad makes one of the calls, for ever.
func randomLoad(requests [][]byte) load {
	return func(int) (call, bool) { return call{request: requests[rand.IntN(len(requests))]}, true }
}

// refreshLoad refreshes one session a client, for ever.
func refreshLoad(pairs []api.Tokens) load {
	return func(client int) (call, bool) {
		own := &pairs[client]
		return call{request: refreshRequest(own.RefreshToken), learn: func(body []byte) error { return open(body, own) }}, true
	}
}

func refreshRequest(token string) []byte {
	return request("POST", refreshPath, "", encode(api.RefreshRequest{RefreshToken: token}))
}

// createLoad signs in with each prepared credential once, and keeps the pairs.
func createLoad(credentials [][]byte, clients int, pairs *[]api.Tokens) load {
	*pairs = make([]api.Tokens, len(credentials))
	next := make([]int, clients)
	return func(client int) (call, bool) {
		i := client + next[client]*clients
		if i >= len(credentials) {
			return call{}, false
		}
		next[client]++
		return call{request: credentials[i], learn: func(body []byte) error { return open(body, &(*pairs)[i]) }}, true
	}
}

// logoutLoad ends each session once.
func logoutLoad(pairs []api.Tokens, clients int) load {
	next := make([]int, clients)
	return func(client int) (call, bool) {
		i := client + next[client]*clients
		if i >= len(pairs) {
			return call{}, false
		}
		next[client]++
		return call{request: request("POST", logoutPath, pairs[i].SessionToken, nil)}, true
	}
}

// mixedLoad is a day's traffic: 200 validates, 8 refreshes, a sign-in and a
// logout, until the sign-ins are used up.
func mixedLoad(validate, refresh, create load, created *[]api.Tokens, clients int) load {
	ended := make([]int, clients)
	return func(client int) (call, bool) {
		switch n := rand.IntN(210); {
		case n < 8:
			return refresh(client)
		case n == 8:
			return create(client)
		case n == 9:
			i := client + ended[client]*clients
			if i < len(*created) && (*created)[i].SessionToken != "" {
				ended[client]++
				return call{request: request("POST", logoutPath, (*created)[i].SessionToken, nil)}, true
			}
		}
		return validate(client)
	}
}

// constantLoad makes the same call for ever.
func constantLoad(request []byte) load {
	return func(int) (call, bool) { return call{request: request}, true }
}

// prepare returns n signed sign-ins, each of a person of its own.
func prepare(c *client, n int) ([][]byte, error) {
	var out [][]byte
	for range n {
		id, err := icp.NewIdentity()
		if err != nil {
			return nil, err
		}
		var challenge api.Challenge
		if err := c.ask(request("POST", api.BasePath+"/challenge", "", encode(api.ChallengeRequest{Chain: "icp", Address: id.Principal()})), &challenge); err != nil {
			return nil, err
		}
		credential, err := id.Credential(challenge.Message)
		if err != nil {
			return nil, err
		}
		out = append(out, request("POST", createPath, credential, encode(api.CreateRequest{Activity: "reported"})))
	}
	return out, nil
}

// signIn returns n fresh sessions.
func signIn(c *client, n int) ([]api.Tokens, error) {
	signIns, err := prepare(c, n)
	if err != nil {
		return nil, err
	}
	pairs := make([]api.Tokens, n)
	for i, r := range signIns {
		if err := c.ask(r, &pairs[i]); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// ask makes a call that must succeed, and opens its answer.
func (c *client) ask(request []byte, into any) error {
	status, body, err := c.do(request)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return fmt.Errorf("an answer %d: %s", status, body)
	}
	return open(body, into)
}

func open(body []byte, into any) error {
	return json.Unmarshal(body, &struct {
		Data any `json:"data"`
	}{into})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the API's own types always marshal
	}
	return b
}
