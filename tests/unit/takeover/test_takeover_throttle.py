"""How fast a follower may go at a load."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strangler.takeover.state import Pace
from strangler.takeover.throttle import (
    CHUNKS_THAT_TELL,
    FREE,
    LONGEST,
    ROWS_THAT_TELL,
    Gait,
    Load,
    Rhythm,
    gait,
)

AMOUNT = st.floats(0, 1e6)
COUNT = st.integers(0, 10_000)
LOADS = st.builds(
    Load, st.none() | AMOUNT, st.none() | COUNT, waited=st.none() | AMOUNT, slower=st.none() | AMOUNT
)
PACES = st.builds(
    Pace,
    max_lag=AMOUNT,
    max_active=COUNT,
    critical_active=COUNT,
    max_wait=AMOUNT,
    max_slower=AMOUNT,
)
EACH = [
    (Pace(max_lag=1.5), Load(lag=3.0), "a standby is 3.0 s behind, at most 1.5"),
    (Pace(max_active=4), Load(active=8), "8 sessions of the monolith's database at work, at most 4"),
    (Pace(max_wait=0.1), Load(waited=0.2), "0.20 s in line for the write lock, at most 0.1"),
    (Pace(max_slower=2), Load(slower=4.0), "a row takes 4.0 times as long as at first, at most 2"),
]


def slowness(found: Gait) -> tuple[bool, float]:
    return found.still, found.rest


@pytest.mark.parametrize(("pace", "load", "why"), EACH)
def test_past_a_limit_it_rests_by_how_far_it_is_past_it_and_says_which(pace, load, why):
    found = gait(pace, load)
    assert (found.still, found.rest, found.why) == (False, 2.0, why)


def test_past_the_critical_load_it_stands_still_whatever_else_is_free():
    found = gait(Pace(critical_active=9, max_lag=5), Load(lag=0.0, active=10))
    assert (found.still, found.because) == (True, "critical load")


@given(PACES, LOADS)
def test_paused_it_stands_still_at_any_load(pace, load):
    assert gait(msgspec.structs.replace(pace, paused=True), load).still


@given(LOADS)
def test_without_limits_no_load_slows_it(load):
    assert gait(Pace(), load) == FREE


@given(PACES)
def test_what_nobody_can_measure_slows_nothing(pace):
    assert gait(pace, Load()) == FREE


@given(PACES, LOADS)
def test_it_never_rests_for_good_and_says_why_exactly_where_it_is_slow(pace, load):
    found = gait(pace, load)
    assert 0 <= found.rest <= LONGEST
    assert bool(found.why) == bool(found.because) == (found != FREE)


@given(PACES, LOADS, st.sampled_from(["lag", "active", "waited", "slower"]), st.integers(0, 1000))
def test_more_load_never_makes_it_faster(pace, load, what, more):
    value = getattr(load, what)
    assume(value is not None)
    assert slowness(gait(pace, replace(load, **{what: value + more}))) >= slowness(gait(pace, load))


@given(PACES, LOADS, st.sampled_from(["max_lag", "max_active", "critical_active", "max_wait", "max_slower"]))
def test_a_tighter_limit_never_makes_it_faster(pace, load, what):
    limit = getattr(pace, what)
    assume(limit >= 2)
    tighter = msgspec.structs.replace(pace, **{what: limit // 2})
    assert slowness(gait(tighter, load)) >= slowness(gait(pace, load))


def rhythm(*seconds: float, table: str = "thing") -> Rhythm:
    found = Rhythm()
    for took in seconds:
        found = found.after(table, ROWS_THAT_TELL, took)
    return found


def test_chunks_that_take_longer_than_the_first_ones_are_slower():
    assert rhythm(1, 1, 1, 3, 3, 3).slower == 3


def test_one_slow_chunk_is_not_a_slow_database():
    assert rhythm(1, 1, 1, 1, 9, 1).slower == 1


@given(st.lists(st.floats(1e-6, 1e6), max_size=CHUNKS_THAT_TELL - 1))
def test_a_few_chunks_say_nothing(seconds):
    assert rhythm(*seconds).slower is None


def test_another_table_begins_anew_and_small_chunks_say_nothing():
    known = rhythm(1, 1, 1)
    assert known.after("thing", ROWS_THAT_TELL - 1, 99.0) == known
    assert known.after("", 0, 99.0) == known
    assert known.after("other", ROWS_THAT_TELL, 5.0).slower is None
