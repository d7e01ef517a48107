package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"

	session "github.com/mentalverse/session"
)

// Contents is what a database was found to hold.
type Contents struct {
	Schema, Newest int // the schema's version, and the newest this program knows
	Meta           session.Meta
	Sessions       int64 // rows; Open of them have not ended
	Open           int64
	Accounts       int64
	Records        int64
	Review         int64 // entries of the registry that wait for review
	NewestRecord   time.Time
	Bytes          int64  // of the file
	WAL            int64  // bytes of the log beside it
	Position       int64  // of the newest record, which a later state of the same store never goes below
	newest         string // that record, as recordAt tells it
}

// Inspect looks at the database at path, beside a running server or not, and
// changes nothing in it. With whole, every page is checked. An error means that
// the database is damaged, of a schema this program does not know, or unreadable.
func Inspect(ctx context.Context, path string, whole bool) (Contents, error) {
	s := newStore(path)
	folder, err := lockFolder(s.path, syscall.LOCK_SH)
	if err != nil {
		return Contents{}, err
	}
	defer folder.Close()
	return inspect(ctx, s.path, "PRAGMA query_only=ON", whole)
}

// inspect opens a file to write, since SQLite would otherwise leave what it made
// beside it, and does what prepare says first.
func inspect(ctx context.Context, path, prepare string, whole bool) (out Contents, err error) {
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_NOFOLLOW)
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	defer func() {
		if err = errors.Join(err, c.Close()); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}()
	c.SetInterrupt(ctx)
	if err := errors.Join(c.BusyTimeout(busyTimeout), c.Exec("PRAGMA trusted_schema=OFF"), c.Exec(prepare)); err != nil {
		return out, err
	}
	if whole {
		if err := quickCheck(c); err != nil {
			return out, err
		}
	}
	if err := out.read(c); err != nil {
		return out, err
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		out.WAL = info.Size()
	}
	info, err := os.Stat(path)
	if err == nil {
		out.Bytes = info.Size()
	}
	return out, err
}

func (out *Contents) read(c *sqlite3.Conn) (err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	out.Newest = len(files)
	if out.Schema, err = schemaVersion(c); err != nil {
		return err
	}
	if out.Schema > out.Newest {
		return fmt.Errorf("it has schema %d, newer than the %d this program knows: run a newer sessiond", out.Schema, out.Newest)
	}
	if err := checkSchema(c, files[:max(out.Schema, 0)]); err != nil {
		return err
	}
	reading := &conn{Conn: c, prepared: map[string]*sqlite3.Stmt{}}
	defer func() {
		for _, st := range reading.prepared {
			err = errors.Join(err, st.Close())
		}
	}()
	if out.Meta, err = readMeta(reading); err != nil {
		return err
	}
	for query, to := range map[string][]*int64{
		"SELECT count(*), coalesce(sum(ended_at=0),0) FROM sessions": {&out.Sessions, &out.Open},
		"SELECT count(*) FROM accounts":                              {&out.Accounts},
		"SELECT count(*), coalesce(max(position),0) FROM records":    {&out.Records, &out.Position},
	} {
		err := reading.rows(query, func(st *sqlite3.Stmt) error {
			for i := range to {
				*to[i] = st.ColumnInt64(i)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := reading.rows("SELECT count(*) FROM pragma_table_info('professionals') WHERE name='review'", func(st *sqlite3.Stmt) error {
		out.Review = st.ColumnInt64(0)
		return nil
	}); err != nil {
		return err
	}
	if out.Review > 0 { // the schema knows of reviews
		if err := reading.rows("SELECT count(*) FROM professionals WHERE review<>0", func(st *sqlite3.Stmt) error {
			out.Review = st.ColumnInt64(0)
			return nil
		}); err != nil {
			return err
		}
	}
	if out.newest, err = recordAt(reading, out.Position); err != nil {
		return err
	}
	return reading.rows("SELECT at FROM records ORDER BY position DESC LIMIT 1", func(st *sqlite3.Stmt) error {
		out.NewestRecord = fromMillis(st.ColumnInt64(0))
		return nil
	})
}

// recordAt tells the record at a position from those that other stores have there:
// one that was begun anew, or that went on from another backup. "" if there is
// none.
func recordAt(c *conn, position int64) (text string, err error) {
	err = c.rows("SELECT action||' '||at||' '||hex(session_id)||' '||subject_id||' '||request_id FROM records WHERE position=?", func(st *sqlite3.Stmt) error {
		text = st.ColumnText(0)
		return nil
	}, position)
	return text, err
}

// quickCheck reads every page of a database.
func quickCheck(c *sqlite3.Conn) error {
	st, _, err := c.Prepare("PRAGMA quick_check(3)")
	if err != nil {
		return err
	}
	defer st.Close()
	var found []string
	for st.Step() {
		if text := st.ColumnText(0); text != "ok" {
			found = append(found, text)
		}
	}
	if err := st.Err(); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("it is damaged: %s", strings.Join(found, "; "))
	}
	return nil
}

// checkSchema fails unless a database has the tables and triggers that the
// migrations make, and no others: the version is a number that any database may
// bear.
func checkSchema(c *sqlite3.Conn, files []string) (err error) {
	model, err := sqlite3.Open(":memory:")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	if err := runMigrations(model, files); err != nil {
		return err
	}
	want, err := schema(model)
	if err != nil {
		return err
	}
	got, err := schema(c)
	if err != nil {
		return err
	}
	if len(files) == 0 || !maps.Equal(got, want) {
		return errors.New("it is no database of sessiond")
	}
	return nil
}

// schema is the text of each thing in a database, by its name.
func schema(c *sqlite3.Conn) (map[string]string, error) {
	st, _, err := c.Prepare("SELECT type||' '||name, coalesce(sql,'') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
	if err != nil {
		return nil, err
	}
	defer st.Close()
	out := map[string]string{}
	for st.Step() {
		out[st.ColumnText(0)] = st.ColumnText(1)
	}
	return out, st.Err()
}

// For those who look from outside: the size of the file in reserve, the room
// that must be free once it was given up, and what the log may grow to.
const (
	ReserveSize = reserveSize
	RoomNeeded  = reserveSize + reserveSlack
	MaxWAL      = maxWAL
)
