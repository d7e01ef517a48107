package icp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/icp"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const text = "a text that a wallet signs"

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// made returns a credential of who, open for tampering, and the account.
func made(t testing.TB, who *icp.Identity) (wallet.Credential, string) {
	t.Helper()
	return must[wallet.Credential](t)(wallet.ParseCredential(must[string](t)(who.Credential(text)))), who.Principal()
}

func TestInternetIdentitySignsIn(t *testing.T) {
	for name, layout := range map[string]sessiontest.Layout{"one leaf": sessiontest.OneLeaf, "sharded": sessiontest.Sharded} {
		ic := sessiontest.NewInternetComputer(layout)
		n := icp.NewNetwork(ic.RootKey())
		for range 2 { // the second time the subnet is known
			id := must[*icp.Identity](t)(ic.SignIn("ada", now))
			c, account := made(t, id)
			e, err := n.Verify(t.Context(), c, account, now)
			if err != nil || e.Account.Address != account || !e.NotAfter.Equal(now.Add(8*time.Hour)) || !bytes.Equal(e.SessionKey, c.Delegations[0].Delegation.PublicKey) {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
			if _, err := n.Verify(t.Context(), c, account, now.Add(8*time.Hour)); !errors.Is(err, icp.ErrExpired) {
				t.Errorf("%s: 8 h later: %v", name, err)
			}
		}
		if ada, bob := ic.Person("ada").Principal(), ic.Person("bob").Principal(); ada == bob {
			t.Errorf("%s: two people are one", name)
		}
	}
}

// A canister of the root subnet needs no delegation, and a key of its own may
// sign the text itself.
func TestACanisterOfTheRootSubnetSigns(t *testing.T) {
	root := sessiontest.NewRoot()
	seed := []byte("seed")
	id := icp.SignWith(sessiontest.CanisterKey(sessiontest.InternetIdentity, seed), func(m []byte) ([]byte, error) {
		return root.CanisterSignature(sessiontest.InternetIdentity, seed, m), nil
	})
	c, account := made(t, id)
	n := icp.NewNetwork(must[icp.RootKey](t)(icp.ParseRootKey(root.PublicKey())))
	if _, err := n.Verify(t.Context(), c, account, now); err != nil {
		t.Error(err)
	}
}

func TestForeignRootKeys(t *testing.T) {
	ic, other := sessiontest.NewInternetComputer(sessiontest.OneLeaf), sessiontest.NewInternetComputer(sessiontest.OneLeaf)
	c, account := made(t, must[*icp.Identity](t)(ic.SignIn("ada", now)))
	for name, test := range map[string]struct {
		roots []icp.RootKey
		want  error
	}{
		"its own":    {[]icp.RootKey{ic.RootKey()}, nil},
		"of two":     {[]icp.RootKey{other.RootKey(), ic.RootKey()}, nil},
		"another's":  {[]icp.RootKey{other.RootKey()}, icp.ErrSignature},
		"mainnet's":  {[]icp.RootKey{icp.Mainnet()}, icp.ErrSignature},
		"by default": {nil, icp.ErrSignature},
	} {
		if _, err := icp.Chain(test.roots...).Verify(t.Context(), c, account, now); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	a, b := icp.Chain(ic.RootKey()).ChainID, icp.Chain(other.RootKey()).ChainID
	if a == b || len(a) != len("icp:")+32 || !strings.HasPrefix(a, "icp:") {
		t.Errorf("names of networks: %s, %s", a, b)
	}
}

// Each signature is whole but for one thing, and refused for that.
func TestRefusedCanisterSignatures(t *testing.T) {
	const person, elsewhere = "person", 5000
	canister, payload := sessiontest.InternetIdentity, []byte("payload")
	ic := sessiontest.NewInternetComputer(sessiontest.OneLeaf)
	root, subnet := ic.Root, ic.Subnet
	under, over := sha256.Sum256([]byte(person)), sha256.Sum256(payload)
	tree := func(name string, seed, payload [32]byte, leaf sessiontest.Tree) sessiontest.Tree {
		return sessiontest.Label([]byte(name), sessiontest.Label(seed[:], sessiontest.Label(payload[:], leaf)))
	}
	empty := sessiontest.Leaf(nil)
	good := tree("sig", under, over, empty)
	signed := func(s *sessiontest.Subnet, tree sessiontest.Tree) []byte {
		return sessiontest.CanisterSignatureOf(tree, s.Certify(sessiontest.CanisterState(canister, tree.Digest())))
	}
	all := sessiontest.Range{sessiontest.CanisterID(0), sessiontest.CanisterID(1 << 40)}
	rangeOf := func(low, high uint64) sessiontest.Range {
		return sessiontest.Range{sessiontest.CanisterID(low), sessiontest.CanisterID(high)}
	}
	fresh := sessiontest.NewRoot()
	about := func(key []byte, ranges sessiontest.Tree) sessiontest.Tree {
		return sessiontest.Label([]byte("subnet"), sessiontest.Label(fresh.ID(), sessiontest.Labels(map[string]sessiontest.Tree{
			"canister_ranges": ranges, "public_key": sessiontest.Leaf(key)})))
	}
	shards := sessiontest.Fork(
		sessiontest.Label([]byte("canister_ranges"), sessiontest.Label(fresh.ID(), sessiontest.Labels(map[string]sessiontest.Tree{
			"\x00": sessiontest.Leaf([]byte("\x81\x82\x41\x00\x42\x00\x00")), "\x00\x00": sessiontest.Leaf([]byte("\x81\x82\x42\x00\x00\x41\xff"))}))),
		about(fresh.PublicKey(), sessiontest.Empty()))
	cborRanges := sessiontest.Leaf([]byte("\x81\x82\x41\x00\x41\xff")) // everything
	deep := good
	for range 300 {
		deep = sessiontest.Fork(deep, sessiontest.Pruned(empty))
	}
	wide := []sessiontest.Tree{good}
	for len(wide) < 5000 {
		wide = append(wide, sessiontest.Empty())
	}
	for len(wide) > 1 {
		var half []sessiontest.Tree
		for i := 0; i+1 < len(wide); i += 2 {
			half = append(half, sessiontest.Fork(wide[i], wide[i+1]))
		}
		wide = append(half, wide[len(wide)&^1:]...)
	}
	for name, test := range map[string]struct {
		signature []byte
		want      error
	}{
		"good":                           {signed(subnet, good), nil},
		"good, no tag":                   {signed(subnet, good)[3:], nil},
		"good, by a vouched key":         {signed(root.Vouch(fresh, about(fresh.PublicKey(), cborRanges)), good), nil},
		"of the second of two shards":    {signed(root.Vouch(fresh, shards), good), nil},
		"of the only canister":           {signed(root.Delegate(sessiontest.OneLeaf, rangeOf(7, 7)), good), nil},
		"of another payload":             {signed(subnet, tree("sig", under, under, empty)), icp.ErrNotSigned},
		"of another person":              {signed(subnet, tree("sig", over, over, empty)), icp.ErrNotSigned},
		"under another label":            {signed(subnet, tree("sih", under, over, empty)), icp.ErrNotSigned},
		"pruned":                         {signed(subnet, tree("sig", under, over, sessiontest.Pruned(empty))), icp.ErrNotSigned},
		"an empty tree, not a leaf":      {signed(subnet, tree("sig", under, over, sessiontest.Empty())), icp.ErrNotSigned},
		"a leaf that is not empty":       {signed(subnet, tree("sig", under, over, sessiontest.Leaf([]byte{0}))), icp.ErrNotSigned},
		"a tree that is not certified":   {sessiontest.CanisterSignatureOf(good, subnet.Certify(sessiontest.CanisterState(canister, under[:]))), icp.ErrCertified},
		"certified for another canister": {sessiontest.CanisterSignatureOf(good, subnet.Certify(sessiontest.CanisterState(sessiontest.CanisterID(8), good.Digest()))), icp.ErrCertified},
		"certified and pruned":           {sessiontest.CanisterSignatureOf(good, subnet.Certify(sessiontest.Pruned(sessiontest.CanisterState(canister, good.Digest())))), icp.ErrCertified},
		"out of the range":               {signed(root.Delegate(sessiontest.OneLeaf, rangeOf(8, elsewhere)), good), icp.ErrRange},
		"out of the shards":              {signed(root.Delegate(sessiontest.Sharded, rangeOf(0, 6), rangeOf(8, elsewhere)), good), icp.ErrRange},
		"no ranges":                      {signed(root.Delegate(sessiontest.OneLeaf), good), icp.ErrRange},
		"no shards":                      {signed(root.Delegate(sessiontest.Sharded), good), icp.ErrRange},
		"ranges not shown":               {signed(root.Vouch(fresh, about(fresh.PublicKey(), sessiontest.Pruned(cborRanges))), good), icp.ErrRange},
		"ranges that are no CBOR":        {signed(root.Vouch(fresh, about(fresh.PublicKey(), sessiontest.Leaf([]byte{0xff}))), good), icp.ErrCertificate},
		"ranges of one end":              {signed(root.Vouch(fresh, about(fresh.PublicKey(), sessiontest.Leaf([]byte("\x81\x81\x41\x00")))), good), icp.ErrCertificate},
		"ranges of numbers":              {signed(root.Vouch(fresh, about(fresh.PublicKey(), sessiontest.Leaf([]byte("\x81\x82\x00\x01")))), good), icp.ErrCertificate},
		"another's key vouched for":      {signed(root.Vouch(fresh, about(root.PublicKey(), cborRanges)), good), icp.ErrSignature},
		"a vouched key of no scheme":     {signed(root.Vouch(fresh, about(fresh.PublicKey()[:132], cborRanges)), good), icp.ErrKey},
		"a vouched point at infinity":    {signed(root.Vouch(fresh, about(infinity(fresh.PublicKey()), cborRanges)), good), icp.ErrKey},
		"of another subnet's delegation": {signed(root.Vouch(fresh, about(fresh.PublicKey(), cborRanges)).Delegate(sessiontest.OneLeaf, all), good), icp.ErrSubdelegation},
		"a subnet that delegates":        {signed(subnet.Delegate(sessiontest.Sharded, all), good), icp.ErrSubdelegation},
		"a foreign root":                 {signed(sessiontest.NewRoot().Delegate(sessiontest.OneLeaf, all), good), icp.ErrSignature},
		"a foreign root, no delegation":  {signed(sessiontest.NewRoot(), good), icp.ErrSignature},
		"no signature":                   {sessiontest.CanisterSignatureOf(good, []byte("\xa1\x64tree\x81\x00")), icp.ErrCertificate},
		"a certificate of nothing":       {sessiontest.CanisterSignatureOf(good, []byte{}), icp.ErrCertificate},
		"too deep":                       {signed(subnet, deep), icp.ErrSignature},
		"too many nodes":                 {signed(subnet, wide[0]), icp.ErrSignature},
		"something after it":             {append(signed(subnet, good), 0), icp.ErrSignature},
		"two tags":                       {append([]byte{0xd9, 0xd9, 0xf7}, signed(subnet, good)...), icp.ErrSignature},
		"of indefinite length":           {append(append([]byte{0xbf}, signed(subnet, good)[4:]...), 0xff), icp.ErrSignature},
		"a tree as long as a key":        {bytes.Repeat([]byte{0x81}, 70_000), icp.ErrSignature},
		"a repeated field":               {append(append([]byte{0xa3}, signed(subnet, good)[4:]...), []byte("\x64tree\x81\x00")...), icp.ErrSignature},
	} {
		n := icp.NewNetwork(ic.RootKey())
		err := n.Key(t.Context(), sessiontest.CanisterKey(canister, []byte(person)), payload, test.signature)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if d, _ := n.Remembered(); d != 0 && test.want != nil && name != "another's key vouched for" {
			t.Errorf("%s: its subnet is remembered", name)
		}
	}
}

// infinity replaces a BLS key's point by the point at infinity, under which one
// signature fits every message.
func infinity(der []byte) []byte {
	out := append(bytes.Clone(der[:len(der)-96]), make([]byte, 96)...)
	out[len(der)-96] = 0xc0
	return out
}

func TestCanisterKeys(t *testing.T) {
	id := sessiontest.InternetIdentity
	good := sessiontest.CanisterKey(id, []byte("seed"))
	n := icp.NewNetwork(icp.Mainnet())
	long := func(l byte) []byte { return append(bytes.Clone(good[:2]), append([]byte{l}, good[3:]...)...) }
	for name, test := range map[string]struct {
		der  []byte
		want error
	}{
		"good":             {good, icp.ErrSignature}, // the key is, the signature is none
		"no seed":          {sessiontest.CanisterKey(id, nil), icp.ErrSignature},
		"no canister":      {sessiontest.CanisterKey(nil, []byte("seed")), icp.ErrKey},
		"an id too long":   {sessiontest.CanisterKey(make([]byte, 30), []byte("seed")), icp.ErrKey},
		"an id cut short":  {sessiontest.WrapKey([]int{1, 3, 6, 1, 4, 1, 56387, 1, 2}, []byte{10, 0, 0}), icp.ErrKey},
		"no bits":          {sessiontest.WrapKey([]int{1, 3, 6, 1, 4, 1, 56387, 1, 2}, nil), icp.ErrKey},
		"another OID":      {sessiontest.WrapKey([]int{1, 3, 6, 1, 4, 1, 56387, 1, 3}, good[19:]), icp.ErrKey},
		"trailing data":    {append(bytes.Clone(good), 0), icp.ErrKey},
		"a long length":    {append([]byte{0x30, 0x81, good[1]}, good[2:]...), icp.ErrKey},
		"another sequence": {long(0x31), icp.ErrKey},
		"too long":         {sessiontest.CanisterKey(id, make([]byte, 2000)), icp.ErrKey},
	} {
		if err := n.Key(t.Context(), test.der, nil, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// A root key, or a subnet's, is a point of the right subgroup in its one
// spelling.
func TestRootKeys(t *testing.T) {
	good := sessiontest.NewRoot().PublicKey()
	if _, err := icp.ParseRootKey(good); err != nil {
		t.Error(err)
	}
	changed := func(i int, b byte) []byte { out := bytes.Clone(good); out[i] ^= b; return out }
	// Of small x about half are on the curve, none is in the subgroup.
	for x := byte(1); x < 40; x++ {
		out := append(bytes.Clone(good[:37]), make([]byte, 96)...)
		out[37], out[132] = 0x80, x
		if _, err := icp.ParseRootKey(out); !errors.Is(err, icp.ErrKey) {
			t.Errorf("the point of x = %d: %v", x, err)
		}
	}
	for name, der := range map[string][]byte{
		"empty": nil, "cut": good[:132], "longer": append(bytes.Clone(good), 0), "infinity": infinity(good),
		"another prefix": changed(5, 1), "not compressed": changed(37, 0x80), "a coordinate beyond the field": append(bytes.Clone(good[:37]), bytes.Repeat([]byte{0x9f, 0xff, 0xff}, 32)...),
	} {
		if _, err := icp.ParseRootKey(der); !errors.Is(err, icp.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A canister stands at the root of a chain or nowhere; a chain may go on from
// there by keys of every kind.
func TestOneCanisterAtTheRoot(t *testing.T) {
	ic := sessiontest.NewInternetComputer(sessiontest.OneLeaf)
	n := icp.NewNetwork(ic.RootKey())
	id := must[*icp.Identity](t)
	ends := now.Add(time.Hour)
	kinds := map[string]*icp.Identity{
		"Ed25519": id(icp.NewIdentity()), "P-256": id(icp.NewP256Identity()), "secp256k1": id(icp.NewSecp256k1Identity()),
		"ES256": must[*sessiontest.Passkey](t)(sessiontest.NewPasskey("a.example")).Identity(),
		"RS256": must[*sessiontest.Passkey](t)(sessiontest.NewRSAPasskey("a.example", 2048)).Identity(),
	}
	for a, from := range kinds {
		for b, to := range kinds {
			if a == b {
				continue
			}
			c, account := made(t, id(id(ic.Person("ada").Delegate(from, ends)).Delegate(to, ends)))
			if _, err := n.Verify(t.Context(), c, account, now); err != nil {
				t.Errorf("canister → %s → %s: %v", a, b, err)
			}
		}
		c, account := made(t, id(from.Delegate(ic.Person("ada"), ends)))
		if _, err := n.Verify(t.Context(), c, account, now); !errors.Is(err, icp.ErrCanisterKey) {
			t.Errorf("%s → canister: %v", a, err)
		}
	}
	c, account := made(t, id(ic.Person("ada").Delegate(ic.Person("bob"), ends)))
	if _, err := n.Verify(t.Context(), c, account, now); !errors.Is(err, icp.ErrCanisterKey) {
		t.Errorf("canister → canister: %v", err)
	}
}

// Whatever is wrong with a canister's signature but the pairing is found without
// a place for one.
func TestABadCanisterSignatureCostsNoPairing(t *testing.T) {
	ic := sessiontest.NewInternetComputer(sessiontest.OneLeaf)
	n := icp.NewNetwork(ic.RootKey())
	defer n.Occupy()()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, account := made(t, must[*icp.Identity](t)(ic.SignIn("ada", now)))
	if _, err := n.Verify(ctx, c, account, now); session.CodeOf(err) != session.CodeUnavailable {
		t.Errorf("a good one has to wait: %v", err)
	}
	outside, _ := made(t, icp.SignWith(c.PublicKey, func(m []byte) ([]byte, error) {
		seed := sha256.Sum256([]byte("ada"))
		return ic.Root.Delegate(sessiontest.Sharded).CanisterSignature(sessiontest.InternetIdentity, seed[:], m), nil
	}))
	if _, err := n.Verify(ctx, outside, account, now); !errors.Is(err, icp.ErrRange) {
		t.Errorf("out of the ranges: %v", err)
	}
	c.Delegations[0].Delegation.Expiration = "1795456800000000001"
	if _, err := n.Verify(ctx, c, account, now); !errors.Is(err, icp.ErrNotSigned) {
		t.Errorf("another delegation: %v", err)
	}
	c.Message += "."
	if _, err := n.Verify(ctx, c, account, now); !errors.Is(err, icp.ErrSignature) {
		t.Errorf("another text: %v", err)
	}
}

// When there is no place for a check, nobody knows whether the credential holds:
// the answer is 503 and not 401.
func TestABusyVerifierDoesNotKnow(t *testing.T) {
	ic := sessiontest.NewInternetComputer(sessiontest.OneLeaf)
	n := icp.NewNetwork(ic.RootKey())
	rsa := must[*sessiontest.Passkey](t)(sessiontest.NewRSAPasskey("a.example", 2048)).Identity()
	for name, id := range map[string]*icp.Identity{"a canister's": ic.Person("ada"), "an RSA key's": rsa} {
		c, account := made(t, id)
		release := n.Occupy()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := n.Verify(ctx, c, account, now); done <- err }()
		cancel()
		if err := <-done; session.CodeOf(err) != session.CodeUnavailable || !errors.As(err, new(*session.Error)) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the caller leaves: %v", name, err)
		}
		go func() { _, err := n.Verify(t.Context(), c, account, now); done <- err }()
		release()
		if err := <-done; err != nil {
			t.Errorf("%s: a place became free: %v", name, err)
		}
		release = n.Occupy()
		leave := n.Fill()
		if _, err := n.Verify(ctx, c, account, now); session.CodeOf(err) != session.CodeUnavailable || !errors.As(err, new(*session.Error)) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: too many wait: %v", name, err)
		}
		leave()
		release()
		if _, err := n.Verify(t.Context(), c, account, now); err != nil {
			t.Errorf("%s: places are free: %v", name, err)
		}
		n.Occupy()() // every place was given back
	}
}

// What is remembered is bounded, shared between delegations to one subnet, and
// asked for its ranges each time.
func TestRememberedSubnets(t *testing.T) {
	root := sessiontest.NewRoot()
	n := icp.NewNetwork(must[icp.RootKey](t)(icp.ParseRootKey(root.PublicKey())))
	sign := func(s *sessiontest.Subnet, canister []byte) error {
		return n.Key(t.Context(), sessiontest.CanisterKey(canister, nil), []byte("m"), s.CanisterSignature(canister, nil, []byte("m")))
	}
	first := sessiontest.NewRoot()
	state := func(i int) sessiontest.Tree {
		return sessiontest.Labels(map[string]sessiontest.Tree{
			"subnet": sessiontest.Label(first.ID(), sessiontest.Labels(map[string]sessiontest.Tree{
				"canister_ranges": sessiontest.Leaf([]byte("\x81\x82\x41\x00\x4a\x00\x00\x00\x00\x00\x00\x00\xff\x01\x01")),
				"public_key":      sessiontest.Leaf(first.PublicKey()),
			})),
			"time": sessiontest.Leaf([]byte(fmt.Sprint(i))),
		})
	}
	for i := range icp.MaxSubnets + 6 {
		if err := sign(root.Vouch(first, state(i)), sessiontest.InternetIdentity); err != nil {
			t.Fatal(err)
		}
	}
	if d, keys := n.Remembered(); d != icp.MaxSubnets || keys != 1 {
		t.Errorf("%d delegations and %d keys", d, keys)
	}
	known := root.Vouch(first, state(icp.MaxSubnets))
	if err := sign(known, sessiontest.CanisterID(0x100)); !errors.Is(err, icp.ErrRange) {
		t.Errorf("a canister outside of a subnet that is known: %v", err)
	}
	// Who reuses a delegation that is known still needs the subnet's key.
	thief := sessiontest.NewRoot().Vouch(sessiontest.NewRoot(), state(0))
	if err := sign(thief, sessiontest.InternetIdentity); err == nil {
		t.Error("a delegation to another subnet")
	}
}
