-- Who signs in elsewhere. Somebody is an issuer and a subject there; names and addresses are only shown.
CREATE TABLE external_identities (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email      text,
    linked     boolean NOT NULL DEFAULT false, -- by an operator, who also says what the account may do
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX external_identities_user ON external_identities (user_id);

-- What a provider knows a session of ours by.
CREATE TABLE external_sessions (
    session_id    text PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
    issuer        text NOT NULL,
    subject       text NOT NULL,
    sid           text,                               -- the provider's own session, where it names one
    client_id     text,                               -- null: signed in here; else of the bearer tokens of this client
    refresh_token text,                               -- the provider's, encrypted by the gateway; null: it gave none
    asked_at      timestamptz NOT NULL DEFAULT now(), -- when the provider was last asked whether it still holds
    answered_at   timestamptz NOT NULL DEFAULT now()  -- and when it last said so
);
CREATE INDEX external_sessions_subject ON external_sessions (issuer, subject);
CREATE INDEX external_sessions_sid ON external_sessions (issuer, sid) WHERE sid IS NOT NULL;

-- A session that is refreshed for ever elsewhere ends here all the same. Null: by its refresh tokens alone.
ALTER TABLE sessions ADD COLUMN ends_at timestamptz;

-- Logout tokens that came: each counts once, and what was signed before it leads to no session any more.
CREATE TABLE external_logouts (
    issuer  text NOT NULL,
    jti     text NOT NULL,
    subject text,
    sid     text,
    at      timestamptz NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX external_logouts_at ON external_logouts (at);
