"""Lists distinct tiles that hold something of a table, about as often as it holds features.

usage: list.py TABLE COUNT SEED ZOOM ... > tiles.txt

Like tiles.py of the synthetic city, for data that lie elsewhere. DATABASE_URL names
the database; the geometry column is geom.
"""
import os
import random
import sys

import psycopg

from edits import tile


def main(table, count, seed, zooms):
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        # Pages of the table at random: the whole of it is not read.
        rows, = database.execute("SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
        percent = min(100.0, 100.0 * count * 40 / rows)
        places = database.execute(
            "SELECT ST_X(point), ST_Y(point) FROM (SELECT ST_Centroid(ST_Transform(geom, 4326)) AS point"
            f" FROM {table} TABLESAMPLE SYSTEM ({percent:.4f}) REPEATABLE ({seed})) AS place").fetchall()
    chance = random.Random(seed)
    chance.shuffle(places)
    seen = set()
    for longitude, latitude in places:
        if len(seen) == count:
            break
        zoom = chance.choice(zooms)
        path = (zoom, *tile(longitude, latitude, zoom))
        if path not in seen:
            seen.add(path)
            print(f"/{table}/{path[0]}/{path[1]}/{path[2]}")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(zoom) for zoom in sys.argv[4:]])
