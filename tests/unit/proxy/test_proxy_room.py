"""Those who have been idle the longest make room; open files are kept for upstreams."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from proxy.crowd import SHARE, longest_idle
from proxy.open_files import OWN


@dataclass(frozen=True)
class Client:
    idle_since: float


def test_the_longest_idle_go_first_and_the_busy_never() -> None:
    clients = [Client(5.0), Client(0.0), Client(3.0), Client(9.0)]
    assert longest_idle(clients, SHARE * 2) == [Client(3.0), Client(5.0)]
    assert longest_idle([Client(0.0)] * 3, SHARE * 2) == []


def test_a_small_worker_makes_room_for_one() -> None:
    assert longest_idle([Client(2.0), Client(1.0)], 3) == [Client(1.0)]


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "room"),
    [(300, 900, 100, 900 - 200 - OWN), (300, 300, 100, 150), (300, 300, 10, 300 - 20 - OWN)],
)
def test_upstreams_keep_their_files(soft: int, hard: int, connections: int, room: int) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}));"
        f"from proxy.open_files import room_for_clients; print(room_for_clients({connections}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == room
