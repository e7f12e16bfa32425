-- Who may come in, and what they may do.

-- What a role allows; an administrator may recombine it.
CREATE TABLE access.role (
    id text PRIMARY KEY CHECK (id ~ '^[a-z][a-z0-9_]{0,58}$'),
    title text NOT NULL,
    title_en text NOT NULL DEFAULT '',
    -- access::Permission
    permissions text[] NOT NULL DEFAULT '{}'
);
-- access::BUILT_IN_ROLES
INSERT INTO access.role (id, title, title_en, permissions) VALUES
    ('citizen', 'Ciudadanía', 'Citizen', '{}'),
    ('planner', 'Planeación', 'Planner', '{read_classified}'),
    ('editor', 'Edición', 'Editor', '{read_classified,edit_features}'),
    ('registry_officer', 'Caracterización', 'Registry officer', '{read_classified,read_personal,edit_features}'),
    ('registry_analyst', 'Análisis de población', 'Registry analyst', '{read_classified}'),
    ('auditor', 'Auditoría', 'Auditor', '{read_audit}'),
    ('administrator', 'Administración', 'Administrator',
     '{read_classified,manage_layers,manage_accounts,manage_roles,operate}');

-- Never deleted: what an account did stays told of it.
CREATE TABLE access.account (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._@+-]{0,99}$'),
    kind text NOT NULL CHECK (kind IN ('person', 'system')),
    full_name text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    -- Where it works; null: in all.
    municipality text REFERENCES catalog.municipality,
    -- The dependency (secretariat), by name.
    dependency text NOT NULL DEFAULT '',
    -- argon2id, as a PHC string; null where it comes in another way.
    password text,
    -- The identity provider that vouches for it, and its name there.
    provider text,
    provider_subject text,
    is_disabled boolean NOT NULL DEFAULT false,
    -- As its contract.
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid REFERENCES access.account,
    last_login_at timestamptz,
    UNIQUE (provider, provider_subject),
    CHECK ((provider IS NULL) = (provider_subject IS NULL)),
    CHECK (kind = 'person' OR (password IS NULL AND provider IS NULL))
);

-- What an account was given: a role, within what is named.
CREATE TABLE access.assignment (
    id uuid PRIMARY KEY,
    account uuid NOT NULL REFERENCES access.account,
    role text NOT NULL REFERENCES access.role,
    municipality text REFERENCES catalog.municipality,
    dependency text,
    layer text,
    expires_at timestamptz,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    assigned_by uuid REFERENCES access.account
);
CREATE UNIQUE INDEX assignment_once ON access.assignment
    (account, role, coalesce(municipality, ''), coalesce(dependency, ''), coalesce(layer, ''));

CREATE TABLE access.session (
    id uuid PRIMARY KEY,
    -- SHA-256 of the token that the browser keeps.
    token bytea NOT NULL UNIQUE CHECK (length(token) = 32),
    account uuid NOT NULL REFERENCES access.account,
    -- How it came in: 'password', 'link', or an identity provider.
    method text NOT NULL,
    address inet,
    user_agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_account ON access.session (account);

-- Keys for other systems.
CREATE TABLE access.key (
    id uuid PRIMARY KEY,
    account uuid NOT NULL REFERENCES access.account,
    title text NOT NULL,
    -- What is shown of the key, to tell it from others.
    prefix text NOT NULL UNIQUE,
    -- SHA-256 of it.
    token bytea NOT NULL UNIQUE CHECK (length(token) = 32),
    -- No more than these of what its account may; null: all of it.
    permissions text[],
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid REFERENCES access.account,
    revoked_at timestamptz
);
CREATE INDEX key_account ON access.key (account);

-- One-time links, to set a password: the first administrator's (no account
-- yet), and those that an administrator makes for others.
CREATE TABLE access.link (
    token bytea PRIMARY KEY CHECK (length(token) = 32),
    account uuid REFERENCES access.account,
    created_by uuid REFERENCES access.account,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- Browsers that an account came in with: its own guesses are counted apart
-- from everybody else's. Opens nothing.
CREATE TABLE access.device (
    token bytea PRIMARY KEY CHECK (length(token) = 32),
    account uuid NOT NULL REFERENCES access.account,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Token buckets of what is limited in all processes together. Not logged:
-- after a crash every bucket is full.
CREATE UNLOGGED TABLE access.bucket (
    key bytea PRIMARY KEY,
    -- What is left, and whether the last one who asked was given one.
    tokens double precision NOT NULL,
    was_given boolean NOT NULL,
    at timestamptz NOT NULL
);

-- Every process keeps what it read of these in memory, until it is told that
-- it changed: which session, key or account, or, for a role, all.
CREATE FUNCTION access.tell_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed constant jsonb := coalesce(to_jsonb(OLD), to_jsonb(NEW));
BEGIN
    PERFORM pg_notify('lindero_access', CASE TG_TABLE_NAME
        WHEN 'role' THEN 'all'
        WHEN 'assignment' THEN 'account ' || (changed ->> 'account')
        ELSE TG_TABLE_NAME || ' ' || (changed ->> 'id') END);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON access.role
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON access.assignment
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();
-- Not for what follows from use.
CREATE TRIGGER tell_change AFTER DELETE OR UPDATE OF name, dependency, kind, is_disabled, expires_at ON access.account
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();
CREATE TRIGGER tell_change AFTER DELETE OR UPDATE OF token, account, expires_at ON access.session
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();
CREATE TRIGGER tell_change AFTER DELETE OR UPDATE OF token, account, permissions, expires_at, revoked_at ON access.key
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON access.role, access.assignment, access.session, access.key, access.link,
    access.device, access.bucket TO lindero_app;
GRANT SELECT, INSERT, UPDATE ON access.account TO lindero_app;

-- What was done, by whom, from where. Written in the transaction of what it
-- tells; nobody who answers requests may change it.
CREATE TABLE access.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- access::audit::Action
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'failed', 'denied')),
    account uuid,
    account_name text NOT NULL DEFAULT '',
    dependency text NOT NULL DEFAULT '',
    session uuid,
    key uuid,
    address inet,
    request text NOT NULL DEFAULT '',
    -- What it was done to, as far as it is one.
    municipality text,
    layer text,
    subject text NOT NULL DEFAULT '',
    detail jsonb,
    -- Who wrote the row.
    database_role text NOT NULL DEFAULT session_user,
    application text NOT NULL DEFAULT current_setting('application_name', true)
);
CREATE INDEX audit_at ON access.audit (at);
CREATE INDEX audit_account ON access.audit (account, at);
GRANT SELECT, INSERT (action, outcome, account, account_name, dependency, session, key, address, request,
    municipality, layer, subject, detail) ON access.audit TO lindero_app, lindero_loader;
