-- The audit trail's seal: committed rows in a chain of digests, signed. Rows
-- of the trail are written unchained, so that no writer waits for another;
-- one sealer chains them within seconds.
CREATE INDEX audit_xid ON access.audit (xid);

CREATE TABLE access.audit_chain (
    -- 1, 2, 3 ...
    position bigint PRIMARY KEY,
    audit bigint NOT NULL UNIQUE,
    -- SHA-256 of the digest before and the row.
    digest bytea NOT NULL CHECK (length(digest) = 32)
);

CREATE TABLE access.audit_seal (
    -- The last row of the chain that it covers, and all before it.
    position bigint PRIMARY KEY,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    at timestamptz NOT NULL,
    -- Ed25519 over position, digest and instant; the key is not in the database.
    signature bytea NOT NULL,
    public_key bytea NOT NULL,
    -- What was visible, and in which database's numbering.
    snapshot pg_snapshot NOT NULL,
    identity text NOT NULL
);
-- The sealer works as lindero_loader.
GRANT SELECT, INSERT ON access.audit_chain, access.audit_seal TO lindero_loader;
GRANT SELECT ON access.audit_chain, access.audit_seal TO lindero_app;
