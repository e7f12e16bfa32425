-- The catalogue: which layers there are and what they mean.
CREATE TABLE catalog.municipality (
    code text PRIMARY KEY CHECK (code ~ '^[0-9]{5}$'),
    name text NOT NULL,
    department text NOT NULL,
    inhabitants integer,
    -- Longitudes and latitudes (CRS84) within which its data must lie.
    west double precision NOT NULL,
    south double precision NOT NULL,
    east double precision NOT NULL,
    north double precision NOT NULL,
    CHECK (west < east AND south < north)
);
COMMENT ON COLUMN catalog.municipality.code IS 'DIVIPOLA (DANE), five digits';

CREATE TABLE catalog.layer (
    municipality text NOT NULL REFERENCES catalog.municipality,
    id text NOT NULL CHECK (id ~ '^[a-z][a-z0-9_]{0,58}$'),
    kind text NOT NULL CHECK (kind IN ('managed', 'published')),
    table_schema text NOT NULL,
    table_name text NOT NULL,
    -- The column whose value is a feature's id, and its type.
    key_column text NOT NULL,
    key_type text NOT NULL,
    geometry_column text NOT NULL,
    geometry_type text NOT NULL,
    coordinate_dimension text NOT NULL DEFAULT 'XY'
        CHECK (coordinate_dimension IN ('XY', 'XYZ', 'XYM', 'XYZM')),
    storage_srid integer NOT NULL,
    declared_crs text NOT NULL,
    visibility text NOT NULL CHECK (visibility IN ('publica', 'clasificada', 'reservada')),
    subject text NOT NULL CHECK (subject IN ('thing', 'persons', 'cases', 'dwellings')),
    sector text NOT NULL,
    -- layers::LayerDefinition: titles, attributes, responsibilities, drawing.
    definition jsonb NOT NULL,
    feature_count bigint NOT NULL DEFAULT 0,
    -- CRS84; null while the layer is empty.
    west double precision,
    south double precision,
    east double precision,
    north double precision,
    -- How changes are seen: by triggers, or by scheduled comparison where
    -- triggers cannot see (views, foreign tables) or could not be made.
    change_capture text NOT NULL CHECK (change_capture IN ('triggers', 'comparison')),
    created_at timestamptz NOT NULL DEFAULT now(),
    content_updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (municipality, id),
    UNIQUE (id),
    UNIQUE (table_schema, table_name),
    -- Ley 1581: persons, cases and dwellings are never published as features.
    CHECK (subject = 'thing' OR visibility <> 'publica')
);

GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.municipality, catalog.layer TO lindero_loader;
GRANT SELECT ON catalog.municipality, catalog.layer TO lindero_app;
