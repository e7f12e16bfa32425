-- A column may be called as the row is in the functions that keep versions: its
-- value stood for the row then, and nothing could be written to that layer.
-- o.* is the row whatever its columns are called.
DO $do$
DECLARE
    keeping regprocedure;
BEGIN
    FOR keeping IN SELECT oid FROM pg_proc
        WHERE pronamespace = 'catalog'::regnamespace AND proname IN ('keep_update', 'keep_delete', 'keep_truncate')
    LOOP
        EXECUTE replace(pg_get_functiondef(keeping), 'catalog.attributes_of(o)', 'catalog.attributes_of(o.*)');
    END LOOP;
END
$do$;
