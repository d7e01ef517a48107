package sessiontest

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

// ServeHTTP serves the API's anonymous calls.
func (m *Members) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	route, _ := strings.CutPrefix(r.URL.Path, api.BasePath)
	page, isPage := strings.CutPrefix(route, "/anonymous/pages/")
	bearer, named := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch call := r.Method + " " + route; {
	case call == "POST /challenge":
		m.challenge(w, r, named)
	case call == "GET /anonymous/group":
		m.showGroup(w)
	case r.Method == "GET" && isPage:
		m.showPage(w, page)
	case call == "GET /anonymous/roots":
		m.showRoots(w, r.URL.Query().Get("after"))
	case call == "POST /anonymous/members" && named:
		m.enrol(w, r)
	case call == "DELETE /anonymous/members" && named:
		answer(w, api.Membership{Status: "leaving"})
	case call == "POST /sessions" && named:
		m.signIn(w, r, bearer)
	case call == "GET /sessions/current" && named:
		answer(w, api.Session{SessionID: bearer, SessionType: "anonymous"})
	default:
		refuse(w, http.StatusNotFound, api.NotFound)
	}
}

func (m *Members) challenge(w http.ResponseWriter, r *http.Request, named bool) {
	var in api.ChallengeRequest
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.SessionType != "anonymous" || named != (in.Purpose == "enrol") {
		refuse(w, http.StatusBadRequest, api.InvalidRequest)
		return
	}
	nonce, epoch := token.NewID(token.Anonymous, m.Now()).String(), m.Epochs.Epoch(m.Now())
	m.nonces[nonce] = epoch
	if c := m.Service.NewEnrolment(nonce); named {
		answer(w, api.Challenge{Nonce: nonce, Message: c.Message, Scope: c.Scope})
		return
	}
	c := m.Service.NewChallenge(nonce, epoch)
	answer(w, api.Challenge{Nonce: nonce, Message: c.Message, Scope: c.Scope, Epoch: &c.Epoch})
}

func (m *Members) showGroup(w http.ResponseWriter) {
	if len(m.chain) == 0 {
		refuse(w, http.StatusServiceUnavailable, api.Unavailable)
		return
	}
	pins := m.pins()
	g := api.Group{
		ServiceID: pins.ServiceID, EpochLength: pins.EpochLength, Key: pins.Key,
		Members: m.group.Members(), PageRoots: m.roots,
	}
	b, err := json.Marshal(m.chain[len(m.chain)-1])
	must(err)
	must(json.Unmarshal(b, &g)) // the snapshot's fields have the same names
	answer(w, g)
}

func (m *Members) pins() api.Roots {
	return api.Roots{
		ServiceID: string(m.Service), EpochLength: int64(m.Epochs.EpochEnd(0).Sub(m.Epochs.Start(0)) / time.Second),
		Key: base64.RawURLEncoding.EncodeToString(m.Key.Public().(ed25519.PublicKey)), Roots: []json.RawMessage{},
	}
}

func (m *Members) showPage(w http.ResponseWriter, root string) {
	page, ok := m.pages[root]
	if !ok {
		refuse(w, http.StatusNotFound, api.NotFound)
		return
	}
	var out api.Page
	for _, c := range page {
		out.Members = append(out.Members, anonymous.FormatScalar(c))
	}
	answer(w, out)
}

func (m *Members) showRoots(w http.ResponseWriter, after string) {
	from, to := max(len(m.chain)-100, 0), len(m.chain)
	if after != "" {
		n, err := strconv.Atoi(after)
		must(err)
		from = min(n+1, to)
		to = min(from+1000, to)
	}
	out := m.pins()
	for _, s := range m.chain[from:to] {
		b, err := json.Marshal(s)
		must(err)
		out.Roots = append(out.Roots, b)
	}
	answer(w, out)
}

func (m *Members) enrol(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Commitment, Challenge string
		Proof                 anonymous.Proof
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || !m.use(in.Challenge) {
		refuse(w, http.StatusBadRequest, api.ChallengeInvalid)
		return
	}
	c, err := m.verifier.VerifyEnrolment(r.Context(), m.Service, in.Challenge, in.Commitment, in.Proof)
	if err != nil {
		refuse(w, http.StatusUnauthorized, api.CredentialInvalid)
		return
	}
	status := "waiting"
	if m.group.Has(c) {
		status = "member"
	} else if !slices.Contains(m.waiting, c) {
		m.waiting = append(m.waiting, c)
	}
	answer(w, api.Membership{Status: status})
}

func (m *Members) signIn(w http.ResponseWriter, r *http.Request, credential string) {
	c, err := anonymous.ParseCredential(credential)
	epoch := m.nonces[c.Challenge]
	if err != nil || !m.use(c.Challenge) {
		refuse(w, http.StatusUnauthorized, api.ChallengeInvalid)
		return
	}
	var window anonymous.Window
	for _, s := range m.chain {
		window = append(window, s.Snapshot)
	}
	_, err = m.verifier.VerifySignIn(r.Context(), m.Service, c.Challenge, epoch, c.Proof,
		func(root fr.Element) bool { return window.Accepts(root, epoch, m.Now()) })
	if err != nil {
		refuse(w, http.StatusUnauthorized, api.CredentialInvalid)
		return
	}
	id := token.NewID(token.Anonymous, m.Now()).String()
	end := m.Now().UTC().Truncate(5 * time.Minute).Add(time.Hour).Format(time.RFC3339)
	answer(w, api.Tokens{
		SessionID: id, SessionType: "anonymous", SessionToken: id, RefreshToken: "rt_" + id, Permissions: []string{},
		ExpiresAt: end, IdleExpiresAt: end, SessionExpiresAt: end, ExpiresIn: 3600,
	})
}

// use uses a nonce up.
func (m *Members) use(nonce string) bool {
	_, ok := m.nonces[nonce]
	delete(m.nonces, nonce)
	return ok
}

func answer[T any](w http.ResponseWriter, data T) {
	write(w, http.StatusOK, api.Envelope[T]{Success: true, Data: &data})
}

func refuse(w http.ResponseWriter, status int, code api.Code) {
	write(w, status, api.Envelope[api.Empty]{Error: &api.Error{Code: code, Message: "Refused by the fake."}})
}

func write(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	must(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}
