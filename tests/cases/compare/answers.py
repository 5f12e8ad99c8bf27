"""Make requests, answers and pairs in a line."""

import json
from datetime import date

from proxy.pairs import Failure, Headers, Pair, Request, Response
from strangler.compare.judge import compare
from strangler.compare.rule_book import RuleBook, Verb, parse_rules
from strangler.compare.verdict import Comparison

JSON = "application/json"


def fields(*lines: str) -> Headers:
    """Return header fields from `Name: value` lines."""
    split = (line.partition(":") for line in lines)
    return tuple((name.encode("latin-1"), value.strip().encode("latin-1")) for name, _, value in split)


def answer(body: bytes | str = b"", *lines: str, status: int = 200, content_type: str = JSON) -> Response:
    """Return a whole answer; with an empty `content_type` it has only the fields given."""
    typed = (f"Content-Type: {content_type}", *lines) if content_type else lines
    content = body.encode() if isinstance(body, str) else body
    return Response(status, fields(*typed), content, False, 0.01)


def request(method: str = "GET", target: str = "/api/items/", *lines: str, body: bytes = b"") -> Request:
    """Return a request to shop.test as the proxy forwards it."""
    return Request(method, target, fields("Host: shop.test", "X-Forwarded-Proto: http", *lines), body)


def pair(
    control: Response | Failure,
    candidate: Response | Failure,
    asked: Request | None = None,
    *,
    id: str = "req-1",  # noqa: A002 - the pair's own word
    at: float = 1_700_000_000.0,
    route: str = "catalog.products",
    stage: str = "shadow",
) -> Pair:
    """Return a pair of one request."""
    return Pair(id, at, route, stage, "3f2a", "monolith", "catalog", asked or request(), control, candidate)


def judged(
    control: Response | Failure, candidate: Response | Failure, asked: Request | None = None
) -> Comparison:
    """Return the verdict under the shipped rules."""
    return compare(pair(control, candidate, asked))


def bodies(control: bytes | str, candidate: bytes | str) -> Comparison:
    """Return the verdict on two JSON bodies of answers that are alike otherwise."""
    return judged(answer(control), answer(candidate))


def kinds(comparison: Comparison) -> list[str]:
    """Return the differences as `kind path`."""
    return [f"{each.kind} {each.path}" for each in comparison.differences]


def rules(comparison: Comparison) -> set[str]:
    """Return the names of the rules that forgave something."""
    return {each.rule for each in comparison.forgiven}


def book(*own: dict[str, object]) -> RuleBook:
    """Return the rules of a team, each as in the file; name, route, reason and owner are filled in."""
    usual = {"route": "catalog.products", "reason": "a case", "owner": "tests"}
    texts = []
    for given in own:
        rule = {"name": next(verb.value for verb in Verb if verb in given), **usual, **given}
        texts.append("[[rules]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in rule.items()))
    return parse_rules("version = 1\n" + "\n".join(texts), "compare.toml")


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value)
