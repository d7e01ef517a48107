-- The roster of a pseudonym serves until its epoch is over.
ALTER TABLE rosters ADD COLUMN blocked_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rosters ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX rosters_until ON rosters (until) WHERE until <> 0;

-- What users have in the group of members. asked_at is 0 for those for whom
-- nothing waits.
CREATE TABLE members (
  user_id  TEXT PRIMARY KEY,
  version  INTEGER NOT NULL,
  current  BLOB NOT NULL,
  entered  INTEGER NOT NULL,
  leaving  INTEGER NOT NULL,
  next     BLOB NOT NULL,
  asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX members_waiting ON members (user_id) WHERE asked_at <> 0;

-- Whose each commitment is, current or next.
CREATE TABLE commitments (
  commitment BLOB PRIMARY KEY,
  user_id    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The group as it is published: its places in order, zeroes for one that was
-- left, and every snapshot of it.
CREATE TABLE places (
  place      INTEGER PRIMARY KEY,
  commitment BLOB NOT NULL
) STRICT;
CREATE TABLE snapshots (
  number INTEGER PRIMARY KEY,
  body   BLOB NOT NULL
) STRICT;

-- What happened to sessions of pseudonyms: in a log and a trail of their own, so
-- that no order tells what else happened then. The keys of records are a time of
-- whole five minutes, in seconds, and random bits: their order says nothing
-- within it.
CREATE TABLE anonymous_events (
  position   INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  reason     TEXT NOT NULL,
  min_gen    INTEGER NOT NULL
) STRICT;
CREATE TABLE anonymous_records (
  key        BLOB PRIMARY KEY,
  action     TEXT NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  detail     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
