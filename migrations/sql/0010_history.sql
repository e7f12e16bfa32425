-- History: what every feature of a managed layer was, until when, and who
-- changed it. The layer's table has what is now; here is what was.

ALTER TABLE catalog.layer ADD COLUMN history_since timestamptz;
COMMENT ON COLUMN catalog.layer.history_since IS 'Since when its versions are kept; null where they are not.';

-- Who writes, from where and why: one row a transaction.
CREATE TABLE catalog.changeset (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- 'database': past us, by psql or QGIS.
    source text NOT NULL CHECK (source IN ('api', 'import', 'database')),
    account uuid,
    account_name text NOT NULL DEFAULT '',
    address inet,
    request text NOT NULL DEFAULT '',
    reason text,
    database_role text NOT NULL DEFAULT session_user,
    application text NOT NULL DEFAULT current_setting('application_name', true)
);
-- By time too: a restored database begins its transactions' numbers anew.
CREATE INDEX changeset_xid ON catalog.changeset (xid, at);
GRANT SELECT, INSERT (source, account, account_name, address, request, reason) ON catalog.changeset
    TO lindero_app, lindero_loader;

CREATE TABLE catalog.feature_version (
    municipality text NOT NULL,
    layer text NOT NULL,
    feature bigint NOT NULL,
    -- 1, 2, 3 ...
    version integer NOT NULL CHECK (version > 0),
    operation text NOT NULL CHECK (operation IN ('create', 'update', 'delete')),
    -- -infinity: it was there when the layer's history began.
    since timestamptz NOT NULL,
    -- Null: it still holds; what it is, the layer's table has.
    until timestamptz,
    -- Who made it; null: made before the layer's history began.
    changeset bigint REFERENCES catalog.changeset,
    -- What it was, by the columns' names; null of what holds and of what is gone.
    attributes jsonb,
    geometry public.geometry,
    PRIMARY KEY (municipality, layer, feature, version)
);
CREATE UNIQUE INDEX feature_version_open ON catalog.feature_version (municipality, layer, feature)
    INCLUDE (since) WHERE until IS NULL;
CREATE INDEX feature_version_until ON catalog.feature_version (municipality, layer, until) WHERE attributes IS NOT NULL;
CREATE INDEX feature_version_geometry ON catalog.feature_version USING gist (geometry) WHERE geometry IS NOT NULL;
GRANT SELECT ON catalog.feature_version TO lindero_app, lindero_loader;
-- With the layer.
GRANT DELETE ON catalog.feature_version TO lindero_loader;

-- The changeset of this transaction: the one that our program began, or one
-- that says that it was somebody else.
CREATE FUNCTION catalog.current_changeset() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current bigint;
BEGIN
    SELECT id INTO current FROM catalog.changeset
        WHERE xid = pg_current_xact_id() AND at >= transaction_timestamp() ORDER BY id DESC LIMIT 1;
    IF current IS NULL THEN
        INSERT INTO catalog.changeset (source, address) VALUES ('database', inet_client_addr())
            RETURNING id INTO current;
    END IF;
    RETURN current;
END
$$;
REVOKE ALL ON FUNCTION catalog.current_changeset() FROM PUBLIC;

-- A feature's attributes, by the columns' names. Without the geometry, of
-- which to_jsonb() would make GeoJSON.
CREATE FUNCTION catalog.attributes_of(feature record) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    feature.geom := NULL;
    RETURN to_jsonb(feature) - '{municipality,fid,geom}'::text[];
END
$$;

-- Statement triggers on a managed layer's table, one an event. Argument: the
-- layer's id. SECURITY DEFINER: a writer needs no right on our schemas. Their
-- statements are written out, not executed as text, so that their plans are
-- kept: whoever sends a thousand statements has a thousand plans to make else.
DO $do$
DECLARE
    -- What was ends. @was@: municipality, fid, attributes, geom, goes_on.
    ends constant text := $sql$
        WITH was AS MATERIALIZED (@was@),
        ended AS (
            UPDATE catalog.feature_version AS v SET until = @moment@, attributes = was.attributes, geometry = was.geom
            FROM was WHERE v.municipality = was.municipality AND v.layer = @layer@ AND v.feature = was.fid
                AND v.until IS NULL
            RETURNING v.municipality, v.feature, v.version),
        -- The first change of one that was there when the history began.
        begun AS (
            INSERT INTO catalog.feature_version
                (municipality, layer, feature, version, operation, since, until, attributes, geometry)
            SELECT was.municipality, @layer@, was.fid, 1, 'create', '-infinity', @moment@, was.attributes, was.geom FROM was
            WHERE NOT EXISTS (SELECT FROM ended WHERE ended.municipality = was.municipality AND ended.feature = was.fid))
        INSERT INTO catalog.feature_version (municipality, layer, feature, version, operation, since, changeset)
            SELECT was.municipality, @layer@, was.fid, coalesce(ended.version, 1) + 1,
                CASE WHEN was.goes_on THEN 'update' ELSE 'delete' END, @moment@, (SELECT catalog.current_changeset())
            FROM was LEFT JOIN ended ON ended.municipality = was.municipality AND ended.feature = was.fid$sql$;
    -- What is new begins. @come@: municipality, fid. One that was there before
    -- and comes back goes on counting.
    begins constant text := $sql$
        WITH come AS MATERIALIZED (@come@),
        back AS (
            UPDATE catalog.feature_version AS v SET until = @moment@ FROM come
            WHERE v.municipality = come.municipality AND v.layer = @layer@ AND v.feature = come.fid AND v.until IS NULL
            RETURNING v.municipality, v.feature, v.version)
        INSERT INTO catalog.feature_version (municipality, layer, feature, version, operation, since, changeset)
            SELECT come.municipality, @layer@, come.fid, coalesce(back.version, 0) + 1, 'create', @moment@,
                (SELECT catalog.current_changeset())
            FROM come LEFT JOIN back ON back.municipality = come.municipality AND back.feature = come.fid$sql$;
    was constant text := 'SELECT o.municipality, o.fid, catalog.attributes_of(o) AS attributes, o.geom, ';
    changed constant text := was || $sql$n.fid IS NOT NULL AS goes_on
            FROM old_rows AS o LEFT JOIN new_rows AS n ON n.municipality = o.municipality AND n.fid = o.fid
            WHERE n.fid IS NULL OR o.* *<> n.*$sql$;
    -- Of a key that changed: one goes, one comes.
    renamed constant text := $sql$SELECT n.municipality, n.fid
            FROM new_rows AS n LEFT JOIN old_rows AS o ON o.municipality = n.municipality AND o.fid = n.fid
            WHERE o.fid IS NULL$sql$;
    bodies constant jsonb := jsonb_build_object(
        'insert', replace(begins, '@come@', 'SELECT n.municipality, n.fid FROM new_rows AS n') || ';',
        'update', replace(ends, '@was@', changed) || ';' || replace(begins, '@come@', renamed) || ';',
        'delete', replace(ends, '@was@', was || 'false AS goes_on FROM old_rows AS o') || ';',
        'truncate', format('EXECUTE format(%L, TG_TABLE_SCHEMA, TG_TABLE_NAME) USING TG_ARGV[0], moment;',
            replace(replace(replace(ends, '@was@', was || 'false AS goes_on FROM %I.%I AS o'),
                '@layer@', '$1'), '@moment@', '$2')));
    event text;
    body text;
BEGIN
    FOR event, body IN SELECT * FROM jsonb_each_text(bodies) LOOP
        EXECUTE format('CREATE FUNCTION catalog.keep_%s() RETURNS trigger '
            'LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L', event,
            'DECLARE moment constant timestamptz := clock_timestamp(); BEGIN '
            || replace(replace(body, '@layer@', 'TG_ARGV[0]'), '@moment@', 'moment') || ' RETURN NULL; END');
    END LOOP;
END
$do$;

-- Writes made past us are in the audit trail too: once a transaction and
-- layer. What our program writes, it records itself.
CREATE FUNCTION catalog.audit_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made_by constant bigint := catalog.current_changeset();
BEGIN
    IF (SELECT source = 'database' FROM catalog.changeset WHERE id = made_by) AND NOT EXISTS (
        SELECT FROM access.audit AS a WHERE a.xid = pg_current_xact_id() AND a.at >= transaction_timestamp()
            AND a.action = 'edit_features' AND a.layer = NEW.layer)
    THEN
        INSERT INTO access.audit (action, outcome, municipality, layer, address, detail)
            SELECT 'edit_features', 'done', l.municipality, l.id, inet_client_addr(),
                jsonb_build_object('source', 'database', 'changeset', made_by, 'operation', NEW.operation)
            FROM catalog.layer AS l WHERE l.id = NEW.layer;
    END IF;
    RETURN NULL;
END
$$;
-- Every statement that writes to a layer's table, whoever runs it, appends
-- there (catalog.record_change).
CREATE TRIGGER audit_write AFTER INSERT ON catalog.change FOR EACH ROW
    WHEN (NEW.operation IN ('insert', 'update', 'delete', 'truncate')) EXECUTE FUNCTION catalog.audit_write();
