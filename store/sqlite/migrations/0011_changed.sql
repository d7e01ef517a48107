-- Which fields an operator's act changed, by their names.
ALTER TABLE records ADD COLUMN changed TEXT NOT NULL DEFAULT '';
