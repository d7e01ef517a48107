package icp

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// maxSubnets bounds the delegations that are remembered. A node of the network
// renews its own every few minutes and there are some dozens of subnets; the
// least used is forgotten. Only what a root key signed gets in, so a stranger
// cannot fill it with inventions. A key with its lines takes 48 KiB and is
// shared by its delegations.
const maxSubnets = 64

// subnet is what a delegation says of one.
type subnet struct {
	hash    [sha256.Size]byte // of the delegation
	der     []byte            // the key
	ranges  [][2][]byte       // of canisters
	vouched *certificate      // the root subnet's word; nil once it was checked
	key     *blsKey           // nil until then
}

// subnets remembers delegations that were checked. They do not expire, and what
// they say is fixed by their hash: no clock is asked. The zero value is empty.
// Safe for concurrent use.
type subnets struct {
	mu   sync.Mutex
	of   map[[sha256.Size]byte]*list.Element
	used list.List // of *subnet, the last used first
}

// read returns the subnet that a delegation names, checked or not yet.
func (s *subnets) read(d *subnetDelegation) (*subnet, error) {
	h := sha256.New()
	binary.Write(h, binary.BigEndian, uint64(len(d.subnet)))
	h.Write(d.subnet)
	h.Write(d.certificate)
	found := &subnet{hash: [sha256.Size]byte(h.Sum(nil))}
	if known := s.get(found.hash); known != nil {
		return known, nil
	}
	var err error
	if found.vouched, err = parseCertificate(d.certificate); err != nil {
		return nil, err
	}
	if found.vouched.delegation != nil {
		return nil, ErrSubdelegation
	}
	tree := found.vouched.tree
	der, ok := tree.leaf([]byte("subnet"), d.subnet, []byte("public_key"))
	if !ok {
		return nil, ErrCertificate
	}
	found.der = der
	found.ranges, err = rangesOf(tree, d.subnet)
	return found, err
}

// key returns the subnet's key, after vouch if it was not checked before.
func (s *subnets) key(by *subnet, vouch func() error) (*blsKey, error) {
	if by.key != nil {
		return by.key, nil
	}
	if err := vouch(); err != nil {
		return nil, err
	}
	key := s.sharedKey(by.der)
	if key == nil {
		var err error
		if key, err = parseBLSKey(by.der); err != nil {
			return nil, err
		}
	}
	s.put(&subnet{hash: by.hash, der: key.der, ranges: by.ranges, key: key})
	return key, nil
}

func (s *subnets) get(hash [sha256.Size]byte) *subnet {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.of[hash]
	if !ok {
		return nil
	}
	s.used.MoveToFront(e)
	return e.Value.(*subnet)
}

// sharedKey returns the key of another delegation to the same subnet.
func (s *subnets) sharedKey(der []byte) *blsKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.used.Front(); e != nil; e = e.Next() {
		if known := e.Value.(*subnet); bytes.Equal(known.der, der) {
			return known.key
		}
	}
	return nil
}

func (s *subnets) put(checked *subnet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[[sha256.Size]byte]*list.Element{}
	}
	if _, ok := s.of[checked.hash]; ok {
		return // another call was faster
	}
	s.of[checked.hash] = s.used.PushFront(checked)
	if s.used.Len() > maxSubnets {
		oldest := s.used.Back()
		delete(s.of, s.used.Remove(oldest).(*subnet).hash)
	}
}
