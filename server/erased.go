package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/privatefile"
	"github.com/mentalverse/session/store/sqlite"
)

// ErasedList tells who was erased up to a moment of a store, by marks that say
// nothing without the master key.
//
// Its text is lines: a title, the master key's fingerprint, the position of the
// store's newest record, the number of marks, and then the marks in order, in
// hexadecimal. So one that was cut off, or is of another service, is known.
type ErasedList struct {
	Key      []byte // the fingerprint, 16 bytes
	Position int64
	Marks    map[session.ErasureMark]bool
}

const (
	erasedTitle = "sessiond: erased users, 1"
	maxErased   = 64 << 20 // bytes of a list
	erasedPage  = 10_000
)

// String is the list's text.
func (l *ErasedList) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nkey %x\nrecord %d\nmarks %d\n", erasedTitle, l.Key, l.Position, len(l.Marks))
	for _, m := range slices.SortedFunc(maps.Keys(l.Marks), func(a, b session.ErasureMark) int { return bytes.Compare(a[:], b[:]) }) {
		fmt.Fprintf(&b, "%x\n", m)
	}
	return b.String()
}

// ParseErased reads a list's text.
func ParseErased(text string) (ErasedList, error) {
	bad := errors.New("it is no list of erased users, or not a whole one")
	lines := strings.Split(text, "\n")
	if len(text) > maxErased || len(lines) < 5 || lines[0] != erasedTitle || lines[len(lines)-1] != "" {
		return ErasedList{}, bad
	}
	key, err := hex.DecodeString(strings.TrimPrefix(lines[1], "key "))
	position, err2 := strconv.ParseUint(strings.TrimPrefix(lines[2], "record "), 10, 63)
	count, err3 := strconv.ParseUint(strings.TrimPrefix(lines[3], "marks "), 10, 32)
	marks := lines[4 : len(lines)-1]
	if errors.Join(err, err2, err3) != nil || len(key) != 16 || uint64(len(marks)) != count {
		return ErasedList{}, bad
	}
	out := ErasedList{Key: key, Position: int64(position), Marks: make(map[session.ErasureMark]bool, len(marks))}
	for _, line := range marks {
		m, err := hex.DecodeString(line)
		if err != nil || len(m) != len(session.ErasureMark{}) {
			return ErasedList{}, bad
		}
		out.Marks[session.ErasureMark(m)] = true
	}
	if out.String() != text { // one spelling
		return ErasedList{}, bad
	}
	return out, nil
}

func newErased(keys *session.Keyring, position int64, users []string) ErasedList {
	out := ErasedList{Key: keys.Check(), Position: position, Marks: make(map[session.ErasureMark]bool, len(users))}
	for _, id := range users {
		out.Marks[keys.ErasureMark(id)] = true
	}
	return out
}

// Erased lists who was erased from a data folder's database, whether or not a
// server runs over it.
func Erased(ctx context.Context, c Config) (ErasedList, error) {
	keys, err := c.bareKeys()
	if err != nil {
		return ErasedList{}, err
	}
	held, err := sqlite.Inspect(ctx, c.database(), false)
	if err != nil {
		return ErasedList{}, err
	}
	if !keys.Made(held.Meta) {
		return ErasedList{}, errors.New("the database was made with another master key")
	}
	store, err := sqlite.OpenReadOnly(ctx, c.database())
	if err != nil {
		return ErasedList{}, err
	}
	defer store.Close()
	var users []string
	for after := ""; ; after = users[len(users)-1] {
		page, err := store.Erased(ctx, after, erasedPage)
		if err != nil {
			return ErasedList{}, err
		}
		if users = append(users, page...); len(page) < erasedPage {
			out := newErased(keys, held.Position, users)
			return out, c.addRestored(keys, out)
		}
	}
}

// bareKeys are the keys that need nothing but the master key.
func (c *Config) bareKeys() (*session.Keyring, error) {
	master, err := c.findMasterKey()
	if err != nil {
		return nil, err
	}
	return session.NewKeyring(master, 0, c.publicURL(), c.Algorithm, c.policies())
}

// notItself fails if one of the lists is the backup that is to be restored, which
// knows of nobody who was erased since.
func notItself(from string, lists []string) error {
	backup, err := os.Stat(from)
	if err != nil {
		return err
	}
	for _, path := range lists {
		if info, err := os.Stat(path); err == nil && os.SameFile(backup, info) {
			return fmt.Errorf("%s: it is the backup itself, and cannot tell who was erased since", path)
		}
	}
	return nil
}

// readErased reads a list.
func readErased(keys *session.Keyring, path string) (ErasedList, error) {
	info, err := os.Stat(path)
	if err != nil {
		return ErasedList{}, err
	}
	if info.Size() > maxErased {
		return ErasedList{}, fmt.Errorf("%s: larger than a list of erased users may be", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return ErasedList{}, err
	}
	l, err := ParseErased(string(b))
	if err == nil && !bytes.Equal(l.Key, keys.Check()) {
		err = errors.New("it was made with another master key")
	}
	if err != nil {
		return ErasedList{}, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// NoErased, in place of a list, restores a backup although nobody can tell who
// was erased since.
const NoErased = "none"

var errErasedUnknown = errors.New("nobody can tell who was erased since this backup, since the database in its place is missing, damaged, older or another: give --erased with a list (sessiond users erased) or a later backup, or --erased none to bring back whoever was erased since")

// erasedSince gathers who was erased: from the database that is replaced, if it
// is a later state than the backup, from the lists that are given, and from those
// of earlier restores. Without one that is later than the backup it fails.
func (c *Config) erasedSince(ctx context.Context, keys *session.Keyring, r *sqlite.Replacement, lists []string) (ErasedList, error) {
	all := ErasedList{Key: keys.Check(), Position: r.New.Position, Marks: map[session.ErasureMark]bool{}}
	known := false
	add := func(l ErasedList, later bool) {
		maps.Copy(all.Marks, l.Marks)
		known = known || later
	}
	if r.OldErr == nil && keys.Made(r.Old.Meta) {
		l, later, err := erasedIn(ctx, keys, c.database(), r.New)
		if err != nil {
			return all, err
		}
		add(l, later)
	}
	for _, path := range lists {
		if path == NoErased {
			known = true
			continue
		}
		l, later, err := erasedIn(ctx, keys, path, r.New)
		if err != nil {
			return all, err
		}
		if !later {
			return all, fmt.Errorf("%s: it is older than the backup, or of another store", path)
		}
		add(l, later)
	}
	if err := c.addRestored(keys, all); err != nil {
		return all, err
	}
	if !known {
		return all, errErasedUnknown
	}
	return all, nil
}

// erasedIn tells who was erased by what a database or a list says, and whether it
// is later than a backup. Of a list its position alone tells.
func erasedIn(ctx context.Context, keys *session.Keyring, path string, backup sqlite.Contents) (l ErasedList, later bool, err error) {
	if !sqlite.IsDatabase(path) {
		l, err = readErased(keys, path)
		return l, l.Position >= backup.Position, err
	}
	held, later, users, err := sqlite.ErasedIn(ctx, path, backup)
	if err == nil && !keys.Made(held.Meta) {
		err = fmt.Errorf("%s: it was made with another master key", path)
	}
	return newErased(keys, held.Position, users), later, err
}

// addRestored adds the marks of earlier restores to a list: of those who were
// erased since and are not in what was restored there is no record.
func (c *Config) addRestored(keys *session.Keyring, to ErasedList) error {
	for _, path := range []string{c.eraseAgainPath(), c.erasedAgainPath()} {
		l, err := readErased(keys, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		maps.Copy(to.Marks, l.Marks)
	}
	return nil
}

// eraseAgainPath is the list of those whom the next start erases again, and
// erasedAgainPath what becomes of it then.
func (c *Config) eraseAgainPath() string  { return filepath.Join(c.Data, "erase_again") }
func (c *Config) erasedAgainPath() string { return filepath.Join(c.Data, "erased_again") }

// writeErased has the next start erase the users of a list, durably.
func (c *Config) writeErased(l ErasedList) error {
	if err := privatefile.Replace(c.eraseAgainPath(), []byte(l.String())); err != nil {
		return err
	}
	return syncFolder(c.eraseAgainPath())
}

// eraseAgain erases those whom a restore brought back, before anybody is served.
func (c *Config) eraseAgain(ctx context.Context, service *session.Service, log *slog.Logger) error {
	l, err := readErased(service.Keys(), c.eraseAgainPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := service.EraseAgain(ctx, l.Marks, session.Act{Operator: session.RootOperator, Reason: "erased before, and restored"})
	if err != nil {
		return fmt.Errorf("erasing again those whom the restore brought back: %w", err)
	}
	if log != nil {
		log.Warn("users erased again whom the restore brought back", "users", n)
	}
	if err := os.Rename(c.eraseAgainPath(), c.erasedAgainPath()); err != nil {
		return err
	}
	return syncFolder(c.erasedAgainPath())
}
