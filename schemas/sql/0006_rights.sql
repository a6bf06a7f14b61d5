-- What an account may see: names, or `*` for all. A root is seen when it is named or its library is.
ALTER TABLE users
    ALTER COLUMN password_hash DROP NOT NULL,  -- none: it signs in elsewhere
    ADD COLUMN channels      text[] NOT NULL DEFAULT '{*}',
    ADD COLUMN libraries     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN storage_roots text[] NOT NULL DEFAULT '{*}',
    ADD COLUMN rights_changed_at timestamptz;   -- null: never; what every gateway asks for again and again
CREATE INDEX users_rights_changed ON users (rights_changed_at) WHERE rights_changed_at IS NOT NULL;
COMMENT ON COLUMN users.role_id IS '1 administrator, 2 viewer, 3 operator';

-- Where a session was opened and how, for those who list them.
ALTER TABLE sessions
    ADD COLUMN method  text NOT NULL DEFAULT 'password',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent   text NOT NULL DEFAULT '';

-- Tokens of machines. What is kept is the SHA-256 of a random secret.
CREATE TABLE service_tokens (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    secret_hash bytea NOT NULL,
    role_id     integer NOT NULL,
    channels    text[] NOT NULL,
    libraries   text[] NOT NULL,
    storage_roots text[] NOT NULL,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz
);
CREATE UNIQUE INDEX service_tokens_name ON service_tokens (lower(name)) WHERE revoked_at IS NULL;
CREATE INDEX service_tokens_changed ON service_tokens (changed_at);

-- Tickets of sockets that were used: one is good once, at whichever gateway.
CREATE TABLE used_tickets (
    ticket     text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- Events of the audit log on their way to Kafka: written in the transaction that they tell of.
CREATE TABLE audit_outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   uuid NOT NULL DEFAULT gen_random_uuid(),
    event      jsonb NOT NULL
);
