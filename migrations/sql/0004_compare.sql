-- What triggers cannot see (views, foreign tables, logical replication) is
-- found by comparing a digest of the whole table now and then.
ALTER TABLE catalog.layer
    ADD COLUMN content_digest text,
    ADD COLUMN compared_at timestamptz;
COMMENT ON COLUMN catalog.layer.compared_at IS
    'When its content was last compared: changes are known as of then. Null where triggers record them.';
