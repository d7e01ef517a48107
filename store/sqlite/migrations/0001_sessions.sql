-- Times are unix milliseconds, 0 for none; durations are seconds. No table has
-- a secondary index: look-ups are by primary key, and sweeping goes by the time
-- that leads each key.
CREATE TABLE sessions (
  id            BLOB PRIMARY KEY,
  version       INTEGER NOT NULL,
  type          TEXT NOT NULL,
  subject_id    TEXT NOT NULL,
  chain         TEXT NOT NULL,
  address       TEXT NOT NULL,
  permissions   TEXT NOT NULL,
  device_label  TEXT NOT NULL,
  reporting     INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  auth_time     INTEGER NOT NULL,
  seen_keys     BLOB NOT NULL,
  token_life    INTEGER NOT NULL,
  idle_life     INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  absolute_end  INTEGER NOT NULL,
  last_activity INTEGER NOT NULL,
  generation    INTEGER NOT NULL,
  used_gen      INTEGER NOT NULL,
  min_gen       INTEGER NOT NULL,
  stepped_at    INTEGER NOT NULL,
  seed          BLOB NOT NULL,
  restore_epoch INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,
  end_reason    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ended_is_final BEFORE UPDATE ON sessions WHEN OLD.ended_at <> 0
BEGIN SELECT RAISE(ABORT, 'ended is final'); END;

CREATE TABLE rosters (
  subject_id TEXT PRIMARY KEY,
  version    INTEGER NOT NULL,
  sessions   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  account   TEXT PRIMARY KEY,
  user_id   TEXT NOT NULL,
  linked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE nonces (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  id          TEXT PRIMARY KEY,
  algorithm   TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  secret      BLOB NOT NULL,
  UNIQUE (algorithm, active_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  restore_epoch INTEGER NOT NULL,
  key_check     BLOB,
  running       INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, NULL, 0);

CREATE TABLE events (
  position   INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  reason     TEXT NOT NULL,
  min_gen    INTEGER NOT NULL
) STRICT;

CREATE TABLE records (
  position   INTEGER PRIMARY KEY AUTOINCREMENT,
  action     TEXT NOT NULL,
  at         INTEGER NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  detail     TEXT NOT NULL,
  request_id TEXT NOT NULL
) STRICT;
