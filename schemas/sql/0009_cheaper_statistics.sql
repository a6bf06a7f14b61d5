-- Nobody asks for an item by the whole of what is shown of it, or by these others: their statistics would cost each ANALYZE
-- as much as all the rest.
ALTER TABLE media_items ALTER COLUMN item SET STATISTICS 0;
ALTER TABLE media_items ALTER COLUMN path_b64 SET STATISTICS 0;
ALTER TABLE media_items ALTER COLUMN src_partition SET STATISTICS 0;
ALTER TABLE media_items ALTER COLUMN src_offset SET STATISTICS 0;

-- As before, but that a word is looked at once, and not once for each item that has it.
CREATE OR REPLACE FUNCTION media_items_derive_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO media_counts
    SELECT library, storage_root, media_type, left(coalesce(category, ''), 200), left(coalesce(quality, ''), 200),
           belongs_to IS NOT NULL, count(*), sum(file_size::numeric)
    FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6;
    INSERT INTO media_additions
    SELECT library, storage_root, date_bin('1 hour', created_at, '2000-01-01Z'), count(*)
    FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3;
    INSERT INTO search_vocabulary
    SELECT word FROM (SELECT DISTINCT unnest(string_to_array(words, ' ')) AS word FROM media_items) AS w
    WHERE word ~ '^[a-z]{4,24}$';
END $$;
