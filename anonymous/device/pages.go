package device

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/semaphore"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/privatefile"
)

// members are a group's, page by page, each checked when it came.
type members struct {
	check *anonymous.PageCheck
	pages [][]fr.Element
}

// download gets the pages that are not here yet, whatever is in them: which one
// is looked for is nobody's business.
func (d *Device) download(ctx context.Context, g *group) (*members, error) {
	check, err := anonymous.CheckPages(g.head.Root, g.head.Size, g.pageRoots)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.pagesFolder(), 0o700); err != nil {
		return nil, err
	}
	m := &members{check, make([][]fr.Element, len(g.pageRoots))}
	var missing []int
	for i, root := range g.pageRoots {
		// A root does not tell how many leaves it stands for.
		if page, err := d.cached(root); err == nil && len(page) == check.Len(i) {
			m.pages[i] = page
		} else {
			missing = append(missing, i)
		}
	}
	for n, i := range missing {
		d.Progress(Downloading, n+1, len(missing))
		root := anonymous.FormatScalar(g.pageRoots[i])
		answer, err := ask[api.Page](ctx, d, d.unnamed, call{method: "GET", path: "/anonymous/pages/" + root, limit: maxPage})
		if err != nil {
			return nil, err
		}
		page, err := anonymous.ParseMembers(answer.Members)
		if err == nil {
			err = check.Page(i, page)
		}
		if err != nil {
			return nil, fmt.Errorf("page %d of %d: %w", i+1, len(m.pages), err)
		}
		m.pages[i] = page
		if err := d.cache(g.pageRoots[i], page); err != nil {
			return nil, err
		}
	}
	return m, d.prune(g.pageRoots)
}

// find returns the path of a commitment, or ErrNotMember.
func (m *members) find(commitment fr.Element) (semaphore.Path, error) {
	for i, page := range m.pages {
		for place, c := range page {
			if c == commitment {
				return m.check.Path(i, place, page)
			}
		}
	}
	return semaphore.Path{}, ErrNotMember
}

// count returns how many places are taken.
func (m *members) count() (n int) {
	for _, page := range m.pages {
		for _, c := range page {
			if !c.IsZero() {
				n++
			}
		}
	}
	return n
}

func (d *Device) pageFile(root fr.Element) string {
	return filepath.Join(d.pagesFolder(), anonymous.FormatScalar(root))
}

// cached reads a page that was kept: 32 bytes a member, and their SHA-256, which
// is a thousand times faster than the root to see damage by.
func (d *Device) cached(root fr.Element) ([]fr.Element, error) {
	b, err := os.ReadFile(d.pageFile(root))
	if err != nil {
		return nil, err
	}
	n := len(b) - sha256.Size
	if n < 0 || n%fr.Bytes != 0 || sha256.Sum256(b[:n]) != [sha256.Size]byte(b[n:]) {
		return nil, anonymous.ErrPage
	}
	b = b[:n]
	page := make([]fr.Element, len(b)/fr.Bytes)
	for i := range page {
		if err := page[i].SetBytesCanonical(b[i*fr.Bytes:][:fr.Bytes]); err != nil {
			return nil, err
		}
	}
	return page, nil
}

func (d *Device) cache(root fr.Element, page []fr.Element) error {
	b := make([]byte, 0, len(page)*fr.Bytes+sha256.Size)
	for _, c := range page {
		number := c.Bytes()
		b = append(b, number[:]...)
	}
	sum := sha256.Sum256(b)
	return privatefile.Replace(d.pageFile(root), append(b, sum[:]...))
}

// prune removes pages that are no longer of the group.
func (d *Device) prune(roots []fr.Element) error {
	keep := make(map[string]bool, len(roots))
	for _, root := range roots {
		keep[anonymous.FormatScalar(root)] = true
	}
	kept, err := os.ReadDir(d.pagesFolder())
	for _, entry := range kept {
		if !keep[entry.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(d.pagesFolder(), entry.Name())))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // by another process over the same folder
	}
	return err
}
