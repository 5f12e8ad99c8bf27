"""A small corpus of defects a service may have; each must be caught, and named by its kind."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import answer, judged, kinds

Document = dict[str, Any]

LINES = (
    "Vary: Accept, Cookie",
    "Set-Cookie: sessionid=a; HttpOnly; Secure; SameSite=Lax; Path=/",
    "Allow: GET, HEAD",
)


def _page() -> Document:
    return {
        "count": 3,
        "next": None,
        "results": [
            {
                "id": row,
                "name": f"Größe {row}",
                "price": f"{row}.50",
                "is_active": True,
                "weight": 1.25 * row,
                "category": {"id": row % 2, "slug": "a"},
                "created_at": f"2024-03-01T10:00:00.12345{row}Z",
            }
            for row in range(1, 4)
        ],
    }


def _set(*path: str | int, to: object) -> Callable[[Document], None]:
    def mutate(page: Document) -> None:
        *way, last = path
        place: Any = page
        for step in way:
            place = place[step]
        place[last] = to

    return mutate


def _drop(*path: str | int) -> Callable[[Document], None]:
    def mutate(page: Document) -> None:
        *way, last = path
        place: Any = page
        for step in way:
            place = place[step]
        del place[last]

    return mutate


def _swap(page: Document) -> None:
    page["results"][0], page["results"][1] = page["results"][1], page["results"][0]


def _repeat(page: Document) -> None:
    page["results"].append(page["results"][0])


IN_BODIES = {
    "drop a field": (_drop("results", 1, "name"), "missing $.results[1].name"),
    "drop a row": (_drop("results", 0), "length $.results"),
    "repeat a row": (_repeat, "length $.results"),
    "swap rows": (_swap, "order $.results"),
    "off by one": (_set("count", to=4), "value $.count"),
    "text for a number": (_set("count", to="3"), "type $.count"),
    "number for a text": (_set("results", 0, "price", to=1.5), "type $.results[0].price"),
    "one for true": (_set("results", 0, "is_active", to=1), "type $.results[0].is_active"),
    "empty text for null": (_set("next", to=""), "type $.next"),
    "null left out": (_drop("next"), "null_vs_missing $.next"),
    "last digit of a float": (
        _set("results", 0, "weight", to=1.2500000000000002),
        "value $.results[0].weight",
    ),
    "trailing zero lost": (_set("results", 0, "price", to="1.5"), "value $.results[0].price"),
    "microseconds lost": (
        _set("results", 0, "created_at", to="2024-03-01T10:00:00Z"),
        "precision_lost $.results[0].created_at",
    ),
    "an hour off": (
        _set("results", 0, "created_at", to="2024-03-01T11:00:00.123451Z"),
        "value $.results[0].created_at",
    ),
    "decomposed text": (_set("results", 0, "name", to="Gro\u0308ße 1"), "unicode_form $.results[0].name"),
    "nested id for an object": (_set("results", 0, "category", to=1), "type $.results[0].category"),
    "a column too many": (_set("results", 0, "cost", to="0.10"), "extra $.results[0].cost"),
}


@pytest.mark.parametrize(("mutate", "expected"), IN_BODIES.values(), ids=IN_BODIES)
def test_a_defect_in_the_body_is_caught(mutate, expected):
    page = _page()
    mutate(page)
    comparison = judged(answer(json.dumps(_page()), *LINES), answer(json.dumps(page), *LINES))
    assert comparison.verdict is Verdict.DIFF
    assert expected in kinds(comparison)


IN_HEADS = {
    "lose Secure": ({"Secure; ": ""}, 200, "cookie_attribute cookie.sessionid.secure"),
    "lose HttpOnly": ({"HttpOnly; ": ""}, 200, "cookie_attribute cookie.sessionid.httponly"),
    "weaken SameSite": ({"SameSite=Lax": "SameSite=None"}, 200, "cookie_attribute cookie.sessionid.samesite"),
    "rename the cookie": ({"sessionid=": "session="}, 200, "missing cookie.sessionid"),
    "forget Vary: Cookie": ({"Accept, Cookie": "Accept"}, 200, "header header.vary"),
    "allow a method": ({"GET, HEAD": "GET, HEAD, DELETE"}, 200, "header header.allow"),
    "a status of the same class": ({}, 206, "status status"),
}


@pytest.mark.parametrize(("replaced", "status", "expected"), IN_HEADS.values(), ids=IN_HEADS)
def test_a_defect_in_the_head_is_caught(replaced, status, expected):
    lines = LINES
    for old, new in replaced.items():
        lines = tuple(line.replace(old, new) for line in lines)
    comparison = judged(answer("{}", *LINES), answer("{}", *lines, status=status))
    assert comparison.verdict is Verdict.DIFF
    assert expected in kinds(comparison)
