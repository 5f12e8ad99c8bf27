"""What the soak takes for a broken promise."""

import json
import random
from dataclasses import replace

import pytest

from bench.soak.ask import Ask, Kind, some_ask
from bench.soak.judge import (
    LONG_ENOUGH,
    MIB,
    Got,
    Held,
    Judged,
    Outcome,
    Sample,
    Tally,
    Write,
    Writes,
    judge_answer,
    judge_held,
    judge_run,
    judge_writes,
)
from bench.soak.table import Stand, flipped, moved, table
from proxy.errors import ForwardError
from proxy.routes import Stage
from proxy.table import parse_table

ASK = Ask("a-1", "GET", Kind.LENGTH, 1000)
RIGHT = Got(200, "service", "a-1", ASK.digest, ASK.body, framed=True, whole=True)
NOTHING_HELD = Held(None, None, 10, {1: 10})
NO_WRITES = Writes(0, 0, 0, 0, (), (), ())


def own(error: ForwardError, **more: object) -> Got:
    body = json.dumps({"error": error.id}).encode()
    return Got(error.status, "", "", "", body, framed=True, whole=True, **more)  # type: ignore[arg-type]


def test_an_answer_that_is_complete_and_right_is_right() -> None:
    assert judge_answer(ASK, RIGHT) == Judged(Outcome.RIGHT)


@pytest.mark.parametrize(
    ("got", "why"),
    [
        (replace(RIGHT, body=ASK.body[:-1] + b"?"), "not those"),
        (replace(RIGHT, body=ASK.body[:500]), "taken for the whole"),
        (replace(RIGHT, body=ASK.body + b"x"), "not those"),
        (replace(RIGHT, body=b"x" + ASK.body[:10], whole=False), "not those"),
        (replace(RIGHT, body=ASK.body[:10], whole=False, framed=False), "cannot be seen"),
        (replace(RIGHT, echo="a-2"), "the answer to a-2"),
        (replace(RIGHT, status=500), "status 500"),
        (replace(RIGHT, digest="another"), "another body"),
        (replace(own(ForwardError.OVERLOADED), status=500), "neither"),
        (replace(RIGHT, origin=""), "neither"),
    ],
)
def test_anything_else_is_wrong(got: Got, why: str) -> None:
    judged = judge_answer(ASK, got)
    assert judged.outcome is Outcome.WRONG
    assert why in judged.why


def test_a_part_of_the_right_answer_that_shows_is_cut() -> None:
    assert judge_answer(ASK, replace(RIGHT, body=ASK.body[:10], whole=False)).outcome is Outcome.CUT


def test_the_proxys_own_errors_are_told_from_an_origins() -> None:
    assert all(judge_answer(ASK, own(error)).outcome is Outcome.OWN_ERROR for error in ForwardError)
    failed = replace(ASK, kind=Kind.FAILED)
    assert judge_answer(failed, replace(RIGHT, status=503)).outcome is Outcome.RIGHT


def test_a_body_behind_the_answer_to_a_head_request_is_wrong() -> None:
    ask = replace(ASK, method="HEAD")
    assert judge_answer(ask, RIGHT).outcome is Outcome.WRONG
    assert judge_answer(ask, replace(RIGHT, body=b"")).outcome is Outcome.RIGHT


def test_a_write_that_reached_both_origins_is_found_whatever_its_client_saw() -> None:
    writes = {"w-1": Write(Outcome.LEFT, "d1"), "w-2": Write(Outcome.RIGHT, "d2")}
    found = judge_writes(writes, ["asked w-1", "asked w-2", "done w-2 d2", "asked w-1"])
    assert (found.twice, found.lost, found.mangled) == (("w-1",), (), ())


def test_a_write_that_a_fence_refused_may_reach_the_other_origin() -> None:
    records = ["asked w-1", "refused w-1", "asked w-1", "done w-1 d1"]
    found = judge_writes({"w-1": Write(Outcome.RIGHT, "d1")}, records)
    assert (found.twice, found.lost, found.mangled, found.refused) == ((), (), (), 1)
    assert judge_writes({"w-1": Write(Outcome.RIGHT, "d1")}, [*records, "asked w-1"]).twice == ("w-1",)


def test_a_write_answered_as_done_and_not_done_is_lost() -> None:
    writes = {"w-1": Write(Outcome.RIGHT, "d1"), "w-2": Write(Outcome.CUT, "d2")}
    assert judge_writes(writes, ["asked w-1", "asked w-2"]).lost == ("w-1",)


def test_a_half_upload_that_was_taken_for_the_whole_is_mangled() -> None:
    assert judge_writes({"w-1": Write(Outcome.LEFT, "all")}, ["asked w-1", "done w-1 half"]).mangled == (
        "w-1",
    )


def samples(sizes: list[float]) -> list[Sample]:
    return [Sample(float(at), 7, int(size * MIB), 20) for at, size in enumerate(sizes)]


def test_memory_that_rises_and_stays_is_flat_and_memory_that_goes_on_rising_is_not() -> None:
    n = LONG_ENOUGH
    flat = judge_held(samples([30.0] * (n // 3) + [60.0] * n), 7, 20, {})
    rising = judge_held(samples([30 + 20 * at / n for at in range(n)]), 7, 20, {})
    assert (flat.grew, rising.grew) == (False, True)


def test_a_short_run_says_nothing_of_memory() -> None:
    held = judge_held(samples([30.0] * (LONG_ENOUGH - 1)), 7, 20, {})
    kept = {promise.kept for promise in judge_run(_tally(right=10), NO_WRITES, held, 0)}
    assert kept == {True, None}


def _tally(**outcomes: int) -> Tally:
    tally = Tally()
    for name, number in outcomes.items():
        tally.outcomes[Outcome[name.upper()]] = number
    return tally


@pytest.mark.parametrize(
    ("tally", "writes", "held", "faults", "broken"),
    [
        (_tally(right=9, wrong=1), NO_WRITES, NOTHING_HELD, 0, "no answers with wrong bytes"),
        (_tally(right=9, hung=1), NO_WRITES, NOTHING_HELD, 0, "no requests that hung"),
        (_tally(right=9, refused=1), NO_WRITES, NOTHING_HELD, 0, "no connections refused"),
        (_tally(right=2, own_error=8), NO_WRITES, NOTHING_HELD, 0, "at least 25 %"),
        (_tally(), NO_WRITES, NOTHING_HELD, 0, "at least 25 %"),
        (_tally(right=9), replace(NO_WRITES, twice=("w",)), NOTHING_HELD, 0, "no writes that reached"),
        (_tally(right=9), replace(NO_WRITES, lost=("w",)), NOTHING_HELD, 0, "no writes answered"),
        (_tally(right=9), replace(NO_WRITES, mangled=("w",)), NOTHING_HELD, 0, "no writes done with"),
        (_tally(right=9), NO_WRITES, Held(30 * MIB, 40 * MIB, 10, {1: 10}), 0, "memory of the worker"),
        (_tally(right=9), NO_WRITES, Held(None, None, 10, {1: 10, 2: 11}), 0, "every file descriptor"),
        (_tally(right=9), NO_WRITES, NOTHING_HELD, 1, "no faults"),
    ],
)
def test_each_broken_promise_is_called_broken(
    tally: Tally, writes: Writes, held: Held, faults: int, broken: str
) -> None:
    found = [promise.text for promise in judge_run(tally, writes, held, faults) if promise.kept is False]
    assert len(found) == 1
    assert found[0].startswith(broken)


def test_requests_are_of_every_kind_and_no_two_are_the_same() -> None:
    chance = random.Random(1)
    asks = [some_ask(chance, number) for number in range(500)]
    assert {ask.kind for ask in asks} == set(Kind)
    assert {ask.method for ask in asks} == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    assert any(ask.chunked for ask in asks)
    assert any(ask.upload > 64 * 1024 for ask in asks)
    assert len({ask.path for ask in asks}) == len(asks)


def test_every_table_of_a_soak_is_sound() -> None:
    chance, stand, seen = random.Random(1), Stand(), set()
    for _ in range(100):
        stand = moved(stand) if chance.random() < 0.5 else flipped(chance, stand)
        seen.add((stand.reads, stand.owner))
        found = parse_table(table(20001, 20002, stand), "routes.toml")
        assert found.routes["soak.write"].stage.reaches_service is (stand.owner == "service")
    assert {reads for reads, _ in seen} == {Stage.MONOLITH, Stage.SHADOW, Stage.CANARY, Stage.SERVICE}
    assert len(seen) == 8
