"""Asks both servers for every tile of a list and writes the lists to measure.

usage: check.py OURS MARTIN TILES LAYER FOLDER [ACCEPT_ENCODING]

TILES holds /LAYER/z/x/y a line. A tile that is 200 from both, and whole from
ours, goes into FOLDER/ours and FOLDER/martin as the paths of each server; one
that ours generalises goes into FOLDER/generalised. Prints what there was: tiles, features
and bytes of both. Ends with 1 where an answer is wrong: another status than 200 or
204, an encoding that was not asked for, bytes that do not decode.
"""
import gzip
import http.client
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import mapbox_vector_tile
import zstandard
from mapbox_vector_tile.Mapbox import vector_tile_pb2

# Reading every geometry in Python takes minutes: of so many tiles all are read
# to the last vertex, of the others the features are counted.
READ_WHOLE = 12


@dataclass
class Tally:
    """What a server answered for the tiles that are compared."""

    features: int = 0
    bytes: int = 0
    encodings: set = field(default_factory=set)


class Server:
    def __init__(self, url, accept):
        address = urlsplit(url)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
        self.headers = {"Accept-Encoding": accept} if accept else {"Accept-Encoding": "identity"}

    def get(self, path):
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        return answer, answer.read()


def plain(answer, body, accept):
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding != "identity" and encoding not in accept:
        sys.exit(f"{encoding} was not asked for")
    if encoding == "gzip":
        return encoding, gzip.decompress(body)
    if encoding == "zstd":
        return encoding, zstandard.ZstdDecompressor().decompressobj().decompress(body)
    if encoding == "identity":
        return encoding, body
    sys.exit(f"an encoding that cannot be read here: {encoding}")


def features(tile, layer, whole):
    if whole:
        return len(mapbox_vector_tile.decode(tile)[layer]["features"])
    message = vector_tile_pb2.tile()
    message.ParseFromString(tile)
    return sum(len(each.features) for each in message.layers if each.name == layer)


def main(ours_url, martin_url, tiles, layer, folder, accept=""):
    ours, martin = Server(ours_url, accept), Server(martin_url, accept)
    tallies = {"ours": Tally(), "martin": Tally()}
    empty, of_one, compared, generalised = 0, 0, [], []
    for line in open(tiles, encoding="utf-8"):
        _, _, z, x, y = line.strip().split("/")
        paths = {"ours": f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}", "martin": f"/{layer}/{z}/{x}/{y}"}
        answers = {"ours": ours.get(paths["ours"]), "martin": martin.get(paths["martin"])}
        statuses = {name: answer.status for name, (answer, _) in answers.items()}
        if not set(statuses.values()) <= {200, 204}:
            sys.exit(f"{paths}: {statuses}")
        if set(statuses.values()) == {204}:
            empty += 1
            continue
        if 204 in statuses.values():
            # A sliver that one of them drops.
            of_one += 1
            continue
        if answers["ours"][0].headers.get("lindero-generalised"):
            generalised.append(paths["ours"])
            continue
        for name, (answer, body) in answers.items():
            encoding, tile = plain(answer, body, accept)
            tally = tallies[name]
            tally.encodings.add(encoding)
            tally.bytes += len(body)
            tally.features += features(tile, layer, len(compared) < READ_WHOLE)
        compared.append(paths)
    for name in ("ours", "martin"):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as out:
            out.writelines(f"{paths[name]}\n" for paths in compared)
    with open(f"{folder}/generalised", "w", encoding="utf-8") as out:
        out.writelines(f"{path}\n" for path in generalised)

    print(f"    tiles: {len(compared)} compared, {len(generalised)} generalised by ours (not counted), "
          f"{empty} empty, {of_one} empty in one")
    if compared:
        mine, theirs = tallies["ours"], tallies["martin"]
        print(f"    features: ours {mine.features}, Martin {theirs.features}; bytes: ours {mine.bytes}, "
              f"Martin {theirs.bytes}, ratio {mine.bytes / theirs.bytes:.2f}; "
              f"encoding: ours {'+'.join(mine.encodings)}, Martin {'+'.join(theirs.encodings)}")


main(*sys.argv[1:])
