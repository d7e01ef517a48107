-- An end is final. The trigger runs only for changes that name the end, so that
-- a refresh does not pay for it; no other statement may touch the end.
DROP TRIGGER ended_is_final;
CREATE TRIGGER ended_is_final BEFORE UPDATE OF ended_at, end_reason ON sessions WHEN OLD.ended_at <> 0
BEGIN SELECT RAISE(ABORT, 'ended is final'); END;

-- Positions never repeat: sweeping leaves the newest row. AUTOINCREMENT would
-- promise the same for a second write with each row.
CREATE TABLE events_2 (
  position   INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  reason     TEXT NOT NULL,
  min_gen    INTEGER NOT NULL
) STRICT;
INSERT INTO events_2 SELECT * FROM events;
DROP TABLE events;
ALTER TABLE events_2 RENAME TO events;

CREATE TABLE records_2 (
  position   INTEGER PRIMARY KEY,
  action     TEXT NOT NULL,
  at         INTEGER NOT NULL,
  session_id BLOB NOT NULL,
  subject_id TEXT NOT NULL,
  detail     TEXT NOT NULL,
  request_id TEXT NOT NULL
) STRICT;
INSERT INTO records_2 SELECT * FROM records;
DROP TABLE records;
ALTER TABLE records_2 RENAME TO records;
