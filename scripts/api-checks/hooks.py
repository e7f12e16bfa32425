"""What the API's schemas cannot say, said to schemathesis.

Each entry is explained in docs/src/developer/api-checks.md.
"""

import base64
import json
import math
import re

import schemathesis
from hypothesis import strategies as st

instants = st.datetimes().map(lambda at: at.isoformat(timespec="seconds") + "Z")


@st.composite
def intervals(draw):
    """Two instants in order, either of them open."""
    first, last = sorted([draw(instants), draw(instants)])
    return draw(st.sampled_from([first, f"{first}/{last}", f"{first}/..", f"../{last}"]))


schemathesis.openapi.format("ogc-datetime", intervals())


def cursors(kind, ids):
    """Cursors as next links have them: the ids' kind and the id, in base64."""
    return ids.map(lambda id: base64.urlsafe_b64encode(f"{kind}{id}".encode()).rstrip(b"=").decode())


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
for name, kind, ids in [
    ("number", "n", st.integers(min_value=-(2**63), max_value=2**63 - 1)),
    ("text", "t", texts),
    ("uuid", "t", st.uuids()),
]:
    schemathesis.openapi.format(f"lindero-cursor-{name}", cursors(kind, ids))

# Filters that fit every layer of the demonstration city, as text and as JSON.
POINT = {"type": "Point", "coordinates": [-75.2322, 4.4389]}
FILTERS = {
    "true": True,
    "NOT false": {"op": "not", "args": [False]},
    "geom IS NOT NULL": {"op": "not", "args": [{"op": "isNull", "args": [{"property": "geom"}]}]},
    "1 + 2 * 3 >= 7 OR 1 / 0 = 1": {"op": ">=", "args": [{"op": "+", "args": [1, 2]}, 3]},
    "CASEI('Ñ') LIKE CASEI('ñ%')": {"op": "like", "args": [{"op": "casei", "args": ["Ñ"]}, {"op": "casei", "args": ["ñ%"]}]},
    "S_INTERSECTS(geom, BBOX(-75.3,4.3,-75.1,4.5))":
        {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [-75.3, 4.3, -75.1, 4.5]}]},
    "S_DISJOINT(geom, POINT(-75.2322 4.4389))": {"op": "s_disjoint", "args": [{"property": "geom"}, POINT]},
    "T_BEFORE(DATE('2026-01-01'), INTERVAL('2026-01-02', '..'))":
        {"op": "t_before", "args": [{"date": "2026-01-01"}, {"interval": ["2026-01-02", ".."]}]},
}
schemathesis.openapi.format("lindero-cql2", st.sampled_from(list(FILTERS)))

MOST = 10_000


def box(numbers):
    """A box of four or six numbers, made one on the earth, south first."""
    corners = numbers if len(numbers) == 4 else numbers[:2] + numbers[3:5]
    spans = (360, 180, 360, 180)
    west, south, east, north = (math.remainder(number, span) for number, span in zip(corners, spans))
    south, north = sorted([south, north])
    return [west, south, east, north] if len(numbers) == 4 else [west, south, numbers[2], east, north, numbers[5]]


def as_numbers(value):
    """The numbers of a bbox as schemathesis holds it: a list, or its text."""
    try:
        numbers = [float(part) for part in (value.split(",") if isinstance(value, str) else value)]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) in (4, 6) and all(map(math.isfinite, numbers)) else None


def is_cursor(text):
    """Whether a text is what a next link might carry."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)[:1] in (b"n", b"t")
    except ValueError:
        return False


# How values of the formats look that only our generators know.
LOOKS = {"datetime": re.compile(r"[0-9T:Z./-]+").fullmatch, "cursor": is_cursor, "filter": FILTERS.__contains__}


@schemathesis.hook
def filter_case(context, case):
    """A link to follow is an address, not the template of one, as TileJSON has it."""
    return not any("{" in str(value) for value in (case.path_parameters or {}).values())


@schemathesis.hook
def before_call(context, case, kwargs):
    """Well-formed boxes lie on the earth; garbage stays garbage."""
    query = case.query
    if not query:
        return
    # What is garbled is refused whatever else is there. To change something would have
    # schemathesis look again, and hold any text to be of a format that it does not know.
    if any(name in query and not looks_right(str(query[name])) for name, looks_right in LOOKS.items()):
        return
    numbers = as_numbers(query.get("bbox"))
    if numbers:
        query["bbox"] = ",".join(map(repr, box(numbers)))
    # A filter is in the language that is said.
    if "filter" in query and query.get("filter-lang") == "cql2-json":
        query["filter"] = json.dumps(FILTERS[query["filter"]], ensure_ascii=False)
    # Positions are counted or named, not both.
    if "cursor" in query and str(query.get("offset", "0")).isdigit():
        query.pop("offset", None)
    # More than the most is read as the most (OGC 17-069r4, /req/core/fc-limit-response-1);
    # elsewhere, and below, what is out of range is refused.
    limit = str(query.get("limit", ""))
    if case.path.endswith("/items") and limit.isdigit() and int(limit) > MOST:
        query["limit"] = "0"
