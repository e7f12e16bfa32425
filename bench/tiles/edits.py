"""How long after COMMIT an edit is in the tile: edits single features of a
layer, and asks for a tile of each edited feature until the tile has the new
content.

usage: edits.py SERVER LAYER ZOOM SECONDS RATE [EVERY [CONDITION]]

RATE edits a second, of which every EVERY-th (1: all) is looked for. The new
content is a text in "direccion" that no feature had before. Where CONDITION (SQL) is
given, those that are looked for are taken from the few features that meet it, and are
known by a number in "estrato": generalised tiles have only attributes of few
values. DATABASE_URL names the database. Prints how many were looked for, the median,
the 99th percentile and the longest in milliseconds, how many were never seen, how many
edits began late, and how often tiles were asked for.
"""
import http.client
import math
import os
import queue
import random
import sys
import threading
import time
from urllib.parse import urlsplit

import psycopg

# After so long an edit counts as lost.
PATIENCE = 30.0
# The pause between two looks begins with the first and grows to the second.
SHORTEST, LONGEST = 0.004, 0.05
# Numbers from here on take five bytes, which no other part of a tile has by accident.
FIRST_NUMBER = 2_000_000_000


def varint(number):
    """As tiles hold it."""
    low = []
    while number > 127:
        low.append(number & 127 | 128)
        number >>= 7
    return bytes([*low, number])


def tile(longitude, latitude, zoom):
    count = 2**zoom
    return (int((longitude + 180) / 360 * count),
            int((1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * count))


def place(zoom, column, row):
    """The north-west corner of a tile, longitude before latitude."""
    count = 2**zoom
    return (column / count * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / count)))))


class Editor(threading.Thread):
    """Edits what is in the queue, and waits for those that are looked for."""

    def __init__(self, work, server, layer, zoom, by_number):
        super().__init__(daemon=True)
        self.work, self.layer, self.zoom, self.by_number = work, layer, zoom, by_number
        self.connection = http.client.HTTPConnection(server.hostname, server.port, timeout=60)
        self.database = psycopg.connect(os.environ["DATABASE_URL"])
        self.waits, self.late, self.lost, self.looks, self.failed = [], 0, 0, 0, None

    def run(self):
        try:
            while (task := self.work.get()) is not None:
                self.edit(*task)
        except Exception as error:  # noqa: BLE001 (the main thread tells of it)
            self.failed = error

    def edit(self, number, due, feature, longitude, latitude, is_looked_for):
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        elif pause < -0.1:
            self.late += 1
        if is_looked_for and self.by_number:
            value = FIRST_NUMBER + number
            mark = varint(value)
            self.database.execute(f"UPDATE {self.layer} SET estrato = %s WHERE id = %s", (value, feature))
        else:
            value = f"EDICION {os.getpid()} {number:06}"
            mark = value.encode()
            self.database.execute(f"UPDATE {self.layer} SET direccion = %s WHERE id = %s", (value, feature))
        committed = time.monotonic()
        self.database.commit()
        if not is_looked_for:
            return
        column, row = tile(longitude, latitude, self.zoom)
        path = f"/collections/{self.layer}/tiles/WebMercatorQuad/{self.zoom}/{row}/{column}"
        gap = SHORTEST
        # The server closes what was silent for a while.
        self.connection.close()
        while time.monotonic() < committed + PATIENCE:
            self.connection.request("GET", path, headers={"Accept-Encoding": "identity"})
            answer = self.connection.getresponse()
            body = answer.read()
            self.looks += 1
            if answer.status == 200 and mark in body:
                self.waits.append((time.monotonic() - committed) * 1000)
                return
            time.sleep(gap)
            gap = min(gap * 1.5, LONGEST)
        self.lost += 1


def pick(layer, condition, count):
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        rows = database.execute(
            f"SELECT id, ST_X(point), ST_Y(point) FROM (SELECT id, ST_PointOnSurface(geom) AS point FROM {layer}"
            f" WHERE {condition} ORDER BY id) AS place").fetchall()
    random.Random(5).shuffle(rows)
    return [rows[number % len(rows)] for number in range(count)]


def main(server, layer, zoom, seconds, rate, every="1", condition=None):
    every, rate = int(every), int(rate)
    edits = int(seconds) * rate
    others = pick(layer, f"NOT ({condition})" if condition else "true", edits)
    looked_for = pick(layer, condition, edits // every + 1) if condition else others
    work = queue.Queue()
    began = time.monotonic() + 1
    for number in range(edits):
        is_looked_for = number % every == 0
        chosen = looked_for[number // every] if condition and is_looked_for else others[number]
        work.put((number, began + number / rate, *chosen, is_looked_for))
    editors = [Editor(work, urlsplit(server), layer, int(zoom), condition is not None) for _ in range(32)]
    for editor in editors:
        work.put(None)
        editor.start()
    for editor in editors:
        editor.join()
        if editor.failed:
            raise editor.failed
    waits = sorted(wait for editor in editors for wait in editor.waits)
    total = {name: sum(getattr(editor, name) for editor in editors) for name in ("late", "lost", "looks")}
    if not waits:
        sys.exit(f"no edit was ever in its tile: {total}")
    at = lambda part: waits[min(len(waits) - 1, math.ceil(len(waits) * part) - 1)]
    print(f"{len(waits)} {at(0.5):.0f} {at(0.99):.0f} {waits[-1]:.0f} {total['lost']} {total['late']} {total['looks']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
