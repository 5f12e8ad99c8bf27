"""How a worker comes to serve another version of the table: told what changed, or reading the file.

What `strangler flip` changes takes it well under a millisecond. The file is read in a thread, for a large
table takes a second to read and no request may wait for that.
"""

import asyncio
import gc
import logging
import sys

from proxy.change import TableChange
from proxy.decide import Router
from proxy.live_table import LiveTable, Reading, Rejected
from proxy.runtime import Runtime

_SWITCH_SECONDS = 0.0005  # how long the thread that reads may keep the loop waiting for the interpreter


class Applying:
    """Brings a new version into force, and remembers what was refused: a bad version is never in force."""

    def __init__(self, live: LiveTable, runtime: Runtime, born_with: Reading, log: logging.Logger) -> None:
        self._live = live
        self._runtime = runtime
        self._log = log
        self._reading = asyncio.Lock()
        self._seen = born_with.identity
        self.rejected: Rejected | None = born_with.rejected
        sys.setswitchinterval(_SWITCH_SECONDS)

    @property
    def version(self) -> str:
        """The version in force."""
        return self._runtime.router.table.version

    def change(self, change: TableChange) -> bool:
        """Serve what a change makes of the version in force; return whether that is the change's base."""
        if self.version != change.base:
            return False
        self.rejected = None
        self._use(self._runtime.router.changed(change), change)
        return True

    async def look(self) -> None:
        """Serve what the file holds, if it is another than the one seen last."""
        if not self._reading.locked() and self._live.identity() != self._seen:
            await self.read()

    async def read(self) -> None:
        """Serve what the file holds; whatever is wrong with it, the version in force serves on."""
        async with self._reading:
            reading = await self._read()
            while reading.identity != self._live.identity():  # replaced while it was read
                reading = await self._read()
            self._seen, self.rejected = reading.identity, reading.rejected
            if reading.rejected is not None:
                self._runtime.metrics.observe_rejected_table()
                self._log.error(
                    "table rejected, version %s serves on: %s", self.version, reading.rejected.reason
                )
            elif reading.table is not None and reading.table.version != self.version:
                self._use(Router(reading.table))
                settle()

    async def _read(self) -> Reading:
        return await asyncio.to_thread(self._live.read, self.version)

    def _use(self, router: Router, change: TableChange | None = None) -> None:
        self._runtime.use(router, change)
        self._log.info("table %s applied", router.table.version)


def settle() -> None:
    """Keep what is there now out of the collector's rounds: a large table takes it tens of milliseconds."""
    gc.freeze()
