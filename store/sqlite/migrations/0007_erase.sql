-- A user's accounts, for when the user is erased.
CREATE INDEX accounts_user ON accounts (user_id);
