"""Behind the real proxy, whatever dies, whenever: no acknowledged write is lost, none is done twice."""

import pytest

from tests.e2e.takeover_stack import running_stack
from tests.e2e.takeover_storm import rage

KILLS = 6


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_behind_the_proxy_whatever_dies_no_write_is_lost_or_done_twice(engine):
    with running_stack(engine) as stack:
        tally = rage(stack, KILLS, seed=1)
    assert tally.wrong == []
    assert tally.both_writable == 0
    assert tally.samples > 0
    assert tally.writes["done"] > 20
