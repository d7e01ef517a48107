package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/store/sqlite"
)

// Verdict is what a check came to.
type Verdict string

// A warning asks for a look; with a problem the server does not start, does not
// serve, or is about to stop.
const (
	Fine    Verdict = "ok"
	Warning Verdict = "warning"
	Problem Verdict = "problem"
)

// Finding is one check of Examine: what was found and what to do. It holds no
// secret.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"`
}

// Examination says how to examine.
type Examination struct {
	Quick   bool     // does not read every page of the database
	Running bool     // a server must answer
	Only    []string // only these checks; all when empty
	Fault   error    // why the configuration could not be read
}

// checks are the doctor's, in the order in which they are told.
var checks = []struct {
	name string
	look func(*doctor) Finding
}{
	{"configuration", (*doctor).configuration},
	{"folder", (*doctor).folder},
	{"master_key", (*doctor).masterKey},
	{"restore_epoch", (*doctor).restoreEpoch},
	{"database", (*doctor).database},
	{"registry", (*doctor).registry},
	{"reserve", (*doctor).reserve},
	{"disk", (*doctor).disk},
	{"write_latency", (*doctor).latency},
	{"clock", (*doctor).clock},
	{"certificate", (*doctor).certificate},
	{"server", (*doctor).server},
}

// Checks are the names of what Examine looks at.
func Checks() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

type doctor struct {
	Config
	Examination
	ctx   context.Context
	held  sqlite.Contents // what the database holds
	fault error           // or why that cannot be told; fs.ErrNotExist without one
}

// Examine looks at everything a server stands on, beside a running one or not.
// It repairs nothing and leaves nothing behind. A configuration that cannot be read is
// all it can tell of.
func Examine(ctx context.Context, c Config, e Examination) ([]Finding, error) {
	for _, name := range e.Only {
		if !slices.Contains(Checks(), name) {
			return nil, fmt.Errorf("there is no check %q: %s", name, strings.Join(Checks(), ", "))
		}
	}
	d := &doctor{Config: c, Examination: e, ctx: ctx}
	chosen := func(names ...string) bool {
		return len(e.Only) == 0 || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(e.Only, n) })
	}
	if e.Fault == nil && chosen("database", "master_key", "restore_epoch", "registry", "clock", "disk") {
		if _, d.fault = os.Stat(c.database()); d.fault == nil {
			d.held, d.fault = sqlite.Inspect(ctx, c.database(), !e.Quick && chosen("database"))
		}
	}
	var out []Finding
	for i, check := range checks {
		if i > 0 && e.Fault != nil {
			break
		}
		if chosen(check.name) || e.Fault != nil {
			f := check.look(d)
			f.Check = check.name
			out = append(out, f)
		}
	}
	return out, ctx.Err()
}

func fine(format string, args ...any) Finding {
	return Finding{Verdict: Fine, Found: fmt.Sprintf(format, args...)}
}

func warning(do, format string, args ...any) Finding {
	return Finding{Verdict: Warning, Found: fmt.Sprintf(format, args...), Do: do}
}

func problem(do, format string, args ...any) Finding {
	return Finding{Verdict: Problem, Found: fmt.Sprintf(format, args...), Do: do}
}

func (d *doctor) configuration() Finding {
	if d.Fault != nil {
		return problem("mend the file; sessiond config prints every setting", "%v", d.Fault)
	}
	if err := d.Check(); err != nil {
		return problem("mend this setting; sessiond config explains it", "%v", err)
	}
	if d.Dev {
		return warning("never on a real host", "dev: plain http is allowed, limits are off")
	}
	return fine("%s, profile %s", d.publicURL(), d.Profile)
}

func (d *doctor) folder() Finding {
	info, err := os.Stat(d.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warning("the first start makes it", "%s is not there", d.Data)
	case err != nil:
		return problem("look at the path and who may enter it", "%v", err)
	case !info.IsDir():
		return problem("name a folder", "%s is no folder", d.Data)
	case info.Mode().Perm()&0o022 != 0:
		return problem("chmod 0700", "%s has mode %04o: others can put files into it", d.Data, info.Mode().Perm())
	}
	of, known := owner(info)
	entries, err := os.ReadDir(d.Data)
	if err != nil {
		return problem("run this as the user of the server", "%v", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "sessions.db") && e.Name() != "master.key" && e.Name() != "restore_epoch" {
			continue
		}
		in, err := e.Info()
		if err != nil {
			continue // it was SQLite's, and is gone
		}
		if who, ok := owner(in); ok && who != of {
			return problem("give it to the folder's user with chown", "%s belongs to user %d, the folder to %d", e.Name(), who, of)
		}
		if e.Name() != "restore_epoch" && in.Mode().Perm()&0o077 != 0 {
			return problem("chmod 0600", "%s has mode %04o: others can read it", e.Name(), in.Mode().Perm())
		}
	}
	if known && of != os.Geteuid() {
		return warning("run sessiond's commands as that user", "%s belongs to user %d, and this runs as %d", d.Data, of, os.Geteuid())
	}
	if info.Mode().Perm()&0o055 != 0 {
		return warning("chmod 0700", "%s has mode %04o", d.Data, info.Mode().Perm())
	}
	return fine("%s, mode %04o", d.Data, info.Mode().Perm())
}

func (d *doctor) masterKey() Finding {
	from := d.masterKeyPath()
	if d.MasterKey != "" {
		from = "SESSIOND_MASTER_KEY"
	}
	key, err := d.findMasterKey()
	switch {
	case errors.Is(err, fs.ErrNotExist) && errors.Is(d.fault, fs.ErrNotExist) && d.MasterKeyFile == "":
		return warning("the first start makes it: back it up then, apart from the database", "%s is not there, nor is a database", from)
	case errors.Is(err, fs.ErrNotExist):
		return problem("put it back: without it every session and signing key is lost", "%s is not there", from)
	case err != nil:
		return problem("mend it", "%v", err)
	case errors.Is(d.fault, fs.ErrNotExist):
		return fine("%s; there is no database yet", from)
	case d.fault != nil:
		return warning("see database", "%s; the database cannot tell whether it is right", from)
	}
	keys, err := session.NewKeyring(key, 0, d.publicURL(), d.Algorithm, d.policies())
	if err != nil {
		return problem("mend the configuration", "%v", err)
	}
	if d.held.Meta.KeyCheck != nil && !keys.Made(d.held.Meta) {
		return problem("put the right key back, or the database that belongs to this one", "%s is not the key that the database was made with", from)
	}
	return fine("%s, right for the database", from)
}

func (d *doctor) restoreEpoch() Finding {
	n, err := d.Config.restoreEpoch()
	switch stored := d.held.Meta.RestoreEpoch; {
	case err != nil:
		return problem("write a number", "%v", err)
	case d.fault != nil:
		return fine("%d; there is no database to hold it against", n)
	case n < stored:
		return problem(fmt.Sprintf("set it to %d: an older configuration or folder was put beside a newer database", stored), "%d is below the database's %d: the server does not start", n, stored)
	case n > stored:
		return warning("none, if a backup was restored; else put it back before the start", "%d is above the database's %d: the next start ends every session", n, stored)
	default:
		return fine("%d", n)
	}
}

func (d *doctor) database() Finding {
	switch {
	case errors.Is(d.fault, fs.ErrNotExist):
		return warning("the first start makes it", "%s is not there", d.Config.database())
	case d.fault != nil:
		return problem("stop the server, keep a copy of the folder, and restore a backup (sessiond restore)", "%v", d.fault)
	}
	h := d.held
	found := fmt.Sprintf("schema %d, %d sessions (%d open), %d records, %s, log %s", h.Schema, h.Sessions, h.Open, h.Records, mebibytes(h.Bytes), mebibytes(h.WAL))
	if d.Quick {
		found += ", not read whole"
	}
	if h.WAL > 2*sqlite.MaxWAL {
		return warning("look for a command that has had the database open for long", "%s", found)
	}
	if h.Schema < h.Newest {
		found += fmt.Sprintf("; the next start brings it to schema %d", h.Newest)
	}
	return fine("%s", found)
}

// registry tells how many professionals wait for review since a restore.
func (d *doctor) registry() Finding {
	switch {
	case errors.Is(d.fault, fs.ErrNotExist):
		return fine("there is none yet")
	case d.fault != nil:
		return warning("see database", "the database cannot tell")
	case d.held.Review > 0:
		return warning("look at them with sessiond professionals list --review, then sessiond professionals confirm",
			"%d professionals wait for review since a restore, and cannot sign in as such", d.held.Review)
	}
	return fine("nobody waits for review")
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func (d *doctor) reserve() Finding {
	path := d.Config.database() + ".reserve"
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warning("the next start makes it", "%s is not there: on a full disk nobody could log out", path)
	case err != nil:
		return problem("look at who may read it", "%v", err)
	case info.Size() < sqlite.ReserveSize:
		return problem(fmt.Sprintf("make room: the server takes it again by itself once %s are free", mebibytes(sqlite.RoomNeeded)), "%s is given up: the disk was full", path)
	}
	if n, ok := allocated(info); ok && n < sqlite.ReserveSize {
		return warning("remove it and restart the server, which makes it anew", "%s holds only %s: a copy left its space out", path, mebibytes(n))
	}
	return fine("%s", mebibytes(info.Size()))
}

func (d *doctor) disk() Finding {
	free, err := freeSpace(d.existing())
	if err != nil {
		return warning("", "%v", err)
	}
	switch {
	case free < sqlite.RoomNeeded:
		return problem("make room: the server only ends sessions and takes rights away", "%s are free", mebibytes(free))
	case free < max(1<<30, 2*d.held.Bytes):
		return warning("make room: a restore needs a second copy, and the log some space", "%s are free", mebibytes(free))
	}
	return fine("%s are free", mebibytes(free))
}

// existing is the data folder, or what is there of its path.
func (d *doctor) existing() string {
	path, err := filepath.Abs(d.Data)
	if err != nil {
		return d.Data
	}
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

const (
	latencyWrites = 21
	slowWrite     = 50 * time.Millisecond
)

// latency measures what each commit waits for.
func (d *doctor) latency() Finding {
	if _, err := os.Stat(d.Data); errors.Is(err, fs.ErrNotExist) {
		return warning("", "there is no folder to write to")
	}
	f, err := os.CreateTemp(d.Data, ".doctor-*")
	if err != nil {
		return problem("run this as the user of the server, or make the folder writable for it", "%v", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took := make([]time.Duration, latencyWrites)
	block := make([]byte, 4096)
	for i := range took {
		began := time.Now()
		if _, err = f.Write(block); err == nil {
			err = f.Sync()
		}
		if err != nil {
			return problem("look at the disk", "%v", err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	median := took[len(took)/2]
	found := fmt.Sprintf("%.1f ms for a durable write (median of %d)", float64(median)/float64(time.Millisecond), len(took))
	if median > slowWrite {
		return warning("use a disk that syncs faster: each sign-in, refresh and logout waits for it", "%s", found)
	}
	return fine("%s", found)
}

// skew is how far ahead of the clock a record may be.
const skew = time.Minute

func (d *doctor) clock() Finding {
	now := d.now()
	if ahead := d.held.NewestRecord.Sub(now); d.fault == nil && ahead > skew {
		return problem("set the clock; see docs/decisions/2026-11-25-clocks.md", "it shows %s, and the newest record is %v ahead", now.UTC().Format(time.RFC3339), ahead.Round(time.Second))
	}
	switch synchronised, known := clockState(); {
	case !known:
		return fine("%s; this system does not tell whether it is synchronised", now.UTC().Format(time.RFC3339))
	case !synchronised:
		return warning("run chrony or systemd-timesyncd", "%s; the kernel does not count it as synchronised", now.UTC().Format(time.RFC3339))
	}
	return fine("%s, synchronised", now.UTC().Format(time.RFC3339))
}

// renewBy is how many days before its end a certificate should be renewed.
const renewBy = 14

func (d *doctor) certificate() Finding {
	if d.TLSCert == "" {
		return fine("none: plain HTTP, for a proxy in front")
	}
	pair, err := tls.LoadX509KeyPair(d.TLSCert, d.TLSKey)
	if err != nil {
		return problem("put a chain and its key there, in PEM", "%v", err)
	}
	left := pair.Leaf.NotAfter.Sub(d.now())
	found := fmt.Sprintf("%s, until %s", strings.Join(pair.Leaf.DNSNames, " "), pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	switch {
	case left <= 0:
		return problem("renew it: the server takes the new files up within a minute", "%s: it has expired", found)
	case d.now().Before(pair.Leaf.NotBefore):
		return problem("look at the clock", "%s: it is not valid before %s", found, pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	if u, err := url.Parse(d.publicURL()); err == nil {
		if err := pair.Leaf.VerifyHostname(u.Hostname()); err != nil {
			return warning("use one that names the public URL's host, unless a proxy has it", "%s: %v", found, err)
		}
	}
	if info, err := os.Stat(d.TLSKey); err == nil && info.Mode().Perm()&0o004 != 0 {
		return warning("chmod 0600", "%s has mode %04o: everybody can read it", d.TLSKey, info.Mode().Perm())
	}
	days := int(left / (24 * time.Hour))
	if days < renewBy {
		return warning("renew it: the server takes the new files up within a minute", "%s: %d days left", found, days)
	}
	return fine("%s: %d days left", found, days)
}

// server asks the listener whether it is ready.
func (d *doctor) server() Finding {
	host, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return problem("mend this setting", "listen: %v", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	at := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/readyz"}
	// Nothing secret is sent, and the certificate has a check of its own.
	client := &http.Client{Timeout: 6 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	if d.TLSCert != "" {
		at.Scheme = "https"
	}
	req, err := http.NewRequestWithContext(d.ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return problem("mend listen", "%v", err)
	}
	res, err := client.Do(req)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial" && d.Running:
		return problem("start it", "none answers on %s", d.Listen)
	case errors.As(err, &dial) && dial.Op == "dial":
		return fine("none on %s", d.Listen)
	case err != nil:
		return problem("look at what listens there, and at its log", "%v", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return problem("look at its log", "%s answers %d", at.String(), res.StatusCode)
	}
	return fine("ready on %s", d.Listen)
}
