-- The projector's tables: what the log says, as rows. Each row names the log position that wrote it
-- (src_partition, src_offset, of the topic that feeds the table), so that an older record never overwrites a newer one.
-- `text` columns hold displayable text; exact bytes of a path that is not UTF-8 are in `path_b64`.
-- Paths and titles may be longer than a btree entry (2704 bytes): paths are found through hash indexes.

CREATE TABLE sink_offset (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    epoch       text    NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE storage_roots (
    root        text PRIMARY KEY,
    library     text NOT NULL,
    site        text NOT NULL DEFAULT '',
    protocol    text NOT NULL DEFAULT 'local',
    location    text NOT NULL DEFAULT '',
    state       text NOT NULL,             -- declared, lost, back: the fold's word (topic changes)
    cause       text,
    epoch       text NOT NULL,
    changed_at  timestamptz NOT NULL,
    status      text NOT NULL DEFAULT 'healthy',  -- the status agent's word (topic system updates)
    message     text,
    details     jsonb,
    status_at   timestamptz,
    status_offset bigint NOT NULL DEFAULT -1,     -- of the system update that wrote the four above
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL
);

CREATE TABLE change_log (
    event_id    uuid PRIMARY KEY,
    library     text NOT NULL,
    root        text NOT NULL,
    kind        text NOT NULL,
    path        text,
    path_b64    text,
    from_root   text,
    from_path   text,
    from_path_b64 text,
    media_id    bigint,
    scan_id     bigint,
    type        text,
    size        bigint,
    settled     boolean,
    at          timestamptz NOT NULL,
    n           bigint NOT NULL,           -- x-n: dense per lane
    record      jsonb NOT NULL,            -- the change, complete
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (src_partition, src_offset)
);
CREATE INDEX change_log_path ON change_log USING hash (path) WHERE path IS NOT NULL;
CREATE INDEX change_log_from_path ON change_log USING hash (from_path) WHERE from_path IS NOT NULL;
CREATE INDEX change_log_media ON change_log (media_id, src_offset) WHERE media_id IS NOT NULL;
CREATE INDEX change_log_at ON change_log (at, src_partition, src_offset);

CREATE TABLE media_items (
    id          bigint PRIMARY KEY,
    library     text NOT NULL,
    storage_root text NOT NULL,
    path        text NOT NULL,
    path_b64    text,
    title       text NOT NULL,
    media_type  text NOT NULL,
    category    text,
    year        integer,
    quality     text,
    rating      double precision,
    file_size   bigint NOT NULL DEFAULT 0,
    cover_image text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    deleted_at  timestamptz,               -- a deleted item keeps its row; readers omit it
    item        jsonb NOT NULL,            -- the item as it is told to browsers, complete
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL
);
CREATE INDEX media_items_root ON media_items (storage_root, updated_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX media_items_path ON media_items USING hash (path);
CREATE INDEX media_items_updated ON media_items (updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_title ON media_items (left(lower(title), 200), id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_type ON media_items (media_type, updated_at DESC) WHERE deleted_at IS NULL;

-- Every file and directory that the catalogue knows, by place. One row per path; one that is gone keeps its
-- row with `deleted_at`, so that no replay shows it again; readers omit it.
CREATE TABLE media_files (
    root        text NOT NULL,
    place       bytea NOT NULL,            -- BLAKE2b-128 of the exact bytes of the path
    path        text NOT NULL,
    path_b64    text NOT NULL DEFAULT '',
    media_id    bigint,
    type        text NOT NULL,
    size        bigint NOT NULL,
    mtime_ns    bigint NOT NULL,
    fingerprint text,
    deleted_at  timestamptz,
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL,
    PRIMARY KEY (root, place)
);
CREATE INDEX media_files_path ON media_files USING hash (path);
CREATE INDEX media_files_media ON media_files (media_id);

CREATE TABLE analyses (
    analysis_id text PRIMARY KEY,
    media_id    bigint NOT NULL,
    status      text NOT NULL,
    reason      text,
    found       jsonb,
    at          timestamptz NOT NULL,
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL
);
CREATE INDEX analyses_media ON analyses (media_id, src_offset);

CREATE TABLE analysis_batches (
    event_id    uuid PRIMARY KEY,
    storage_root text,
    scan_id     bigint,
    items_processed bigint NOT NULL,
    items_identified bigint NOT NULL,
    items_failed bigint NOT NULL,
    duration_ms bigint NOT NULL,
    at          timestamptz NOT NULL,
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL
);

CREATE TABLE covers (
    hash        text PRIMARY KEY,
    mime        text NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    data        bytea NOT NULL,
    src_offset  bigint NOT NULL
);

CREATE TABLE scans (
    scan_id     bigint PRIMARY KEY,
    library     text NOT NULL,
    root        text NOT NULL,
    state       text NOT NULL,             -- started, finished, superseded
    origin      text NOT NULL,
    cause       text NOT NULL,
    subtree     text NOT NULL DEFAULT '',
    total       bigint,
    counts      jsonb,
    started_at  timestamptz,
    ended_at    timestamptz,
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL
);
CREATE INDEX scans_root ON scans (root, scan_id);

CREATE TABLE gaps (
    src_partition integer NOT NULL,
    src_offset  bigint NOT NULL,           -- of the change that opened it
    library     text NOT NULL,
    root        text NOT NULL,
    subtree     text NOT NULL DEFAULT '',
    cause       text NOT NULL,
    first_seq   bigint,
    last_seq    bigint,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    closed_offset bigint,                  -- of the change that closed it: the first one after
    counts      jsonb,
    PRIMARY KEY (src_partition, src_offset)
);

CREATE TABLE users (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username    text NOT NULL UNIQUE,
    email       text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role_id     integer NOT NULL DEFAULT 2,  -- 1 administrator, 2 user
    disabled    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    session_id  text PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_hash text NOT NULL,            -- SHA-256 of the refresh token, hex
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);
