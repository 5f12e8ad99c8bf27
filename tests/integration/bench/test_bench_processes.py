"""Programs under measurement are counted whole and never left running."""

import os
import sys
import time
from pathlib import Path

import pytest

from bench.processes import cpu_seconds, free_port, pinned, process_tree
from strangler.errors import PeerFailed

LISTENER = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
child = os.fork()
if child == 0:
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    print("burnt", flush=True)
    time.sleep(60)
while True:
    server.accept()[0].close()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LISTENER


def command(program: str, port: int) -> list[str]:
    return [sys.executable, "-c", program, str(port)]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('no such directive')"]
    with (
        pytest.raises(PeerFailed, match="no such directive"),
        pinned("broken", broken, cores=[0], port=free_port(), log=tmp_path / "log"),
    ):
        pass


def test_a_program_and_its_children_are_gone_when_the_block_fails(tmp_path: Path) -> None:
    port = free_port()
    tree: list[int] = []

    def measure_and_fail() -> None:
        with pinned("listener", command(LISTENER, port), cores=[0], port=port, log=tmp_path / "log") as pid:
            tree.extend(process_tree(pid))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_and_fail()
    assert len(tree) == 2
    wait_until_gone(tree)


def test_a_program_that_ignores_the_request_to_end_is_ended(tmp_path: Path) -> None:
    port = free_port()
    with pinned("stubborn", command(STUBBORN, port), cores=[0], port=port, log=tmp_path / "log") as pid:
        tree = process_tree(pid)
    wait_until_gone(tree)


def test_a_program_runs_on_its_core_alone(tmp_path: Path) -> None:
    port = free_port()
    core = min(os.sched_getaffinity(0))
    with pinned("listener", command(LISTENER, port), cores=[core], port=port, log=tmp_path / "log") as pid:
        assert {core} == os.sched_getaffinity(pid)


def test_cpu_of_children_counts(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with pinned("listener", command(LISTENER, port), cores=[0], port=port, log=log) as pid:
        while "burnt" not in log.read_text():
            assert len(process_tree(pid)) == 2
        assert cpu_seconds(pid) >= 0.3
