package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/token"
)

// shape says what may stand in a column; nil for yes.
type shape func(any) error

// decided is what each table may tell of anonymous sessions, column by column.
// PRI-02: whoever adds a table or a column decides here, and the decision is to
// be defended: nothing that tells who somebody is, when to less than five
// minutes, or in which order.
var decided = map[string]struct {
	// mine reports whether a row is about a pseudonym. Nil: no row ever is, and
	// nothing of a pseudonym stands in the table.
	mine    func(row map[string]any) bool
	columns map[string]shape
}{
	"sessions": {
		func(row map[string]any) bool { return row["type"] == "anonymous" },
		map[string]shape{
			"id":            anonymousID,
			"version":       between(1, 20),
			"type":          text("anonymous"),
			"subject_id":    pseudonym,
			"chain":         text(""),
			"address":       text(""),
			"permissions":   text(strings.Join(session.DefaultPolicies()[session.Anonymous].Permissions, " ")),
			"device_label":  text(""),
			"reporting":     between(0, 1),
			"created_at":    coarse,
			"auth_time":     coarse,
			"seen_keys":     blob(0),
			"token_life":    seconds(10*time.Minute, 4*time.Hour),
			"idle_life":     seconds(35*time.Minute, 35*time.Minute),
			"expires_at":    coarse,
			"absolute_end":  coarse,
			"last_activity": coarse,
			"generation":    between(1, 20),
			"used_gen":      between(0, 20),
			"min_gen":       between(1, 20),
			"stepped_at":    coarse, // once it is two minutes old
			"seed":          blob(32),
			"restore_epoch": between(0, 0),
			"ended_at":      coarseOrNever,
			"end_reason":    text("", "logout", "limit", "idle_timeout", "session_ended", "refresh_reuse", "revoked"),
			"channel":       text("header"),
			"professional":  text(""),
			"cut":           between(0, 0), // how many rules had ended many, which everybody has in common
		},
	},
	"rosters": {
		func(row map[string]any) bool { return strings.HasPrefix(row["subject_id"].(string), "anon_") },
		map[string]shape{
			"subject_id":    pseudonym,
			"version":       between(1, 1000),
			"sessions":      anonymousIDs,
			"blocked_until": between(0, 0),
			"until":         epochEnd,
		},
	},
	"anonymous_events": {
		always,
		map[string]shape{
			"position":   between(1, 10_000), // of its own log, and swept after ten minutes
			"kind":       text("session.created", "session.ended"),
			"at":         coarse,
			"session_id": anonymousID,
			"subject_id": pseudonym,
			"reason":     text("", "logout", "limit"),
			"min_gen":    between(1, 20),
		},
	},
	"anonymous_records": {
		always,
		map[string]shape{
			"key":        bucketKey,
			"action":     text("session.create", "session.refresh", "session.end"),
			"session_id": anonymousID,
			"subject_id": pseudonym,
			"detail":     text("", "logout", "limit"),
			"actor":      text(""), // an operator who blocked it
		},
	},
	"snapshots": {
		always,
		map[string]shape{"number": between(0, 1000), "body": snapshotJSON},
	},
	// The keys of challenges for members and pseudonyms are of whole five minutes;
	// which those are is not stored, so that the test must know them itself.
	"nonces": {nil, map[string]shape{"key": nil}},
	// The group: what each place holds, and whose it is, is known by design.
	"places":      {nil, map[string]shape{"place": nil, "commitment": nil}},
	"members":     {nil, map[string]shape{"user_id": nil, "version": nil, "current": nil, "entered": nil, "leaving": nil, "next": nil, "asked_at": coarseOrNever}},
	"commitments": {nil, map[string]shape{"commitment": nil, "user_id": nil}},
	// Of people under their names, and of the service itself.
	"accounts": {nil, map[string]shape{"account": nil, "user_id": nil, "linked_at": nil}},
	"events":   {nil, map[string]shape{"position": nil, "kind": nil, "at": nil, "session_id": nil, "subject_id": nil, "reason": nil, "min_gen": nil}},
	"records":  {nil, map[string]shape{"position": nil, "action": nil, "at": nil, "session_id": nil, "subject_id": nil, "detail": nil, "request_id": nil, "actor": nil, "changed": nil}},
	"keys":     {nil, map[string]shape{"id": nil, "algorithm": nil, "created_at": nil, "active_from": nil, "secret": nil}},
	// The registry: licences, and accounts of those who hold them.
	"professionals":       {nil, map[string]shape{"id": nil, "version": nil, "accounts": nil, "licences": nil, "review": nil}},
	"professional_claims": {nil, map[string]shape{"claim": nil, "professional": nil}},
	"cuts":                {nil, map[string]shape{"number": nil, "at": nil, "type": nil, "created_before": nil, "key_from": nil, "key_until": nil, "created_from": nil}},
	"operators":           {nil, map[string]shape{"id": nil, "version": nil, "name": nil, "role": nil, "key_hash": nil, "created_at": nil, "revoked_at": nil}},
	// SQLite's own; nothing counts in it.
	"sqlite_sequence": {nil, map[string]shape{"name": text(), "seq": text()}},
	"meta":            {nil, map[string]shape{"one": nil, "restore_epoch": nil, "key_check": nil, "running": nil}},
}

// undecided returns what a database holds that nobody has decided about, or
// otherwise than was decided, and how many rows are about pseudonyms.
func undecided(tables []table) (found []string, rows int) {
	told := map[string]bool{}
	tell := func(format string, args ...any) {
		if line := fmt.Sprintf(format, args...); !told[line] {
			told[line], found = true, append(found, line)
		}
	}
	for _, tb := range tables {
		d, ok := decided[tb.name]
		if !ok {
			tell("nobody has decided what the table %s may tell of anonymous sessions", tb.name)
			continue
		}
		for _, c := range tb.columns {
			if _, ok := d.columns[c]; !ok {
				tell("nobody has decided what %s.%s may tell of anonymous sessions", tb.name, c)
			}
		}
		if len(tb.columns) < len(d.columns) {
			tell("%s has fewer columns than were decided about", tb.name)
		}
		for _, values := range tb.rows {
			row := map[string]any{}
			for i, c := range tb.columns {
				row[c] = values[i]
			}
			mine := d.mine != nil && d.mine(row)
			if mine {
				rows++
			}
			for c, v := range row {
				if f := d.columns[c]; f != nil && (mine || d.mine == nil) {
					if err := f(v); err != nil {
						tell("%s.%s: %v", tb.name, c, err)
					}
				}
			}
		}
	}
	return found, rows
}

func always(map[string]any) bool { return true }

func text(words ...string) shape {
	return func(v any) error {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return fmt.Errorf("%q is none of %q", v, words)
		}
		return nil
	}
}

func between(low, high int64) shape {
	return func(v any) error {
		if n, ok := v.(int64); !ok || n < low || n > high {
			return fmt.Errorf("%v is not between %d and %d", v, low, high)
		}
		return nil
	}
}

func seconds(low, high time.Duration) shape {
	return func(v any) error {
		n, ok := v.(int64)
		if d := time.Duration(n) * time.Second; !ok || d < low || d > high || d%anonymous.Coarse != 0 {
			return fmt.Errorf("%v seconds are not whole five minutes between %s and %s", v, low, high)
		}
		return nil
	}
}

func blob(length int) shape {
	return func(v any) error {
		if b, ok := v.([]byte); !ok && length > 0 || len(b) != length {
			return fmt.Errorf("%v is not %d bytes", v, length)
		}
		return nil
	}
}

func coarse(v any) error {
	if ms, ok := v.(int64); !ok || ms <= 0 || ms%anonymous.Coarse.Milliseconds() != 0 {
		return fmt.Errorf("%v is finer than five minutes", v)
	}
	return nil
}

func coarseOrNever(v any) error {
	if v == int64(0) {
		return nil
	}
	return coarse(v)
}

func epochEnd(v any) error {
	ms, _ := v.(int64)
	at := time.UnixMilli(ms)
	if e := (anonymous.Epochs{}); !e.Start(e.Epoch(at)).Equal(at) {
		return fmt.Errorf("%s is no epoch's end", at)
	}
	return nil
}

var pseudonymForm = regexp.MustCompile(`^anon_[a-z2-7]{32}$`)

func pseudonym(v any) error {
	if s, ok := v.(string); !ok || !pseudonymForm.MatchString(s) {
		return fmt.Errorf("%q is no pseudonym", v)
	}
	return nil
}

func anonymousID(v any) error {
	b, _ := v.([]byte)
	id, err := token.IDFromBytes(b)
	if err != nil || id.Kind() != token.Anonymous || id.Time().Unix()%int64(anonymous.Coarse/time.Second) != 0 {
		return fmt.Errorf("%x is no anonymous session's id", b)
	}
	return nil
}

func anonymousIDs(v any) error {
	b, _ := v.([]byte)
	for id := range slices.Chunk(b, 21) {
		if err := anonymousID(id); err != nil {
			return err
		}
	}
	return nil
}

// bucketKey is a time of whole five minutes, in seconds, and 128 random bits.
func bucketKey(v any) error {
	b, _ := v.([]byte)
	if len(b) != 20 || keySeconds(b)%uint32(anonymous.Coarse/time.Second) != 0 {
		return fmt.Errorf("%x is finer than five minutes", b)
	}
	return nil
}

func snapshotJSON(v any) error {
	b, _ := v.([]byte)
	s := struct {
		Number    *uint64   `json:"number"`
		Root      string    `json:"root"`
		Size      int       `json:"size"`
		Epoch     uint64    `json:"epoch"`
		CreatedAt time.Time `json:"created_at"`
		Previous  string    `json:"previous"`
		Signature string    `json:"signature"`
	}{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return err
	}
	return coarse(s.CreatedAt.UnixMilli())
}
