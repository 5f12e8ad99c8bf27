"""A request waits for each upstream as its route says, and for all together no longer than the total."""

from proxy.patience import Patience
from proxy.routes import Timeouts

TIMEOUTS = Timeouts(connect=1.0, head=10.0, total=15.0)


def _begun() -> Patience:
    patience = Patience(TIMEOUTS)
    patience.begin(100.0)
    return patience


def test_nothing_is_waited_for_before_an_upstream_has_the_request() -> None:
    patience = Patience(TIMEOUTS)
    patience.connected(100.0)
    patience.begin_again(100.0)
    assert patience.deadline == 0
    assert patience.waited(200.0) == 0
    assert patience.allows_another(200.0)


def test_time_to_connect_that_was_not_used_is_none_for_the_answer() -> None:
    patience = _begun()
    assert patience.deadline == 111
    patience.connected(100.25)
    assert patience.deadline == 110.25
    assert patience.waited(103.0) == 3


def test_a_late_connection_gives_no_more_time_than_there_was() -> None:
    patience = _begun()
    patience.connected(104.0)  # it waited for others to give one back
    assert patience.deadline == 111


def test_another_upstream_has_what_is_left_of_the_total() -> None:
    patience = _begun()
    assert patience.allows_another(114.9)
    patience.begin_again(102.0)
    assert patience.deadline == 113
    patience.connected(102.0)
    assert patience.deadline == 112
    patience = _begun()
    patience.begin_again(110.0)
    assert patience.deadline == 115


def test_past_the_total_there_is_no_time_for_another() -> None:
    assert not _begun().allows_another(115.0)


def test_an_answer_that_began_is_not_waited_for() -> None:
    patience = _begun()
    patience.stop()
    assert patience.deadline == 0
    assert patience.waited(101.0) == 0
