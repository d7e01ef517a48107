-- A session's secrets travel by one channel: header or cookie.
ALTER TABLE sessions ADD COLUMN channel TEXT NOT NULL DEFAULT 'header';
