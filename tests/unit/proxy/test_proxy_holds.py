"""Held writes wait in order, within bounds, and never for ever."""

from time import monotonic

import pytest

from proxy import holds as module
from proxy.holds import FOLLOW_SECONDS, MOST_BYTES, MOST_PARKED, Holds

LATER = 1e6


class Request:
    """A request that waits, as `holds.Parked` has it."""

    def __init__(self, went: list[str], name: str = "") -> None:
        self.gone = False
        self._went = went
        self._name = name

    def unparked(self) -> None:
        self._went.append(self._name)

    def forsaken(self) -> None:
        self._went.append("forsaken " + self._name)


@pytest.fixture
def went() -> list[str]:
    return []


@pytest.fixture
def holds() -> Holds:
    found = Holds()
    found.hold("catalog", 30)
    return found


def test_only_a_held_group_is_held(holds: Holds) -> None:
    assert holds.any
    assert holds.held("catalog")
    assert not holds.held("orders")
    holds.release("catalog")
    assert not holds.any


def test_writes_go_in_the_order_in_which_they_came(holds: Holds, went: list[str]) -> None:
    for name in "abc":
        assert holds.park("catalog", Request(went, name))
    assert holds.parked("catalog") == 3
    assert went == []
    assert holds.release("catalog") == 3
    assert went == ["a", "b", "c"]
    assert holds.release("catalog") == 0


def test_whoever_left_is_not_sent(holds: Holds, went: list[str]) -> None:
    left, stays = Request(went, "left"), Request(went, "stays")
    holds.park("catalog", left)
    holds.park("catalog", stays)
    left.gone = True
    assert holds.parked("catalog") == 1
    assert holds.release("catalog") == 1
    assert went == ["stays"]


def test_a_hold_is_bounded_in_number_and_those_who_left_make_room(holds: Holds, went: list[str]) -> None:
    waiting = [Request(went) for _ in range(MOST_PARKED)]
    assert all(holds.park("catalog", each) for each in waiting)
    assert not holds.park("catalog", Request(went))
    waiting[7].gone = True
    assert holds.park("catalog", Request(went))


def test_a_hold_is_bounded_in_bytes(holds: Holds, went: list[str]) -> None:
    assert holds.grew("catalog", MOST_BYTES)
    assert not holds.grew("catalog", 1)
    assert not holds.park("catalog", Request(went))
    assert holds.grew("orders", 1)


def test_a_hold_ends_by_itself(holds: Holds, went: list[str]) -> None:
    holds.park("catalog", Request(went, "a"))
    holds.sweep(monotonic())
    assert went == []
    holds.sweep(monotonic() + 31)
    assert went == ["a"]
    assert not holds.held("catalog")


def test_a_hold_that_is_asked_for_again_lasts_from_then_on(holds: Holds) -> None:
    holds.hold("catalog", LATER)
    holds.sweep(monotonic() + 31)
    assert holds.held("catalog")


def test_a_refused_write_follows_the_owner_and_waits_for_it_only_so_long(went: list[str]) -> None:
    holds = Holds()
    holds.follow("catalog", Request(went, "a"))
    holds.follow("orders", Request(went, "b"))
    assert holds.parked("catalog") == 1
    holds.owner_changed("catalog")
    assert went == ["a"]
    holds.sweep(monotonic() + FOLLOW_SECONDS - 1)
    assert went == ["a"]
    holds.sweep(monotonic() + FOLLOW_SECONDS + 1)
    assert went == ["a", "forsaken b"]
    assert holds.parked("orders") == 0


def test_followers_are_bounded_too(went: list[str]) -> None:
    holds = Holds()
    assert all(holds.follow("catalog", Request(went)) for _ in range(module.MOST_PARKED))
    assert not holds.follow("catalog", Request(went))
