package session

import "sync"

// pages is the memory from which the slabs of all shards take their pages, in
// pieces that grow with it. Large ones ask for huge pages: sessions are looked
// up at random, and for one that lies on a small page the processor must look
// its address up too.
type pages struct {
	mu    sync.Mutex
	rest  []byte
	taken int
}

const (
	leastPiece = 64 << 10
	mostPiece  = 4 << 20
)

// take returns zeroed memory, which is not given back.
func (p *pages) take(size int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) < size {
		p.rest = make([]byte, max(size, min(max(p.taken, leastPiece), mostPiece)))
		if p.taken += len(p.rest); len(p.rest) >= mostPiece {
			preferHuge(p.rest)
		}
	}
	page := p.rest[:size:size]
	p.rest = p.rest[size:]
	return page
}
