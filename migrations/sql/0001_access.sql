-- Jobs: the long work that the server and the command line do.
CREATE TABLE access.job (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'done', 'failed', 'cancelled', 'interrupted')),
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    cancel_requested boolean NOT NULL DEFAULT false,
    message text,
    report jsonb,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
COMMENT ON TABLE access.job IS 'Long work. A running job holds the advisory lock of its id; see access.job_is_abandoned.';

CREATE FUNCTION access.job_lock_key(job uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.hashtextextended('lindero job ' || job::text, 0);

-- True where nobody holds the job's lock: its process is gone.
CREATE FUNCTION access.job_is_abandoned(job uuid) RETURNS boolean
    LANGUAGE sql VOLATILE
AS $$
    SELECT CASE WHEN pg_catalog.pg_try_advisory_lock(access.job_lock_key(job))
                THEN pg_catalog.pg_advisory_unlock(access.job_lock_key(job))
                ELSE false END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON access.job TO lindero_loader;
GRANT SELECT ON access.job TO lindero_app;
