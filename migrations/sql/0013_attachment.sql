-- Photos and documents of features. Their files are in an object store, under
-- their ids; here is what is known of them.
CREATE TABLE catalog.attachment (
    id uuid PRIMARY KEY,
    municipality text NOT NULL,
    layer text NOT NULL,
    feature bigint NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    caption text CHECK (char_length(caption) BETWEEN 1 AND 500),
    media_type text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    -- Of images, as they are shown.
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((width IS NULL) = (height IS NULL)),
    -- With the layer. Not with the feature: one that is brought back has its
    -- attachments again.
    FOREIGN KEY (municipality, layer) REFERENCES catalog.layer (municipality, id) ON DELETE CASCADE
);
CREATE INDEX attachment_feature ON catalog.attachment (municipality, layer, feature);
GRANT SELECT, INSERT, DELETE ON catalog.attachment TO lindero_app;
GRANT SELECT ON catalog.attachment TO lindero_loader;
