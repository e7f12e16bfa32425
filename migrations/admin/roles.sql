-- The three roles of the server. Run by a superuser, as often as one likes.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['lindero_owner', 'lindero_loader', 'lindero_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE LOGIN', role);
        END IF;
        -- Whoever prepares the database may act as the roles (SET ROLE).
        IF NOT pg_has_role(current_user, role, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', role, current_user);
        END IF;
    END LOOP;
END $$;
