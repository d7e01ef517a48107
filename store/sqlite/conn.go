package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// conn is one connection with its prepared statements. It belongs to one
// goroutine at a time.
type conn struct {
	*sqlite3.Conn
	prepared map[string]*sqlite3.Stmt
	words    map[string]string              // see word
	sets     map[string]session.Permissions // see set
	last     [sessionWidth]string           // word of each column
	lastSet  namedSet
}

// namedSet is a set of permissions and its text.
type namedSet struct {
	text string
	set  session.Permissions
}

// connect opens a connection. What is deleted or overwritten is zeroed
// (secure_delete), so that the free parts of pages do not keep moments that were
// rounded, commitments of those who left and sessions that were swept; but for
// copies that SQLite leaves when it splits a page. It costs a sixth of a sweep's
// time, and nothing that can be measured of a refresh's.
func (s *Store) connect() (*conn, error) {
	path := s.path
	c, err := sqlite3.OpenFlags(s.uri(path), sqlite3.OPEN_READWRITE|sqlite3.OPEN_NOFOLLOW|sqlite3.OPEN_URI)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = errors.Join(c.BusyTimeout(busyTimeout), c.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
		PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF; PRAGMA cache_size=-16000; PRAGMA secure_delete=ON;`))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), c.Close())
	}
	return &conn{Conn: c, prepared: map[string]*sqlite3.Stmt{}, words: map[string]string{}, sets: map[string]session.Permissions{}}, nil
}

// uri names a file in the store's file system (https://sqlite.org/uri.html).
func (s *Store) uri(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?vfs=" + s.vfs
}

// stmt returns the prepared statement of a query with its parameters bound.
func (c *conn) stmt(query string, args ...any) (*sqlite3.Stmt, error) {
	st, ok := c.prepared[query]
	if !ok {
		var err error
		if st, _, err = c.PrepareFlags(query, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
		c.prepared[query] = st
	}
	for i, a := range args {
		var err error
		switch v := a.(type) {
		case []byte:
			if v == nil {
				err = st.BindNull(i + 1)
			} else if len(v) == 0 {
				err = st.BindZeroBlob(i+1, 0)
			} else {
				err = st.BindBlob(i+1, v)
			}
		case string:
			err = st.BindText(i+1, v)
		case int64:
			err = st.BindInt64(i+1, v)
		case bool:
			err = st.BindBool(i+1, v)
		case time.Time:
			err = st.BindInt64(i+1, toMillis(v))
		default:
			err = fmt.Errorf("sqlite: cannot bind %T", a)
		}
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

// Close finalizes the prepared statements and closes the connection.
func (c *conn) Close() error {
	var err error
	for _, st := range c.prepared {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, c.Conn.Close())
}

// exec runs a statement without rows and returns how many it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	st, err := c.stmt(query, args...)
	if err != nil {
		return 0, err
	}
	st.Step()
	err = st.Err()
	if e := st.Reset(); err == nil {
		err = e
	}
	if err != nil {
		return 0, err
	}
	return c.Changes(), nil
}

// rows runs a query and calls each for every row.
func (c *conn) rows(query string, each func(*sqlite3.Stmt) error, args ...any) error {
	st, err := c.stmt(query, args...)
	if err != nil {
		return err
	}
	for st.Step() {
		if err = each(st); err != nil {
			break
		}
	}
	if e := st.Err(); err == nil {
		err = e
	}
	return errors.Join(err, st.Reset())
}

// read lends a reading connection to f.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	select {
	case c, ok := <-s.readers:
		if !ok {
			return errClosed
		}
		defer func() { s.readers <- c }()
		select {
		case <-s.stop:
			return errClosed
		default:
		}
		return f(c)
	case <-s.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toMillis is a time as stored: unix milliseconds, 0 for the zero time.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
