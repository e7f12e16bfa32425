-- Searching the audit trail.
CREATE INDEX audit_layer ON access.audit (layer, id) WHERE layer IS NOT NULL;
CREATE INDEX audit_subject ON access.audit (subject, id) WHERE subject <> '';

-- Each time that somebody looked whether the trail is as it was sealed.
CREATE TABLE access.audit_verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Rows as they were sealed, right seals, rows not sealed yet, findings.
    rows bigint NOT NULL,
    seals bigint NOT NULL,
    unsealed bigint NOT NULL,
    found bigint NOT NULL,
    -- The first of them.
    findings jsonb NOT NULL
);
GRANT SELECT, INSERT ON access.audit_verification TO lindero_loader;
GRANT SELECT ON access.audit_verification TO lindero_app;
