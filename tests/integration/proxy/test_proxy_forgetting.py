"""What one worker forgets, all workers of the machine forget."""

import stat
from pathlib import Path

from proxy.forgetting import Forgotten


def test_every_process_that_shares_the_file_forgets_at_once(tmp_path: Path) -> None:
    one, other = Forgotten(tmp_path / "f"), Forgotten(tmp_path / "f")
    before, untouched = other.mark("alice"), other.mark("bob")
    one.forget("alice")
    assert other.mark("alice") != before
    assert other.mark("alice") == one.mark("alice")
    assert other.mark("bob") == untouched
    one.close()
    other.close()


def test_a_session_forgotten_twice_never_looks_as_before(tmp_path: Path) -> None:
    shared = Forgotten(tmp_path / "f")
    marks = {shared.mark("alice")}
    for _ in range(100):
        shared.forget("alice")
        marks.add(shared.mark("alice"))
    assert len(marks) == 101
    shared.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Forgotten(tmp_path / "f").close()
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
