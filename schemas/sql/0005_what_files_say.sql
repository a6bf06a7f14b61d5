-- What people look for besides title and kind, told from version 4 of the rules on; and what is a part of another item: it
-- is hidden unless it is asked for.
ALTER TABLE media_items
    ADD COLUMN artist     text,              -- of music: its own, else the album's
    ADD COLUMN album      text,
    ADD COLUMN author     text,              -- of books, read or read aloud
    ADD COLUMN series     text,              -- of books and comics
    ADD COLUMN date       text,              -- YYYY-MM-DD: when a photo was taken, when an episode was shown
    ADD COLUMN belongs_to bigint;            -- the item of which this poster, subtitle or file of facts is a part

UPDATE media_items SET date = item ->> 'date' WHERE item ? 'date';

CREATE INDEX media_items_artist ON media_items (lower(artist), id) WHERE artist IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_album ON media_items (lower(album), id) WHERE album IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_author ON media_items (lower(author), id) WHERE author IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_series ON media_items (lower(series), id) WHERE series IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_date ON media_items (date, id) WHERE date IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_parts ON media_items (belongs_to, id) WHERE belongs_to IS NOT NULL AND deleted_at IS NULL;
