-- Accounts as an operator keeps them: one name whatever its letters' case, an e-mail address or none.
ALTER TABLE users
    DROP CONSTRAINT users_username_key,
    DROP CONSTRAINT users_email_key,
    ALTER COLUMN email DROP NOT NULL,
    ADD COLUMN configured_hash text;       -- argon2 of the configured password that was last applied (user `admin`)
CREATE UNIQUE INDEX users_name ON users (lower(username));
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- What every gateway asks for again and again: the sessions that were ended lately.
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
