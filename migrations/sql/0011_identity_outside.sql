-- Accounts that an identity provider vouches for; when and from where an
-- account may come in.

ALTER TABLE access.account
    -- From where it may come in; none: from anywhere.
    ADD COLUMN networks cidr[] NOT NULL DEFAULT '{}',
    -- When, by Colombia's clock (access::Window); none: at any time.
    ADD COLUMN hours jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(hours) = 'array');

DROP TRIGGER tell_change ON access.account;
CREATE TRIGGER tell_change
    AFTER DELETE OR UPDATE OF name, dependency, kind, is_disabled, expires_at, networks, hours ON access.account
    FOR EACH ROW EXECUTE FUNCTION access.tell_change();

-- Given by the rules of that identity provider, and taken back by them; null:
-- by somebody.
ALTER TABLE access.assignment ADD COLUMN provider text;

-- Logins under way at an identity provider: begun here, not yet come back. Any
-- process may be the one to which the browser comes back. Not logged: after a
-- crash a login is begun again.
CREATE UNLOGGED TABLE access.errand (
    -- SHA-256 of what the browser keeps, and of what it brings back.
    browser bytea PRIMARY KEY CHECK (length(browser) = 32),
    state bytea NOT NULL CHECK (length(state) = 32),
    provider text NOT NULL,
    -- What only we and, in part, the provider know of it.
    nonce text NOT NULL,
    verifier text NOT NULL,
    -- To where the provider sends the browser back, and we then send it on.
    redirect text NOT NULL,
    return_to text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX errand_expires ON access.errand (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON access.errand TO lindero_app;
