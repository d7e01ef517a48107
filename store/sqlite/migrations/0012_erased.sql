-- Who was erased, for when an older state of the store is restored.
CREATE INDEX records_erased ON records (subject_id) WHERE action = 'user.erase';
