-- The registry of professionals. Accounts and licences are JSON: they are read
-- and written with their entry. Whose an account or a licence is stands in a
-- table of its own, so that it is one entry's only.
ALTER TABLE sessions ADD COLUMN professional TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN actor TEXT NOT NULL DEFAULT '';

CREATE TABLE professionals (
  id       TEXT PRIMARY KEY,
  version  INTEGER NOT NULL,
  accounts TEXT NOT NULL,
  licences TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE professional_claims (
  claim        TEXT PRIMARY KEY, -- "account" or "licence", a colon and its name
  professional TEXT NOT NULL
) STRICT, WITHOUT ROWID;
