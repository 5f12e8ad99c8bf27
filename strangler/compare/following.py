"""Compare lists whose cursors nobody but their own side can read: by all their rows. Pure; asking comes in.

A cursor says nothing by itself. Both sides are followed, each by its own, and the rows compared as one list:
so a row that is skipped or repeated between two pages is found.
"""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import msgspec

from proxy.pairs import Failure, Pair, Response
from strangler.compare import coding, headers, lossless
from strangler.compare.exchange import exchange_of
from strangler.compare.judge import compare, compare_answers
from strangler.compare.lossless import Json
from strangler.compare.path import Path, Place
from strangler.compare.rules import Rule
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Kind, Side, Verdict, Weight

NAME = "cursor"
WHY = "Each side's cursor is its own; all pages behind it were compared row by row."
MAX_PAGES = 20

_CURSORS = frozenset({"cursor", "after", "before", "page_token", "continuation"})

Ask = Callable[[Side, str], Response | Failure]  # a side and the target of its next page

_LINKS = frozenset({Path(Place.JSON, ("next",)), Path(Place.JSON, ("previous",))})


def compare_followed(pair: Pair, terms: Terms, ask: Ask) -> Comparison | None:
    """Return the verdict on a list and all pages behind it; None where the links are no two cursors."""
    control, candidate = _page(pair.control_answer), _page(pair.candidate_answer)
    if control is None or candidate is None or not _are_cursors(control.get("next"), candidate.get("next")):
        return None
    rows = _all_rows(control, Side.CONTROL, ask), _all_rows(candidate, Side.CANDIDATE, ask)
    assert isinstance(pair.control_answer, Response)  # it was a page
    sides = (
        msgspec.structs.replace(pair.control_answer, headers=_PLAIN, body=_document(each)) for each in rows
    )
    found = compare_answers(exchange_of(pair.request), next(sides), next(sides), terms)
    if found.verdict is Verdict.DIFF:
        return found
    return compare(pair, Terms((*terms.rules, rule()), terms.lists, terms.renames))


def rule() -> Rule:
    """Return the rule that forgives the links, once the pages behind them were compared."""
    return Rule(
        NAME,
        Weight.NOTE,
        WHY,
        lambda difference, _: difference.kind is Kind.VALUE and difference.path in _LINKS,
    )


_PLAIN = ((b"Content-Type", b"application/json"),)


def _page(answer: Response | Failure) -> dict[str, Json] | None:
    if isinstance(answer, Failure):
        return None
    try:
        coded = headers.fields(answer.headers).get("content-encoding", "")
        tree = lossless.parse(coding.decode(answer.body, coded))
    except ValueError:
        return None
    return tree if isinstance(tree, dict) and isinstance(tree.get("results"), list) else None


def _are_cursors(control: Json, candidate: Json) -> bool:
    """Say whether two links are one but for the value of a cursor."""
    if not isinstance(control, str) or not isinstance(candidate, str):
        return False
    one, other = urlsplit(control), urlsplit(candidate)
    ours, theirs = parse_qsl(one.query), parse_qsl(other.query)
    if one.path != other.path or [name for name, _ in ours] != [name for name, _ in theirs]:
        return False
    differing = [mine[0] for mine, their in zip(ours, theirs, strict=True) if mine != their]
    return len(differing) == 1 and differing[0] in _CURSORS


def _all_rows(page: dict[str, Json], side: Side, ask: Ask) -> list[Json]:
    return [row for each in _pages(page, side, ask) for row in _rows(each)]


def _rows(page: dict[str, Json]) -> list[Json]:
    rows = page["results"]
    assert isinstance(rows, list)  # else it would be no page
    return rows


def _pages(page: dict[str, Json], side: Side, ask: Ask) -> Iterator[dict[str, Json]]:
    for _ in range(MAX_PAGES):
        yield page
        link = page.get("next")
        if not isinstance(link, str):
            return
        parts = urlsplit(link)
        following = _page(ask(side, f"{parts.path}?{parts.query}"))
        if following is None:
            return
        page = following


def _document(rows: list[Json]) -> bytes:
    return lossless.text({"results": rows}).encode("utf-8", "surrogatepass")
