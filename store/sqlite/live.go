package sqlite

import (
	"context"
	"iter"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/token"
)

// pageRows bounds how long one page of Live holds a reader.
const pageRows = 4096

// page is some sessions in the order of their ids.
type page struct {
	rows []session.Session
	err  error
}

// Live implements session.Store. It reads page by page, so that it holds
// neither a connection nor an old state of the database for long, and each page
// while the one before is being used.
func (s *Store) Live(ctx context.Context, since time.Time) iter.Seq2[session.Session, error] {
	return func(yield func(session.Session, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		pages, used := make(chan page), make(chan []session.Session, 2)
		used <- make([]session.Session, 0, pageRows)
		used <- make([]session.Session, 0, pageRows)
		go func() {
			defer close(pages)
			s.livePages(ctx, since, pages, used)
		}()
		defer func() {
			stop()
			for range pages { // until the reader has ended
			}
		}()
		for p := range pages {
			for _, row := range p.rows {
				if !row.Ended() && !yield(row, nil) {
					return
				}
			}
			if p.err != nil {
				yield(session.Session{}, p.err)
				return
			}
			used <- p.rows
		}
	}
}

// livePages sends every page until ctx is done, in slices that were used.
func (s *Store) livePages(ctx context.Context, since time.Time, pages chan<- page, used <-chan []session.Session) {
	for kind := token.Standard; kind <= token.Professional; kind++ {
		from, below := token.FirstID(kind, since), token.ID{byte(kind) + 1}
		for last := false; !last; {
			var rows []session.Session
			select {
			case rows = <-used:
			case <-ctx.Done():
				return
			}
			p := s.livePage(ctx, from, below, rows[:0])
			if last = len(p.rows) < pageRows; !last {
				from = after(p.rows[len(p.rows)-1].ID)
			}
			select {
			case pages <- p:
			case <-ctx.Done():
				return
			}
			if p.err != nil {
				return
			}
		}
	}
}

func (s *Store) livePage(ctx context.Context, from, below token.ID, to []session.Session) page {
	p := page{rows: to}
	p.err = s.read(ctx, func(c *conn) error {
		return c.rows("SELECT "+sessionColumns+" FROM sessions WHERE id>=? AND id<? ORDER BY id LIMIT ?", func(st *sqlite3.Stmt) error {
			row, err := c.scanSession(st)
			p.rows = append(p.rows, row)
			return err
		}, from[:], below[:], int64(pageRows))
	})
	return p
}

// after is the least id above another.
func after(id token.ID) token.ID {
	for i := len(id) - 1; ; i-- {
		if id[i]++; id[i] != 0 {
			return id
		}
	}
}
