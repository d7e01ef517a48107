package semaphore

import (
	"encoding/json"
	"testing"
)

func TestAProofsJSONIsSemaphores(t *testing.T) {
	b, err := json.Marshal(Proof{MerkleTreeDepth: Depth, MerkleTreeRoot: "1", Nullifier: "2", Message: "3", Scope: "4"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"merkleTreeDepth":20,"merkleTreeRoot":"1","nullifier":"2","message":"3","scope":"4","points":["","","","","","","",""]}`
	if string(b) != want {
		t.Errorf("%s", b)
	}
}
