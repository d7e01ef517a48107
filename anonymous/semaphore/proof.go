package semaphore

// Proof is a proof as @semaphore-protocol/proof writes it. Numbers are decimal.
type Proof struct {
	MerkleTreeDepth int       `json:"merkleTreeDepth"`
	MerkleTreeRoot  string    `json:"merkleTreeRoot"`
	Nullifier       string    `json:"nullifier"`
	Message         string    `json:"message"` // below 2^256, hashed into the field
	Scope           string    `json:"scope"`   // below 2^256, hashed into the field
	Points          [8]string `json:"points"`  // A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y
}
