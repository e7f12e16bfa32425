-- Schemas and who may use them. Run by a superuser in the database itself.
CREATE SCHEMA IF NOT EXISTS access AUTHORIZATION lindero_owner;
CREATE SCHEMA IF NOT EXISTS catalog AUTHORIZATION lindero_owner;
CREATE SCHEMA IF NOT EXISTS geo AUTHORIZATION lindero_loader;
-- Where an import collects rows before they become a layer. Apart from `geo`,
-- so that whoever lists the layers' tables never meets a half-loaded one.
CREATE SCHEMA IF NOT EXISTS staging AUTHORIZATION lindero_loader;

GRANT USAGE ON SCHEMA public TO lindero_owner, lindero_loader, lindero_app;
GRANT USAGE ON SCHEMA access, catalog TO lindero_loader, lindero_app;
GRANT USAGE ON SCHEMA geo TO lindero_app, lindero_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE lindero_loader IN SCHEMA geo
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lindero_app;
ALTER DEFAULT PRIVILEGES FOR ROLE lindero_loader IN SCHEMA geo
    GRANT USAGE ON SEQUENCES TO lindero_app;
