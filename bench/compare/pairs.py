"""The pairs that every comparer gets: a page of products, as Django answers it and a service might. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from proxy.pairs import Headers, Pair, Request, Response

ROWS = 46  # with these the body has 15 KB

Document = dict[str, Any]

_HEAD = (
    "Content-Type: application/json",
    "Allow: GET, POST, HEAD, OPTIONS",
    "X-Frame-Options: DENY",
    "Vary: Accept, Cookie",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: same-origin",
    "Cross-Origin-Opener-Policy: same-origin",
)
_CONTROL_HEAD = (*_HEAD, "Server: gunicorn", "Date: Wed, 25 Nov 2026 10:00:00 GMT")
_CANDIDATE_HEAD = (*_HEAD, "Server: gunicorn", "Date: Wed, 25 Nov 2026 10:00:01 GMT")


def page() -> Document:
    """Return the page as the monolith has it."""
    return {
        "count": 2000,
        "next": "http://shop.test/api/products/?page=2&page_size=46",
        "previous": None,
        "results": [_row(number) for number in range(1, ROWS + 1)],
    }


def candidates() -> Mapping[str, bytes]:
    """Return what the service answers, by what is different about it."""
    return {
        "equal, same bytes": _django(page()),
        "equal, Flask's spelling": json.dumps(page(), sort_keys=True).encode() + b"\n",
        "three values differ": _changed(_three_values),
        "a row is missing": _changed(lambda document: document["results"].pop(20)),
        "every row differs": _changed(_every_row),
    }


def control() -> bytes:
    """Return the monolith's bytes."""
    return _django(page())


def pair(candidate: bytes, number: int = 0) -> Pair:
    """Return the pair that the proxy would hand on."""
    request = Request("GET", "/api/products/?page_size=46", _fields(("Host: shop.test",)), b"")
    ours = Response(200, _fields(_CONTROL_HEAD), control(), False, 0.01)
    theirs = Response(200, _fields(_CANDIDATE_HEAD), candidate, False, 0.01)
    at = 1_700_000_000.0 + number / 1000
    return Pair(
        f"r{number}",
        at,
        "catalog.products",
        "shadow",
        "v",
        "monolith",
        "catalog",
        request,
        ours,
        theirs,
        "anonymous",
    )


def _row(number: int) -> Document:
    return {
        "id": number,
        "sku": f"PL-{number:07}",
        "name": f"Małysiak Olive tree {number}, grün",
        "slug": f"maysiak-olive-tree-grun-{number}",
        "category": {"id": number % 19, "name": "Plants", "slug": "plants"},
        "price": f"{number}.17",
        "currency": "EUR",
        "rating_average": "3.40",
        "rating_count": 5,
        "image": "/static/pages/art/plant.svg",
        "created_at": "2024-10-28T10:32:04.395172Z",
        "updated_at": "2024-10-30T17:51:01.395172Z",
    }


def _django(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _changed(change: Callable[[Document], object]) -> bytes:
    document = page()
    change(document)
    return _django(document)


def _three_values(document: Document) -> None:
    document["results"][3]["price"] = "0.00"
    document["results"][20]["category"]["id"] = 77
    document["count"] = 1999


def _every_row(document: Document) -> None:
    for row in document["results"]:
        row["rating_average"] = float(row["rating_average"])


def _fields(lines: tuple[str, ...]) -> Headers:
    split = (line.partition(": ") for line in lines)
    return tuple((name.encode(), value.encode()) for name, _, value in split)
