"""From exec to the first tile out of the index, caught up with the log.

usage: restart.py BINARY LISTEN LAYER FEATURES ZOOM

Edits a feature while no server runs, starts BINARY at LISTEN (address:port), and asks
for a tile of that feature until it holds the edit and the server says that its
index holds FEATURES features. Prints the seconds until then, and until the first answer
of any kind. The configuration is the environment's.
"""
import http.client
import os
import signal
import subprocess
import sys
import time

import psycopg

from edits import tile

PATIENCE = 120


def get(listen, path):
    connection = http.client.HTTPConnection(listen, timeout=30)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def main(binary, listen, layer, features, zoom):
    text = f"ANTES DE ABRIR {time.time_ns()}"
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        longitude, latitude = database.execute(
            f"UPDATE {layer} SET direccion = %s WHERE id = (SELECT id FROM {layer} ORDER BY random() LIMIT 1)"
            " RETURNING ST_X(ST_Centroid(geom)), ST_Y(ST_Centroid(geom))", (text,)).fetchone()
    column, row = tile(longitude, latitude, int(zoom))
    path = f"/collections/{layer}/tiles/WebMercatorQuad/{zoom}/{row}/{column}"
    began, answered = time.monotonic(), None
    server = subprocess.Popen([binary, "serve"], env={**os.environ, "LINDERO_LISTEN": listen}, stdout=subprocess.DEVNULL)
    try:
        while time.monotonic() < began + PATIENCE:
            if server.poll() is not None:
                sys.exit("the server ended")
            status, metrics = get(listen, "/metrics")
            if status == 200:
                answered = answered or time.monotonic()
                held = [line.split()[-1] for line in metrics.decode().splitlines()
                        if line.startswith("lindero_tile_index_features")]
                if sum(float(each) for each in held) >= int(features):
                    status, body = get(listen, path)
                    if status == 200 and text.encode() in body:
                        print(f"{time.monotonic() - began:.2f} {answered - began:.2f}")
                        return
            time.sleep(0.005)
        sys.exit(f"no such tile in {PATIENCE} s")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
