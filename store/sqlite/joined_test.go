package sqlite

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
)

// memory is a file that counts its writes, and fails them when told to.
type memory struct {
	vfs.File
	data   []byte
	writes int
	fail   error
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.fail != nil {
		return 0, m.fail
	}
	m.writes++
	if end := int(off) + len(p); end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	return copy(m.data[off:], p), nil
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	if int(off) >= len(m.data) {
		return 0, io.EOF
	}
	n := copy(p, m.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) Truncate(size int64) error {
	m.data = m.data[:min(int(size), len(m.data))]
	return nil
}
func (m *memory) Size() (int64, error)    { return int64(len(m.data)), nil }
func (m *memory) Sync(vfs.SyncFlag) error { return m.fail }
func (m *memory) Close() error            { return nil }

// Whatever is written, read, cut off and synced in whatever order: who reads
// through the log sees what a plain file would show, and what is synced is in
// the file.
func TestAJoinedLogReadsAsAPlainFile(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		plain, file := new(memory), new(memory)
		log := &joinedLog{File: file}
		var end int64
		for range 200 {
			switch rng.IntN(12) {
			case 0:
				p, q := make([]byte, rng.IntN(900)), make([]byte, 0)
				q = append(q, p...)
				off := rng.Int64N(end + 100)
				n, err := plain.ReadAt(p, off)
				m, err2 := log.ReadAt(q, off)
				if n != m || !errors.Is(err2, err) || !bytes.Equal(p, q) {
					t.Fatalf("seed %d: read at %d: %d %v, plain %d %v", seed, off, m, err2, n, err)
				}
			case 1:
				size := rng.Int64N(end + 1)
				plain.Truncate(size)
				log.Truncate(size)
				end = size
			case 2:
				if size, _ := log.Size(); size != int64(len(plain.data)) {
					t.Fatalf("seed %d: size %d, plain %d", seed, size, len(plain.data))
				}
			case 3:
				log.Sync(0)
				if !bytes.Equal(file.data, plain.data) {
					t.Fatalf("seed %d: what was synced is not in the file", seed)
				}
			default:
				p := make([]byte, rng.IntN(300))
				if rng.IntN(100) == 0 {
					p = make([]byte, maxJoined+rng.IntN(100))
				}
				for i := range p {
					p[i] = byte(rng.Uint32())
				}
				off := end
				if rng.IntN(5) == 0 {
					off = rng.Int64N(end + 1)
				}
				plain.WriteAt(p, off)
				log.WriteAt(p, off)
				end = max(end, off+int64(len(p)))
			}
		}
		log.Close()
		if !bytes.Equal(file.data, plain.data) {
			t.Fatalf("seed %d: what was closed is not in the file", seed)
		}
	}
}

// A commit's frames are one write of the system.
func TestACommitIsOneWriteOfTheLog(t *testing.T) {
	file := new(memory)
	log := &joinedLog{File: file}
	at := int64(32)
	for range 20 {
		log.WriteAt(make([]byte, 24), at)
		log.WriteAt(make([]byte, 4096), at+24)
		at += 24 + 4096
	}
	if file.writes != 0 {
		t.Errorf("%d writes before the commit", file.writes)
	}
	if log.Sync(0); file.writes != 1 {
		t.Errorf("%d writes", file.writes)
	}
}

// What could not be written is an error of the commit, and comes back with none
// that follows.
func TestAJoinedLogTellsThatItCouldNotWrite(t *testing.T) {
	full := errors.New("full")
	file := &memory{fail: full}
	log := &joinedLog{File: file}
	log.WriteAt([]byte("lost"), 0)
	if err := log.Sync(0); !errors.Is(err, full) {
		t.Errorf("synced: %v", err)
	}
	file.fail = nil
	log.WriteAt([]byte("kept"), 0)
	if err := log.Sync(0); err != nil || string(file.data) != "kept" {
		t.Errorf("%q, %v", file.data, err)
	}
}
