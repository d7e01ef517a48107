package anonymous

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/api"
)

// published is the group as clients see it. It does not change.
type published struct {
	window  Window
	members int
	group   api.Group
	pages   map[string][]fr.Element // by their roots in decimal; those of the last one, too
}

// show publishes the planned group with its window of snapshots.
func (h *Host) show(window Window) {
	tree := h.plan.group.Tree()
	p := &published{window: window, members: h.plan.group.Members(), pages: map[string][]fr.Element{}}
	if h.plan.newest == nil {
		h.shown.Store(p)
		return
	}
	old := h.shown.Load()
	if old == nil {
		old = &published{}
	}
	var roots []string
	for i, root := range tree.PageRoots() {
		name := FormatScalar(root)
		roots = append(roots, name)
		leaves, known := old.pages[name]
		if !known { // the tree goes on changing
			page, err := tree.Page(i)
			if err != nil {
				panic(err) // the index is the tree's own
			}
			leaves = append([]fr.Element(nil), page...)
		}
		p.pages[name] = leaves
	}
	for _, name := range old.group.PageRoots { // a client may be downloading them
		p.pages[name] = old.pages[name]
	}
	p.group = h.describe(roots, p.members)
	h.shown.Store(p)
}

// Chain returns signed snapshots as clients get them.
func (h *Host) Chain(snapshots [][]byte) api.Roots {
	out := api.Roots{ServiceID: string(h.Service), EpochLength: int64(h.Epochs.seconds()), Key: h.publicKey(), Roots: make([]json.RawMessage, len(snapshots))}
	for i, s := range snapshots {
		out.Roots[i] = s
	}
	return out
}

func (h *Host) publicKey() string {
	return base64.RawURLEncoding.EncodeToString(h.Key.Public().(ed25519.PublicKey))
}

func (h *Host) describe(roots []string, members int) api.Group {
	s, enc := h.plan.newest, base64.RawURLEncoding.EncodeToString
	return api.Group{
		ServiceID: string(h.Service), EpochLength: int64(h.Epochs.seconds()), Key: h.publicKey(),
		Number: s.Number, Root: FormatScalar(s.Root), Size: s.Size, Epoch: s.Epoch, CreatedAt: s.CreatedAt.UTC().Format(time.RFC3339),
		Previous: enc(s.Previous[:]), Signature: enc(s.Signature[:]), Members: members, PageRoots: roots,
	}
}

// Group returns the newest snapshot and its pages' roots; refused while the
// group is not [Host.Ready].
func (h *Host) Group(now time.Time) (api.Group, error) {
	if err := h.Ready(now); err != nil {
		return api.Group{}, err
	}
	return h.shown.Load().group, nil
}

// Page returns the JSON of a page (see [api.Page]) by its root in decimal, or
// nil if neither the newest snapshot has it nor the one before.
func (h *Host) Page(root string) []byte {
	p := h.shown.Load()
	if p == nil {
		return nil
	}
	leaves, ok := p.pages[root]
	if !ok {
		return nil
	}
	return h.pages.of(root, leaves)
}

// cachedPages is how many pages are kept as text, about 320 kB each.
const cachedPages = 32

// pageCache keeps the text of pages: numbers of 77 digits take long to write.
type pageCache struct {
	mu    sync.Mutex
	texts map[string]func() []byte
}

// of returns a page's text. Who ask for the same one at once wait for one
// writer.
func (c *pageCache) of(root string, leaves []fr.Element) []byte {
	c.mu.Lock()
	text, ok := c.texts[root]
	if !ok {
		if c.texts == nil || len(c.texts) >= cachedPages {
			c.texts = map[string]func() []byte{}
		}
		text = sync.OnceValue(func() []byte { return pageText(leaves) })
		c.texts[root] = text
	}
	c.mu.Unlock()
	return text()
}

func pageText(leaves []fr.Element) []byte {
	p := api.Page{Members: make([]string, len(leaves))}
	for i, leaf := range leaves {
		p.Members[i] = FormatScalar(leaf)
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings always marshal
	}
	return b
}
