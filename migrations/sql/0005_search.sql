-- The form in which names are compared: lower case, no accents, words apart
-- by one space, and the street words in the abbreviations of the address norm.
CREATE FUNCTION catalog.search_key(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.btrim(
        pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace(
        pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace(
            pg_catalog.lower(public.unaccent('public.unaccent'::regdictionary, $1)),
            '[^a-z0-9]+', ' ', 'g'),
            '\m(carrera|cra|kra|crr)\M', 'kr', 'g'),
            '\m(calle|cll|cle)\M', 'cl', 'g'),
            '\m(avenida|avda|ave)\M', 'av', 'g'),
            '\m(diagonal|diag)\M', 'dg', 'g'),
            '\m(transversal|transv|trv)\M', 'tv', 'g'));
GRANT EXECUTE ON FUNCTION catalog.search_key(text) TO lindero_app, lindero_loader;
