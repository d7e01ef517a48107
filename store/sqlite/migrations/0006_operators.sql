-- Who may act on others. Of a key its hash alone is kept; one that was revoked
-- stays revoked, whatever is written.
CREATE TABLE operators (
  id         TEXT PRIMARY KEY,
  version    INTEGER NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  key_hash   BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER revoked_is_final BEFORE UPDATE ON operators WHEN OLD.revoked_at <> 0 BEGIN
  SELECT RAISE(ABORT, 'a revoked key is revoked for ever');
END;

ALTER TABLE anonymous_records ADD COLUMN actor TEXT NOT NULL DEFAULT '';
