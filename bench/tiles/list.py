"""Lists distinct tiles that hold something of a table, about as often as it holds features.

usage: list.py [--full] TABLE COUNT SEED ZOOM ... > tiles.txt

--full: tiles that the data cover, corners and middle, as many of each zoom. A small
area has more tiles at its edges, half empty, than a large one of the same density:
what a tile costs in one and in the other is compared by these.

Like tiles.py of the synthetic city, for data that lie elsewhere. DATABASE_URL names
the database; the geometry column is geom, in EPSG:4326.
"""
import argparse
import os
import random
import sys

import psycopg

from edits import place, tile


# In degrees: what is no farther from a feature is covered, streets too.
NEAR = 0.0003


def main(options):
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        # Pages of the table at random: the whole of it is not read.
        table = options.table
        rows, = database.execute("SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
        percent = min(100.0, 100.0 * options.count * 40 / rows)
        places = database.execute(
            "SELECT ST_X(point), ST_Y(point) FROM (SELECT ST_Centroid(ST_Transform(geom, 4326)) AS point"
            f" FROM {table} TABLESAMPLE SYSTEM ({percent:.4f}) REPEATABLE ({options.seed})) AS place").fetchall()
        chance = random.Random(options.seed)
        chance.shuffle(places)
        seen, listed = set(), dict.fromkeys(options.zooms, 0)
        for longitude, latitude in places:
            wanted = [zoom for zoom in options.zooms if not options.full or listed[zoom] * len(listed) < options.count]
            if not wanted or len(seen) == options.count:
                break
            zoom = chance.choice(wanted)
            path = (zoom, *tile(longitude, latitude, zoom))
            if path in seen or options.full and not is_full(database, table, path):
                continue
            seen.add(path)
            listed[zoom] += 1
            print(f"/{table}/{path[0]}/{path[1]}/{path[2]}")
        if len(seen) < options.count:
            print(f"list.py: {table} has {len(seen)} such tiles of the {options.count} wanted", file=sys.stderr)


def is_full(database, table, path):
    zoom, column, row = path
    points = [place(zoom, column + x, row + y) for x, y in [(0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)]]
    near = f"SELECT EXISTS (SELECT FROM {table} WHERE geom && ST_Expand(ST_Point(%s, %s, 4326), {NEAR}))"
    return all(database.execute(near, point).fetchone()[0] for point in points)


parser = argparse.ArgumentParser()
parser.add_argument("--full", action="store_true")
parser.add_argument("table")
parser.add_argument("count", type=int)
parser.add_argument("seed", type=int)
parser.add_argument("zooms", type=int, nargs="+")
main(parser.parse_args())
