"""A route whose service turned bad goes back to shadow by itself, once, and the audit says why."""

from contextlib import closing

import pytest
from fake_worker import status_answer

from proxy.routes import Stage
from strangler.audit import Audit
from strangler.compare.writing import Writer
from strangler.flip import flip
from strangler.steps import Forward
from strangler.table_file import read_table
from strangler.watching import WINDOW, Watch, watch
from tests.cases.compare.answers import answer, pair
from tests.cases.compare.compared import judge

ROUTE = "catalog.products"
RETREAT = "retreat = { errors = 5, diffs = 1, requests = 100 }\n"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def at_service(place, ann):
    """The route at its service, with bounds past which it retreats."""
    _declare(place, RETREAT)
    flip(place, ROUTE, Forward(Stage.SERVICE, skip=True, force=True, reason="a test"), ann)
    return place


@pytest.fixture
def told():
    return []


@pytest.fixture
def watching(at_service, ann, clock, told):
    return Watch(at_service, ann, lambda route, text: told.append((route, text)), clock)


def _declare(place, text):
    place.table.write_text(place.table.read_text().replace("# the list", "\n" + text, 1))


def _answering(requests, errors):
    """Return what a worker says whose service answered so much in the last minute."""

    def said(verb, pid=101):
        counts = {ROUTE: {"catalog": {"requests": requests, "errors": errors}}}
        return status_answer(pid, "0" * 12) | {"recent": {"60": counts}}

    return said


def _stage(place):
    return read_table(place.table).table.routes[ROUTE].stage


def _compared(place, *, matches, diffs):
    made = [judge(_pair(f"m{n}", '{"id":1}')) for n in range(matches)]
    made += [judge(_pair(f"d{n}", '{"id":2}')) for n in range(diffs)]
    with closing(Writer(place.verdicts)) as writer:
        writer.record(made)


def _pair(name, candidate):
    return pair(answer('{"id":1}'), answer(candidate), id=name, route=ROUTE, stage="service")


def test_a_service_that_answers_errors_is_left(watching, at_service, hire, told, ann):
    hire(101, lambda verb: _answering(60, 2)(verb))
    hire(102, lambda verb: _answering(60, 8)(verb, 102))
    watching.turn()
    assert _stage(at_service) is Stage.SHADOW
    *_, change = Audit(at_service.audit).read().changes
    assert change.record.reason.startswith("retreat: in the last minute 10 of 120")
    assert told[0][0] == ROUTE
    watching.turn()
    assert len(told) == 1


def test_a_few_errors_change_nothing(watching, at_service, hire, told):
    hire(101, lambda verb: _answering(1000, 50)(verb))
    watching.turn()
    assert _stage(at_service) is Stage.SERVICE
    assert told == []


def test_answers_that_differ_from_the_monoliths_are_a_reason_too(watching, at_service, clock, told):
    _compared(at_service, matches=200, diffs=100)
    watching.turn()  # what was known before counts for nothing
    assert _stage(at_service) is Stage.SERVICE
    clock.now += 10
    _compared(at_service, matches=150, diffs=3)
    watching.turn()
    assert _stage(at_service) is Stage.SHADOW
    assert "3 of 153 of the compared answers differed" in told[0][1]


def test_what_differed_over_a_minute_ago_is_forgotten(watching, at_service, clock):
    watching.turn()
    _compared(at_service, matches=99, diffs=0)
    clock.now += 1
    watching.turn()
    clock.now += WINDOW
    _compared(at_service, matches=90, diffs=9)
    watching.turn()
    assert _stage(at_service) is Stage.SERVICE


def test_a_route_that_does_not_say_so_is_left_alone(place, ann, hire, told):
    flip(place, ROUTE, Forward(Stage.SERVICE, skip=True, force=True, reason="a test"), ann)
    hire(101, lambda verb: _answering(1000, 1000)(verb))
    Watch(place, ann, lambda *words: told.append(words)).turn()
    assert _stage(place) is Stage.SERVICE
    assert told == []


def test_a_broken_table_is_told_and_nothing_ends(watching, at_service, told):
    at_service.table.write_text("nonsense")
    turns = iter([False, False, True])
    watch(watching, lambda: next(turns), lambda seconds: None)
    assert len(told) == 2
