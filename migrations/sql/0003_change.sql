-- The change feed (design: flow 2). Any write to a layer's table appends here
-- and notifies. A follower's position is a pg_snapshot: it reads what is
-- visible now and was not visible in its last snapshot, so that an early
-- commit arrives at once and a late one after, each once, whatever order the
-- transactions began in and whatever else runs in the cluster.

-- The log's identity, renewed by a restore; see catalog.change_identity().
CREATE TABLE catalog.change_log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Entries of transactions before this one may have been deleted.
    pruned_before xid8 NOT NULL DEFAULT '0'
);
INSERT INTO catalog.change_log DEFAULT VALUES;

CREATE TABLE catalog.change (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer text NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    operation text NOT NULL
        CHECK (operation IN ('insert', 'update', 'delete', 'truncate', 'catalog', 'unknown')),
    -- How many features the statement touched; null where that is not known.
    features bigint,
    -- Up to 256 features: [{"key": text, "old": [w,s,e,n]|null, "new": ...}],
    -- in the layer's storage CRS. Null above: then old_extent and new_extent.
    entries jsonb,
    old_extent double precision[] CHECK (cardinality(old_extent) = 4),
    new_extent double precision[] CHECK (cardinality(new_extent) = 4)
);
CREATE INDEX change_xid ON catalog.change (xid);

-- What makes this log this log: a new cluster, a promoted standby, another
-- database, a re-created table or a renewed id each change it.
CREATE FUNCTION catalog.change_identity() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws('-',
        (SELECT id FROM catalog.change_log),
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'catalog.change'::regclass::oid)
$$;

-- Statement trigger on a layer's table and each of its partitions.
-- Arguments: layer id, key column, geometry column.
-- SECURITY DEFINER: a writer needs no right on our schemas.
CREATE FUNCTION catalog.record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant integer := 256;
    layer constant text := TG_ARGV[0];
    touched bigint;
    entries jsonb;
    old_extent double precision[];
    new_extent double precision[];
    key_of_old constant text := 'o.' || quote_ident(TG_ARGV[1]);
    key_of_new constant text := 'n.' || quote_ident(TG_ARGV[1]);
    -- The envelope of one geometry as four numbers; null where there is none.
    envelope constant text := 'CASE WHEN public.ST_XMin(@) IS NULL THEN NULL ELSE '
        'ARRAY[public.ST_XMin(@), public.ST_YMin(@), public.ST_XMax(@), public.ST_YMax(@)] END';
    old_envelope constant text := replace(envelope, '@', 'o.' || quote_ident(TG_ARGV[2]));
    new_envelope constant text := replace(envelope, '@', 'n.' || quote_ident(TG_ARGV[2]));
    extent constant text := replace(envelope, '@', 's.e');
    extent_of constant text := ' FROM (SELECT public.ST_Extent(' || quote_ident(TG_ARGV[2]) || ')::public.box3d AS e FROM ';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO catalog.change (layer, operation) VALUES (layer, 'truncate');
        PERFORM pg_notify('lindero_change', layer);
        RETURN NULL;
    END IF;

    IF TG_OP = 'DELETE' THEN
        SELECT count(*) INTO touched FROM old_rows;
    ELSE
        SELECT count(*) INTO touched FROM new_rows;
    END IF;
    IF touched = 0 THEN
        RETURN NULL;
    END IF;

    IF touched <= most THEN
        IF TG_OP = 'INSERT' THEN
            EXECUTE 'SELECT jsonb_agg(jsonb_build_object(''key'', ' || key_of_new || '::text, ''new'', ' || new_envelope
                || ')) FROM new_rows AS n' INTO entries;
        ELSIF TG_OP = 'DELETE' THEN
            EXECUTE 'SELECT jsonb_agg(jsonb_build_object(''key'', ' || key_of_old || '::text, ''old'', ' || old_envelope
                || ')) FROM old_rows AS o' INTO entries;
        ELSE
            -- A key that changed is two entries: one leaves, one arrives.
            EXECUTE 'SELECT jsonb_agg(jsonb_build_object(''key'', coalesce(' || key_of_new || ', ' || key_of_old
                || ')::text, ''old'', ' || old_envelope || ', ''new'', ' || new_envelope
                || ')) FROM old_rows AS o FULL JOIN new_rows AS n ON ' || key_of_old || ' = ' || key_of_new
                INTO entries;
        END IF;
    ELSE
        IF TG_OP <> 'INSERT' THEN
            EXECUTE 'SELECT ' || extent || extent_of || 'old_rows) AS s' INTO old_extent;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            EXECUTE 'SELECT ' || extent || extent_of || 'new_rows) AS s' INTO new_extent;
        END IF;
    END IF;

    INSERT INTO catalog.change (layer, operation, features, entries, old_extent, new_extent)
    VALUES (layer, lower(TG_OP), touched, entries, old_extent, new_extent);
    PERFORM pg_notify('lindero_change', layer);
    RETURN NULL;
END
$$;

-- A change of the catalogue itself goes through the same log.
CREATE FUNCTION catalog.record_catalog_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed text := CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END;
BEGIN
    INSERT INTO catalog.change (layer, operation) VALUES (changed, 'catalog');
    PERFORM pg_notify('lindero_change', changed);
    RETURN NULL;
END
$$;
-- Not for the counts and extents, which follow the content.
CREATE TRIGGER record_catalog_change AFTER INSERT OR DELETE OR UPDATE OF
    definition, visibility, subject, sector, geometry_type, storage_srid ON catalog.layer
    FOR EACH ROW EXECUTE FUNCTION catalog.record_catalog_change();

GRANT SELECT ON catalog.change, catalog.change_log TO lindero_app, lindero_loader;
-- The loader prunes, renews the identity at a restore, and records what a
-- scheduled comparison found.
GRANT INSERT (layer, operation, features), DELETE ON catalog.change TO lindero_loader;
GRANT UPDATE ON catalog.change_log TO lindero_loader;
GRANT EXECUTE ON FUNCTION catalog.change_identity() TO lindero_app, lindero_loader;
