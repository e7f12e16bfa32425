-- A geometry in another CRS, with straight edges; NULL where it cannot be
-- there, so that one feature far outside of its CRS does not keep a layer from
-- being read. Slower than ST_Transform: for when that has failed.
CREATE FUNCTION catalog.transformed_or_null(public.geometry, integer) RETURNS public.geometry
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, public
AS $$
BEGIN
    RETURN public.ST_Transform(public.ST_CurveToLine($1), $2);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- A point on an area's surface, likewise.
CREATE FUNCTION catalog.point_on_surface_or_null(public.geometry) RETURNS public.geometry
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, public
AS $$
BEGIN
    RETURN public.ST_PointOnSurface($1);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION catalog.transformed_or_null(public.geometry, integer),
    catalog.point_on_surface_or_null(public.geometry) TO lindero_app, lindero_loader;
