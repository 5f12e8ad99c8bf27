"""Which breaker a route has, and that a new table never flips one."""

import logging
from pathlib import Path

from proxy.breaker import Breaker, State
from proxy.decide import Router
from proxy.exposition import exposition
from proxy.guard import Guards
from proxy.metrics import Metrics
from proxy.table import parse_table

LOG = logging.getLogger("test")


def _router(*routes: str, port: int = 2) -> Router:
    text = f"""version = 1
[upstreams.monolith]
url = "http://m:1"
[upstreams.catalog]
url = "http://c:{port}"
[groups.g]
service = "catalog"
tables = ["t"]
owner = "monolith"
"""
    for number, extra in enumerate(routes):
        text += f"""[[routes]]
name = "r{number}"
group = "g"
path = "/{number}/"
methods = ["GET"]
{extra or 'stage = "service"'}
"""
    return Router(parse_table(text, "f"))


def _breaker(guards: Guards, router: Router, route: str) -> Breaker | None:
    return guards.of(router.table.routes[route]).breaker


OWN = 'stage = "service"\nbreaker = { volume = 3 }'
NONE = 'stage = "service"\nbreaker = { enabled = false }'


def test_routes_of_one_service_share_its_breaker_unless_they_have_their_own() -> None:
    guards, router = Guards(LOG, Metrics(None)), _router("", "", OWN, OWN, NONE)
    guards.adopt(router)
    first, second, own, other, none = (_breaker(guards, router, f"r{n}") for n in range(5))
    assert first is second is not None
    assert len({id(each) for each in (first, own, other)}) == 3
    assert none is None
    assert [(each.upstream, each.route) for each in guards.breakers()] == [
        ("catalog", ""),
        ("catalog", "r2"),
        ("catalog", "r3"),
    ]


def test_a_flip_keeps_an_open_breaker_open() -> None:
    guards, before, after = (
        Guards(LOG, Metrics(None)),
        _router("", OWN),
        _router('stage = "monolith"', OWN, ""),
    )
    guards.adopt(before)
    breakers = list(guards.breakers())
    for each in breakers:
        for _ in range(each.options.volume):
            each.failed(1.0, probe=False)
    guards.adopt(after)
    assert {id(each) for each in guards.breakers()} == {id(each) for each in breakers}
    assert {each.state for each in guards.breakers()} == {State.OPEN}


def test_a_service_at_another_address_begins_anew() -> None:
    guards = Guards(LOG, Metrics(None))
    guards.adopt(_router(""))
    (before,) = guards.breakers()
    guards.adopt(_router("", port=3))
    (after,) = guards.breakers()
    assert before is not after


def test_an_open_breaker_that_no_route_has_any_more_is_told_no_longer(tmp_path: Path) -> None:
    guards = Guards(LOG, Metrics(tmp_path))
    guards.adopt(_router(OWN))
    (breaker,) = guards.breakers()
    for _ in range(breaker.options.volume):
        breaker.failed(1.0, probe=False)
    open_ = 'strangler_breakers{route="r0",state="open",upstream="catalog"}'
    assert f"{open_} 1.0" in exposition(tmp_path).decode()
    guards.adopt(_router(NONE))
    assert list(guards.breakers()) == []
    assert f"{open_} 0.0" in exposition(tmp_path).decode()


def test_other_options_make_another_breaker() -> None:
    guards = Guards(LOG, Metrics(None))
    guards.adopt(_router(OWN))
    (before,) = guards.breakers()
    guards.adopt(_router(OWN.replace("3", "4")))
    (after,) = guards.breakers()
    assert (before.options.volume, after.options.volume) == (3, 4)
