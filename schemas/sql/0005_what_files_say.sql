-- What people look for besides title and kind, and what is a part of another item: it is hidden unless it is asked for.
ALTER TABLE media_items
    ADD COLUMN artist     text,              -- of music: its own, else the album's
    ADD COLUMN album      text,
    ADD COLUMN author     text,              -- of books, read or read aloud
    ADD COLUMN series     text,              -- of books and comics, and the show of an episode
    ADD COLUMN date       text,              -- YYYY-MM-DD: when a photo was taken, when an episode was shown
    ADD COLUMN belongs_to bigint;            -- the item of which this poster, subtitle or file of facts is a part

UPDATE media_items SET
    artist = CASE WHEN media_type = 'audio' AND category IS DISTINCT FROM 'audiobook'
             THEN coalesce(item #>> '{analysis,found,tags,artist}', item #>> '{analysis,found,tags,album_artist}') END,
    album = CASE WHEN media_type = 'audio' THEN item #>> '{analysis,found,tags,album}' END,
    author = CASE WHEN media_type = 'book' OR category = 'audiobook'
             THEN item #>> '{analysis,found,tags,artist}' END,
    series = CASE WHEN category = 'comic' THEN item #>> '{analysis,found,tags,album}' END,
    date = item ->> 'date'
WHERE item #> '{analysis,found,tags}' IS NOT NULL OR item ? 'date';

CREATE INDEX media_items_artist ON media_items (lower(artist), id) WHERE artist IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_album ON media_items (lower(album), id) WHERE album IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_author ON media_items (lower(author), id) WHERE author IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_series ON media_items (lower(series), id) WHERE series IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_date ON media_items (date, id) WHERE date IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_parts ON media_items (belongs_to, id) WHERE belongs_to IS NOT NULL AND deleted_at IS NULL;
