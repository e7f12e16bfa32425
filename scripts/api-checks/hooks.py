"""What the API's schemas cannot say, said to schemathesis.

Each entry is explained in docs/src/developer/api-checks.md.
"""

import base64
import math

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


@schemathesis.hook
def before_call(context, case, kwargs):
    """Well-formed requests are made possible ones; wrong ones stay wrong."""
    query = case.query
    if not query:
        return
    # More than the most is read as the most (OGC 17-069r4, /req/core/fc-limit-response-1);
    # elsewhere, and below, what is out of range is refused.
    limit = str(query.get("limit", ""))
    if case.path.endswith("/items") and limit.isdigit() and int(limit) > MOST:
        query["limit"] = "0"
    # A wrong request must not be touched otherwise: schemathesis would look at it again, and
    # take it for a valid one where all that is wrong is a text of a format unknown to it.
    if case.meta and case.meta.generation.mode.is_negative:
        return
    numbers = as_numbers(query.get("bbox"))
    if numbers:
        query["bbox"] = ",".join(map(repr, box(numbers)))
    # Positions are counted or named, not both.
    if "cursor" in query:
        query.pop("offset", None)
