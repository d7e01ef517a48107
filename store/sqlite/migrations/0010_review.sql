-- Entries of the registry that nobody has confirmed since a restore.
ALTER TABLE professionals ADD COLUMN review INTEGER NOT NULL DEFAULT 0;
CREATE INDEX professionals_review ON professionals (id) WHERE review <> 0;
