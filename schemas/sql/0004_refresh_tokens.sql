-- Refresh tokens are signed and numbered in a line for each session; what is kept is the number that is wanted next.
-- The refresh tokens of before have none: who was signed in signs in again when the session token ends.
ALTER TABLE sessions
    DROP COLUMN refresh_hash,
    ADD COLUMN refresh_number integer NOT NULL DEFAULT 0,
    ADD COLUMN refreshed_at timestamptz NOT NULL DEFAULT now();

-- Covers are shown as long as an item has them.
CREATE INDEX media_items_cover ON media_items (cover_image) WHERE cover_image IS NOT NULL AND deleted_at IS NULL;
