-- A cut may spare sessions that were made before a time.
ALTER TABLE cuts ADD COLUMN created_from INTEGER NOT NULL DEFAULT 0;
