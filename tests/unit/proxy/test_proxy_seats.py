"""Every worker has a seat of its own, and a dead worker's is the next one's."""

import subprocess
import sys
from pathlib import Path

from proxy.seats import seats, take

HOLDING = """
import sys
from pathlib import Path
from proxy.seats import take
print(take(Path(sys.argv[1])).number, flush=True)
sys.stdin.read()
"""


def _numbers(folder: Path) -> dict[int, bool]:
    return {seat.number: seat.held for seat in seats(folder)}


def test_no_two_hold_the_same_seat(tmp_path: Path) -> None:
    found = [take(tmp_path) for _ in range(12)]
    assert [seat.number for seat in found if seat] == list(range(12))
    assert _numbers(tmp_path) == dict.fromkeys(range(12), True)


def test_a_killed_holders_seat_is_free_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"0\n"
        other = take(tmp_path)
        assert other
        assert other.number == 1
        holder.kill()
        holder.wait()
    assert _numbers(tmp_path) == {0: False, 1: True}
    again = take(tmp_path)
    assert again
    assert again.number == 0


def test_a_folder_that_cannot_be_used_has_no_seat(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert take(tmp_path / "file") is None
