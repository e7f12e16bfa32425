-- A restored log holds transaction numbers of another cluster, or of another
-- time of this one: they mean nothing against a snapshot taken here. The
-- first follower of a restored (or promoted) database empties the log; every
-- follower of the old one rebuilds anyway.
ALTER TABLE catalog.change_log ADD COLUMN adopted_as text;
COMMENT ON COLUMN catalog.change_log.adopted_as IS 'catalog.change_identity() of the database whose entries these are';

CREATE FUNCTION catalog.adopt_change_log() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT adopted_as IS DISTINCT FROM catalog.change_identity() FROM catalog.change_log) THEN
        UPDATE catalog.change_log SET adopted_as = catalog.change_identity()
            WHERE adopted_as IS DISTINCT FROM catalog.change_identity();
        -- Two followers at once: the second finds it done.
        IF FOUND THEN
            DELETE FROM catalog.change;
        END IF;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION catalog.adopt_change_log() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalog.adopt_change_log() TO lindero_app, lindero_loader;
