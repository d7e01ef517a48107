-- Rules that ended many sessions at once, and of each session the newest when it
-- was made.
ALTER TABLE sessions ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
CREATE TABLE cuts (
  number         INTEGER PRIMARY KEY,
  at             INTEGER NOT NULL,
  type           TEXT NOT NULL,
  created_before INTEGER NOT NULL,
  key_from       INTEGER NOT NULL,
  key_until      INTEGER NOT NULL
) STRICT;
