"""Start a program pinned to its cores, count the CPU it uses, stop it. Never leaves a program running.

CPU is what the kernel charged to the program and everything it started, user and system time. Work that the
kernel does for it elsewhere (interrupts on another core) is not seen.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from strangler.errors import PeerFailed

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_SECONDS = 15.0
STOP_SECONDS = 2.0


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def process_tree(pid: int) -> list[int]:
    """Return `pid` and the ids of all its living descendants."""
    tree = [pid]
    for parent in tree:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            tree.extend(int(child) for child in children.read_text().split())
    return tree


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that `pid` and its living descendants have used so far."""
    return sum(map(_own_ticks, process_tree(pid))) / TICKS_PER_SECOND


def _own_ticks(pid: int) -> int:
    # proc(5): the command's name stands in parentheses and may hold spaces; utime and stime are fields 14, 15
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def pinned(name: str, command: list[str], *, cores: Sequence[int], port: int, log: Path) -> Iterator[int]:
    """Run `command` on `cores` until the block ends; give its pid once it listens on `port`.

    Raises PeerFailed with the end of `log` if it ends or stays silent for START_SECONDS.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", ",".join(map(str, cores)), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches the benchmark alone, which stops everything in order
        )
    try:
        _wait_until_listening(name, command, process, port, log)
        yield process.pid
    finally:
        _stop(process)


def _wait_until_listening(
    name: str, command: list[str], process: subprocess.Popen[bytes], port: int, log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise PeerFailed(
        f"{name} did not listen on 127.0.0.1:{port}; its log ends:\n{_tail(log)}",
        next=f"run it by hand: {' '.join(command)}",
    )


def _tail(log: Path, lines: int = 10) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end, then end whatever is left of its process group, the program itself included."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
