"""Lists the collections and pages through `sitios` with OWSLib."""

import json
import sys
from urllib.parse import parse_qs, urlparse

from owslib.ogcapi.features import Features

features = Features(sys.argv[1])
assert features.api()["openapi"] == "3.0.3"
assert any(conf.endswith("ogcapi-features-1/1.0/conf/core") for conf in features.conformance()["conformsTo"])
names = features.feature_collections()

page = features.collection_items("sitios", limit=400)
matched, ids = page["numberMatched"], set()
while True:
    ids.update(feature["id"] for feature in page["features"])
    following = [link["href"] for link in page["links"] if link["rel"] == "next"]
    if not following:
        break
    cursor = parse_qs(urlparse(following[0]).query)["cursor"][0]
    page = features.collection_items("sitios", limit=400, cursor=cursor)

box = features.collection_items("barrios", bbox=[-75.3, 4.4, -75.1, 4.5], limit=1)
assert box["numberMatched"] > 0, json.dumps(box)
assert features.collection_item("barrios", "3")["properties"]["codigo"] == "B002"
print(" ".join(sorted(names)) + f"; {len(ids)} of {matched}")
