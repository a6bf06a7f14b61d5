-- Search: words of everything that names an item, folded so that case, accents and scripts' variants do not matter, found
-- through trigrams; facts that analysis finds as an array; counts that stand for `count(*)`. All of it is derived from the
-- rows of media_items by the database itself, in the transaction that writes them, so every writer keeps it right.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A text as words: lower case, no accents, Cyrillic and Greek in Latin letters, one space before, between and after.
-- pg_trgm sees letters of the database's own locale only (with LC_CTYPE=C: ASCII), so what is left of other scripts is
-- written as words of ASCII letters, four for each byte: `j`, then the byte's three octal digits as letters.
CREATE FUNCTION search_words(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text := lower(said);
    other text := '';
BEGIN
    IF octet_length(plain) <> length(plain) THEN
        plain := lower(regexp_replace(normalize(plain, NFKD),
                                      '[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]',
                                      '', 'g'));
        plain := replace(replace(replace(replace(plain, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
        plain := translate(plain,
            'øłđðıħŧ' || 'абвгдезиіїйклмнопрстуфхцчшщыэюяжёъь' || 'αβγδεζηθικλμνξοπρσςτυφχψω'
                || '–—‘’“”„«»…·•、。・「」『』【】〜',
            'olddiht' || 'abvgdeziiijklmnoprstufhccssyeuazeqq' || 'abgdeziqiklmnxoprsstufcyw'
                || '                      ');
        IF octet_length(plain) <> length(plain) THEN
            other := translate(regexp_replace(plain, '[\x01-\x7f]+', ' ', 'g'), '\', '');
            other := translate(encode(decode(other, 'escape'), 'escape'), '\01234567', 'jghqxvwzk');
            plain := regexp_replace(plain, '[^\x01-\x7f]+', ' ', 'g');
        END IF;
    END IF;
    -- one regular expression: translate() takes the text's length times the signs'
    plain := ' ' || regexp_replace(plain, '[^a-z0-9]+', ' ', 'g') || ' ' || other || ' ';
    RETURN replace(replace(replace(plain, '    ', ' '), '  ', ' '), '  ', ' ');
END $$;

-- What analysis found of an item and can be asked for word by word: `name=value`, in lower case.
CREATE FUNCTION search_facts(item jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    found jsonb := item #> '{analysis,found}';
    tags  jsonb;
    facts text[] := ARRAY[
        'season=' || (item ->> 'season'), 'episode=' || (item ->> 'episode'),
        'edition=' || lower(left(item ->> 'edition', 120)), 'forced=' || (item ->> 'forced'), 'sdh=' || (item ->> 'sdh'),
        'analysis=' || (item #>> '{analysis,status}')];
BEGIN
    IF jsonb_typeof(found) = 'object' THEN
        tags := found -> 'tags';
        facts := facts || ARRAY[
            'container=' || lower(left(found ->> 'container', 120)),
            'video_codec=' || lower(left(found ->> 'video_codec', 120)),
            'audio_codec=' || lower(left(found ->> 'audio_codec', 120)),
            'hdr=' || lower(left(found ->> 'hdr', 120)), 'hdr_kind=' || lower(left(found ->> 'hdr_kind', 120)),
            'frame_rate=' || left(found ->> 'frame_rate', 120), 'sample_rate=' || left(found ->> 'sample_rate', 120),
            'channels=' || left(found ->> 'channels', 120), 'camera=' || lower(left(found ->> 'camera', 120)),
            'lens=' || lower(left(found ->> 'lens', 120))];
        IF jsonb_typeof(tags) = 'object' THEN
            facts := facts || ARRAY[
                'genre=' || lower(left(tags ->> 'genre', 120)), 'composer=' || lower(left(tags ->> 'composer', 120)),
                'publisher=' || lower(left(tags ->> 'publisher', 120)),
                'narrator=' || lower(left(tags ->> 'narrator', 120)),
                'album_artist=' || lower(left(tags ->> 'album_artist', 120))];
        END IF;
        IF jsonb_typeof(found -> 'languages') = 'array' THEN
            facts := facts || ARRAY(SELECT DISTINCT 'language=' || lower(left(l, 120))
                                    FROM jsonb_array_elements_text(found -> 'languages') AS l);
        END IF;
        IF jsonb_typeof(found -> 'credits') = 'array' THEN
            facts := facts || ARRAY(SELECT DISTINCT 'person=' || lower(left(c ->> 'name', 120))
                                    FROM jsonb_array_elements(found -> 'credits') AS c);
        END IF;
    END IF;
    IF jsonb_typeof(item -> 'subtitle_languages') = 'array' THEN
        facts := facts || ARRAY(SELECT DISTINCT 'subtitle_language=' || lower(left(l, 120))
                                FROM jsonb_array_elements_text(item -> 'subtitle_languages') AS l);
    END IF;
    IF jsonb_typeof(item -> 'corrected') = 'array' THEN
        facts := facts || ARRAY(SELECT DISTINCT 'corrected=' || lower(left(c, 120))
                                FROM jsonb_array_elements_text(item -> 'corrected') AS c);
    END IF;
    RETURN array_remove(facts, NULL);
END $$;

ALTER TABLE media_items
    ADD COLUMN title_words text GENERATED ALWAYS AS (search_words(title)) STORED,
    ADD COLUMN words text GENERATED ALWAYS AS (search_words(
        title || ' ' || path || coalesce(' ' || artist, '') || coalesce(' ' || album, '') || coalesce(' ' || author, '')
        || coalesce(' ' || series, ''))) STORED,
    ADD COLUMN signs text[] GENERATED ALWAYS AS (
        string_to_array(regexp_replace(lower(title || path), '[a-z0-9 ]+', '', 'g'), NULL)) STORED,
    ADD COLUMN facts text[] GENERATED ALWAYS AS (
        ARRAY['root=' || left(storage_root, 200), 'library=' || left(library, 200), 'type=' || left(media_type, 200),
              'category=' || coalesce(left(category, 200), ''), 'quality=' || coalesce(left(quality, 200), '')]
        || search_facts(item)) STORED,
    ADD COLUMN duration double precision GENERATED ALWAYS AS ((item ->> 'duration')::double precision) STORED,
    ADD COLUMN width double precision GENERATED ALWAYS AS ((item #>> '{analysis,found,width}')::double precision) STORED,
    ADD COLUMN height double precision GENERATED ALWAYS AS ((item #>> '{analysis,found,height}')::double precision) STORED,
    ADD COLUMN bit_rate double precision GENERATED ALWAYS AS ((item #>> '{analysis,found,bit_rate}')::double precision) STORED,
    ADD COLUMN pages double precision GENERATED ALWAYS AS ((item #>> '{analysis,found,pages}')::double precision) STORED;

ALTER TABLE media_items ALTER COLUMN words SET STATISTICS 1000;  -- how much a word finds is told from them

-- One index for words and facts: what must have both is found there, and not row by row.
CREATE INDEX media_items_search ON media_items USING gin (words gin_trgm_ops, facts) WHERE deleted_at IS NULL;
CREATE INDEX media_items_signs ON media_items USING gin (signs) WHERE deleted_at IS NULL;
CREATE INDEX media_items_beginning ON media_items (left(title_words, 100) text_pattern_ops, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_library ON media_items (library, updated_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX media_items_category ON media_items (category, updated_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX media_items_year ON media_items (year DESC NULLS LAST, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_year_up ON media_items (year, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_rating ON media_items (rating DESC NULLS LAST, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_rating_up ON media_items (rating, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_size ON media_items (file_size DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX media_items_duration ON media_items (duration) WHERE duration IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_height ON media_items (height) WHERE height IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_width ON media_items (width) WHERE width IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_pages ON media_items (pages) WHERE pages IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX media_items_bit_rate ON media_items (bit_rate) WHERE bit_rate IS NOT NULL AND deleted_at IS NULL;

-- How many items there are and how large they are, of each kind that is asked for.
CREATE TABLE media_counts (
    library     text    NOT NULL,
    storage_root text   NOT NULL,
    media_type  text    NOT NULL,
    category    text    NOT NULL,           -- empty: none
    quality     text    NOT NULL,           -- empty: none
    part        boolean NOT NULL,           -- of another item
    items       bigint  NOT NULL,
    bytes       numeric NOT NULL,
    PRIMARY KEY (library, storage_root, media_type, category, quality, part)
);

-- How many of the items that are there came in each hour.
CREATE TABLE media_additions (
    library     text    NOT NULL,
    storage_root text   NOT NULL,
    hour        timestamptz NOT NULL,
    items       bigint  NOT NULL,
    PRIMARY KEY (library, storage_root, hour)
);

-- Every word that an item has or had, for what was typed wrong. None is taken out but by a rebuild: one too many finds nothing.
CREATE TABLE search_vocabulary (word text PRIMARY KEY);
CREATE INDEX search_vocabulary_near ON search_vocabulary USING gin (word gin_trgm_ops);

CREATE FUNCTION media_items_derive() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT *, 1 AS by FROM added'
        WHEN 'DELETE' THEN 'SELECT *, -1 AS by FROM removed'
        ELSE 'SELECT *, 1 AS by FROM added UNION ALL SELECT *, -1 AS by FROM removed'
    END;
BEGIN
    EXECUTE
        'WITH changed AS MATERIALIZED (
             SELECT library, storage_root, media_type, left(coalesce(category, ''''), 200) AS category,
                    left(coalesce(quality, ''''), 200) AS quality, belongs_to IS NOT NULL AS part, file_size,
                    date_bin(''1 hour'', created_at, ''2000-01-01Z'') AS hour, by
             FROM (' || changed || ') AS c WHERE deleted_at IS NULL
         ), counted AS (
             INSERT INTO media_counts AS t
             SELECT library, storage_root, media_type, category, quality, part, sum(by), sum(by * file_size::numeric)
             FROM changed GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(by) <> 0 OR sum(by * file_size::numeric) <> 0
             ORDER BY 1, 2, 3, 4, 5, 6
             ON CONFLICT (library, storage_root, media_type, category, quality, part)
             DO UPDATE SET items = t.items + EXCLUDED.items, bytes = t.bytes + EXCLUDED.bytes
         )
         INSERT INTO media_additions AS t
         SELECT library, storage_root, hour, sum(by) FROM changed GROUP BY 1, 2, 3 HAVING sum(by) <> 0 ORDER BY 1, 2, 3
         ON CONFLICT (library, storage_root, hour) DO UPDATE SET items = t.items + EXCLUDED.items';
    IF TG_OP <> 'DELETE' THEN
        EXECUTE
            'INSERT INTO search_vocabulary SELECT DISTINCT word FROM (
                 SELECT words FROM added' || CASE TG_OP WHEN 'UPDATE' THEN ' EXCEPT SELECT words FROM removed' ELSE '' END || '
             ) AS w, string_to_table(words, '' '') AS u(word)
             WHERE word ~ ''^[a-z]{4,24}$'' AND NOT EXISTS (SELECT FROM search_vocabulary AS v WHERE v.word = u.word)
             ORDER BY word ON CONFLICT DO NOTHING';
    END IF;
    RETURN NULL;
END $$;

-- The derived tables as the rows of media_items say, for when they are new.
CREATE FUNCTION media_items_derive_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO media_counts
    SELECT library, storage_root, media_type, left(coalesce(category, ''), 200), left(coalesce(quality, ''), 200),
           belongs_to IS NOT NULL, count(*), sum(file_size::numeric)
    FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6;
    INSERT INTO media_additions
    SELECT library, storage_root, date_bin('1 hour', created_at, '2000-01-01Z'), count(*)
    FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3;
    INSERT INTO search_vocabulary
    SELECT DISTINCT word FROM media_items, string_to_table(words, ' ') AS u(word) WHERE word ~ '^[a-z]{4,24}$';
END $$;

SELECT media_items_derive_all();
CREATE TRIGGER media_items_added AFTER INSERT ON media_items
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION media_items_derive();
CREATE TRIGGER media_items_changed AFTER UPDATE ON media_items
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION media_items_derive();
CREATE TRIGGER media_items_removed AFTER DELETE ON media_items
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION media_items_derive();
