"""The proxy's workers under the soak: who they are, what they hold, how one dies."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bench.processes import process_tree
from bench.soak.judge import Sample
from strangler.errors import PeerFailed
from strangler.workers import worker_statuses

BIRTH_SECONDS = 15.0
SETTLE_SECONDS = 10.0
PAGE = os.sysconf("SC_PAGE_SIZE")


class Workers:
    """All workers of one proxy. One of them is spared every kill: on it a leak would show."""

    def __init__(self, master: int, control: Path, number: int) -> None:
        self._master = master
        self._control = control
        self._number = number
        self.spared = 0
        self.samples: list[Sample] = []

    def pids(self) -> list[int]:
        """Return those who answer."""
        return [status.pid for status in worker_statuses(self._control).answers]

    async def complete(self) -> list[int]:
        """Return all pids once there are as many as there should be. Raises PeerFailed."""
        deadline = time.monotonic() + BIRTH_SECONDS
        while len(found := await asyncio.to_thread(self.pids)) < self._number:
            if time.monotonic() > deadline:
                raise PeerFailed(
                    f"{len(found)} workers serve, wanted {self._number}: a dead one was not replaced",
                    next="python -m bench soak",
                )
            await asyncio.sleep(0.05)
        return found

    async def born(self) -> int:
        """Choose whom to spare once all live; return how many files each has open before any client comes."""
        pids = await self.complete()
        self.spared = pids[0]
        await asyncio.sleep(0.2)  # until they have closed the connections that they were asked on
        return max(map(_files, pids))

    def kill(self, pid: int) -> None:
        """Kill a worker, whatever it is doing."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def sample(self) -> None:
        """Note what every worker holds now."""
        now = time.monotonic()
        for pid in process_tree(self._master)[1:]:
            with suppress(OSError):  # it died meanwhile
                self.samples.append(Sample(now, pid, _resident(pid), _files(pid)))

    async def settled(self, wanted: int) -> Mapping[int, int]:
        """Return each worker's open files once none has more than `wanted`, or after a while anyhow."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = {pid: _files(pid) for pid in await self.complete()}
            if max(found.values()) <= wanted or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.05)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
