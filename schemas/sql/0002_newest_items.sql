-- The newest items first: what a page asks for when it opens.
CREATE INDEX media_items_created ON media_items (created_at DESC, id) WHERE deleted_at IS NULL;
