"""Whatever is killed when, nothing acknowledged is lost, and never do both sides take writes."""

import pytest

from tests.e2e.takeover_kills import things_on, torment

KILLS = 8


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_whatever_is_killed_when_no_acknowledged_write_is_lost(engine, tmp_path, request):
    server = request.getfixturevalue("postgres") if engine == "postgresql" else None
    tally = torment(things_on(engine, tmp_path, server), KILLS, seed=1)
    assert tally.lost == []
    assert tally.both_writable == 0
    assert tally.samples > 0
    assert tally.acknowledged > 100
