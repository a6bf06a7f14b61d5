-- New words are written by one transaction at a time: two that met the same ones in another order, for a transaction writes
-- items by several statements, waited for each other until one of them was ended. The lock is the transaction's, is taken
-- only where there are new words, and is that of the table, so that a rebuild beside it holds nobody up.
CREATE OR REPLACE FUNCTION media_items_derive() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT *, 1 AS by FROM added'
        WHEN 'DELETE' THEN 'SELECT *, -1 AS by FROM removed'
        ELSE 'SELECT *, 1 AS by FROM added UNION ALL SELECT *, -1 AS by FROM removed'
    END;
    new_words text[];
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
            'SELECT array_agg(DISTINCT word) FROM (
                 SELECT words FROM added' || CASE TG_OP WHEN 'UPDATE' THEN ' EXCEPT SELECT words FROM removed' ELSE '' END || '
             ) AS w, string_to_table(words, '' '') AS u(word)
             WHERE word ~ ''^[a-z]{4,24}$'' AND NOT EXISTS (SELECT FROM search_vocabulary AS v WHERE v.word = u.word)'
        INTO new_words;
        IF new_words IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(7827310, to_regclass('search_vocabulary')::oid::integer);
            INSERT INTO search_vocabulary SELECT unnest(new_words) ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    RETURN NULL;
END $$;
