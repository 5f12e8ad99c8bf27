"""What is counted against a proxy, and which figures are drawn from its answers."""

import msgspec
import pytest

from bench.paced import read_seen
from bench.seen import Answer, Seen, answered_by, percentile
from strangler.errors import LoadFailed


def answer(status: int = 200, origin: str = "monolith") -> Answer:
    return Answer(sent=1.0, seconds=0.001, turn=0, status=status, origin=origin)


def test_clients_without_an_answer_are_no_measurement() -> None:
    output = msgspec.msgpack.encode(Seen([], lost=3, refused=1, closed=0))
    with pytest.raises(LoadFailed, match="3 requests lost, 1 connections refused"):
        read_seen(output, b"")


def test_what_clients_say_instead_of_a_measurement_is_shown() -> None:
    with pytest.raises(LoadFailed, match="No module named"):
        read_seen(b"", b"No module named uvloop")


def test_every_way_to_miss_an_answer_is_an_error() -> None:
    assert Seen([answer(), answer(502)], lost=2, refused=1, closed=0).errors == 4


def test_a_connection_closed_between_requests_is_no_error() -> None:
    assert Seen([answer()], lost=0, refused=0, closed=7).errors == 0


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_percentiles_are_nearest_rank(percent: float, value: float) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 99) == 0.0


def test_answers_are_counted_by_the_origin_they_name() -> None:
    answers = [answer(), answer(origin="service"), answer()]
    assert answered_by(answers) == {"monolith": 2, "service": 1}
