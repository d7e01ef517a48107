package sqlite

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate runs the migrations that the database has not seen, in one
// transaction. A schema newer than this program knows is refused.
func migrate(c *sqlite3.Conn) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return runMigrations(c, files)
}

func runMigrations(c *sqlite3.Conn, files []string) (err error) {
	tx, err := c.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	version, err := schemaVersion(c)
	if err != nil {
		return err
	}
	if version > len(files) {
		return fmt.Errorf("the database has schema %d, newer than the %d this program knows: run a newer sessiond", version, len(files))
	}
	for i, name := range files[version:] {
		sql, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := c.Exec(string(sql)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := c.Exec(fmt.Sprintf("PRAGMA user_version=%d", version+i+1)); err != nil {
			return err
		}
	}
	return nil
}

func schemaVersion(c *sqlite3.Conn) (int, error) {
	st, _, err := c.Prepare("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	defer st.Close()
	st.Step()
	return st.ColumnInt(0), st.Err()
}
