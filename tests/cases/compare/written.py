"""Make what a rehearsed write did, and pairs of such answers, in a line."""

import json
from typing import Any

import msgspec

from proxy.pairs import Pair, Request, Response
from strangler.compare import lossless
from strangler.compare.effects import packed
from strangler.compare.judge import compare
from strangler.compare.rule_book import RuleBook
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison
from tests.cases.compare.answers import answer, pair, request

AT = 1_700_000_000.0  # 2023-11-14T22:13:20Z

Tree = dict[str, Any]


def row(table: str, op: str, key: Tree, written: Tree | None = None) -> Tree:
    """Return one row; of what is written it is enough to name what is beside the key."""
    return {
        "table": table,
        "op": op,
        "key": key,
        "row": None if op == "delete" else {**key, **(written or {})},
    }


def wrote(*rows: Tree, **more: Any) -> bytes:
    """Return the header's value for rows, and for events, calls, mails, log or copied."""
    tree = {"rows": list(rows), "events": [], "calls": [], "mails": [], **more}
    return packed(lossless.parse(json.dumps(tree).encode()))


def told(effects: bytes | None, body: Any = None, *lines: str, status: int = 200) -> Response:
    """Return an answer that tells effects; None for one that tells none."""
    given = answer("" if body is None else json.dumps(body), *lines, status=status)
    if effects is None:
        return given
    return msgspec.structs.replace(given, headers=(*given.headers, (b"X-Strangler-Effects", effects)))


def rehearsed(
    control: Response, candidate: Response, asked: Request | None = None, *, at: float = AT, **more: Any
) -> Pair:
    """Return the pair of a write that one side performed and the other rehearsed."""
    made = pair(control, candidate, asked or request("POST", "/api/products/"), at=at)
    return msgspec.structs.replace(made, rehearsed=True, **more)


def verdict_on(
    control: Response, candidate: Response, asked: Request | None = None, book: RuleBook | None = None
) -> Comparison:
    """Return the verdict on a rehearsed write."""
    made = rehearsed(control, candidate, asked)
    return compare(made, book.terms(made.route, made.at) if book else Terms())
