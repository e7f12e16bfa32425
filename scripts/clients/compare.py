"""Reads every collection with GDAL's OAPIF driver and with OWSLib, and compares
each feature with PostGIS's own row.

    compare.py BINARY URL

BINARY is asked for the rows (`lindero psql`); URL is the server's.
"""

import json
import subprocess
import sys
from datetime import datetime

from owslib.ogcapi.features import Features

# Degrees: the seven decimals in which coordinates are served, about 1 cm.
TOLERANCE = 1.01e-7
# OWSLib parses a page as a whole.
PAGE = 2000


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def rows(binary, collection):
    """The layer's rows by id, as PostGIS writes them."""
    query = (
        "SELECT json_build_object('id', fid, 'geometry', ST_AsGeoJSON(ST_Transform(geom, 4326), 12)::json, "
        "'properties', (to_jsonb(t) - 'geom' - 'fid' - 'municipality')) "
        f'FROM geo."{collection}" AS t'
    )
    lines = run(binary, "psql", "--", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-c", query).splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def by_owslib(url, collection):
    api, features, offset = Features(url), {}, 0
    while True:
        page = api.collection_items(collection, limit=PAGE, offset=offset)
        for feature in page["features"]:
            if feature["id"] in features:
                sys.exit(f"{collection}: OWSLib got the feature {feature['id']} twice")
            features[feature["id"]] = feature
        offset += page["numberReturned"]
        if page["numberReturned"] == 0 or offset >= page["numberMatched"]:
            return features, page["numberMatched"]


def by_gdal(url, collection):
    # At its own seven decimals GDAL's writer makes -75.2 of -75.1999996.
    text = run(
        "ogr2ogr", "-f", "GeoJSONSeq", "-preserve_fid", "-lco", "COORDINATE_PRECISION=9",
        "/vsistdout/", f"OAPIF:{url}", collection, "-oo", "PAGE_SIZE=2000",
    )
    features = [json.loads(line.lstrip("\x1e")) for line in text.splitlines() if line.strip("\x1e")]
    return {feature["id"]: feature for feature in features}


def rings_one_way(geometry):
    """Coordinates with every ring counter-clockwise: a server may turn them."""

    def ring(points):
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:]))
        return points if area >= 0 else points[::-1]

    kind, coordinates = geometry["type"], geometry.get("coordinates")
    if kind == "Polygon":
        return [ring(points) for points in coordinates]
    if kind == "MultiPolygon":
        return [[ring(points) for points in polygon] for polygon in coordinates]
    return coordinates


def near(one, other):
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(near, one, other))
    return abs(one - other) <= TOLERANCE


def same_geometry(one, other):
    if one is None or other is None:
        return one == other
    if one["type"] == "GeometryCollection":
        return len(one["geometries"]) == len(other["geometries"])
    return one["type"] == other["type"] and near(rings_one_way(one), rings_one_way(other))


def moment(text):
    return datetime.fromisoformat(text.replace("/", "-").replace(" ", "T").replace("Z", "+00:00"))


def same_value(kept, served):
    if kept == served:
        return True
    if isinstance(kept, bool) or isinstance(served, bool):
        return kept in (0, 1) and served in (0, 1) and bool(kept) == bool(served)
    if isinstance(kept, (int, float)) and isinstance(served, (int, float)):
        return abs(kept - served) <= 1e-12 * max(abs(kept), abs(served))
    if isinstance(kept, (dict, list)) and isinstance(served, str):
        return kept == json.loads(served)
    if isinstance(kept, str) and isinstance(served, str):
        try:
            return moment(kept) == moment(served)
        except (ValueError, TypeError):
            return False
    return False


def compare(collection, client, kept, served):
    if kept.keys() != served.keys():
        missing, extra = kept.keys() - served.keys(), served.keys() - kept.keys()
        sys.exit(f"{collection}: {client} misses {len(missing)} features and has {len(extra)} others")
    for identifier, row in kept.items():
        feature = served[identifier]
        if not same_geometry(row["geometry"], feature["geometry"]):
            sys.exit(f"{collection}/{identifier}: {client}'s geometry differs:\n{row['geometry']}\n{feature['geometry']}")
        for name, value in row["properties"].items():
            got = feature["properties"].get(name)
            if value is not None and not same_value(value, got):
                sys.exit(f"{collection}/{identifier}: {client} reads {name} as {got!r}, and PostGIS holds {value!r}")
            if value is None and got is not None:
                sys.exit(f"{collection}/{identifier}: {client} reads {name} as {got!r}, and PostGIS holds nothing")


def main(binary, url):
    listed = Features(url).feature_collections()
    if not listed:
        sys.exit("the server has no collections: nothing was compared")
    layers = {line.split(":", 1)[1].split(" (")[0].strip() for line in run("ogrinfo", "-ro", f"OAPIF:{url}").splitlines() if line[:1].isdigit()}
    if layers != set(listed):
        sys.exit(f"GDAL lists {sorted(layers)}, OWSLib {sorted(listed)}")
    compared = 0
    for collection in listed:
        kept = rows(binary, collection)
        served, matched = by_owslib(url, collection)
        if matched != len(kept):
            sys.exit(f"{collection}: numberMatched is {matched}, and PostGIS holds {len(kept)} rows")
        compare(collection, "OWSLib", kept, served)
        compare(collection, "GDAL", kept, by_gdal(url, collection))
        compared += len(kept)
        print(f"    {collection}: {len(kept)} features equal in GDAL, OWSLib and PostGIS", flush=True)
    print(f"{compared} features in {len(listed)} collections are the same in GDAL, OWSLib and PostGIS.")


main(*sys.argv[1:])
