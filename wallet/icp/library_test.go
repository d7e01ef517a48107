package icp_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	"github.com/mentalverse/session/sessiontest"
	"github.com/mentalverse/session/test/node"
	"github.com/mentalverse/session/wallet/icp"
)

// The real client library takes the fake network's certificates, and the
// library's own passkey identity signs what is taken here.
func TestTheClientLibraryAgrees(t *testing.T) {
	dir := node.Project(t, "contract")
	type certificate struct {
		Certificate string `json:"certificate"`
		RootKey     string `json:"rootKey"`
		Canister    string `json:"canister"`
	}
	var in struct {
		Certificates []certificate `json:"certificates"`
		COSE         string        `json:"cose"`
		PKCS8        string        `json:"pkcs8"`
		Message      string        `json:"message"`
	}
	var want []string
	root := sessiontest.NewRoot()
	oneLeaf, sharded := sessiontest.NewInternetComputer(sessiontest.OneLeaf), sessiontest.NewInternetComputer(sessiontest.Sharded)
	for i, from := range []struct{ root, signs *sessiontest.Subnet }{{root, root}, {oneLeaf.Root, oneLeaf.Subnet}, {sharded.Root, sharded.Subnet}} {
		for _, canister := range [][]byte{sessiontest.InternetIdentity, sessiontest.CanisterID(2000)} {
			certified := bytes.Repeat([]byte{byte(i)}, 32)
			want = append(want, hex.EncodeToString(certified))
			in.Certificates = append(in.Certificates, certificate{
				hex.EncodeToString(from.signs.Certify(sessiontest.CanisterState(canister, certified))),
				hex.EncodeToString(from.root.PublicKey()), hex.EncodeToString(canister),
			})
		}
	}
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := must[[]byte](t)(key.PublicKey.Bytes())
	cose := slices.Concat([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), point[1:33], []byte("\x22\x58\x20"), point[33:])
	message := icp.ChallengeMessage(text)
	in.COSE, in.PKCS8, in.Message = hex.EncodeToString(cose), hex.EncodeToString(must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))), hex.EncodeToString(message)

	cmd := exec.CommandContext(t.Context(), "node", "fakeic.mjs")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(must[[]byte](t)(json.Marshal(in)))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var out struct {
		Certified            []string
		PublicKey, Signature string
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(out.Certified, want) {
		t.Errorf("certified %v, want %v", out.Certified, want)
	}
	unhex := func(s string) []byte { return must[[]byte](t)(hex.DecodeString(s)) }
	if err := icp.NewNetwork(icp.Mainnet()).Key(t.Context(), unhex(out.PublicKey), message, unhex(out.Signature)); err != nil {
		t.Errorf("the library's passkey: %v", err)
	}
}
