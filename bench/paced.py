"""Run `bench.clients` beside a measurement, in a process of its own, and read what they saw."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from bench.seen import Seen
from bench.tools import TASKSET
from strangler.errors import LoadFailed

FINISH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many clients ask, how often all of them together, and for how many requests on one connection."""

    connections: int
    rate: int
    per_connection: int = 0  # without end


class Clients:
    """Clients at work. `finish` ends them and says what they saw."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def finish(self) -> Seen:
        """Let what is under way end, and return everything seen. Raises LoadFailed when that is nothing."""
        self._process.send_signal(signal.SIGTERM)
        output, errors = self._process.communicate(timeout=FINISH_SECONDS)
        return read_seen(output, errors)


def read_seen(output: bytes, errors: bytes) -> Seen:
    """Return what the clients printed. Raises LoadFailed when there is nothing to trust."""
    try:
        seen = msgspec.msgpack.decode(output, type=Seen)
    except msgspec.DecodeError:
        raise LoadFailed(
            f"the clients measured nothing: {errors.decode().strip() or 'no output'}", next="make bench"
        ) from None
    if not seen.answers:
        raise LoadFailed(
            f"the clients got no answer ({seen.lost} requests lost, {seen.refused} connections refused)",
            next="make bench",
        )
    return seen


@contextmanager
def paced_clients(port: int, path: str, pace: Pace, *, core: int) -> Iterator[Clients]:
    """Let clients ask for `path` from the moment the block begins. None is left when it ends."""
    command = [TASKSET.path(), "--cpu-list", str(core), sys.executable, "-m", "bench.clients"]
    command += ["--port", str(port), "--path", path, "--connections", str(pace.connections)]
    command += ["--rate", str(pace.rate), "--per-connection", str(pace.per_connection)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield Clients(process)
        finally:
            process.kill()
