"""Judged pairs to fill a store with."""

from proxy.pairs import Pair
from strangler.compare.judge import compare
from strangler.compare.store import Judged
from tests.cases.compare.answers import answer, pair


def judge(made: Pair) -> Judged:
    """Return a pair with its verdict."""
    return Judged(made, compare(made))


def matching(number: int, **more) -> Judged:
    """Return a pair that matches; `number` is its request id and its second."""
    same = answer('{"id":1}')
    return judge(pair(same, same, id=f"req-{number}", at=float(number), **more))


def differing(number: int, field: str = "id", **more) -> Judged:
    """Return a pair that differs in one field."""
    control, candidate = answer(f'{{"{field}":1}}'), answer(f'{{"{field}":2}}')
    return judge(pair(control, candidate, id=f"req-{number}", at=float(number), **more))
