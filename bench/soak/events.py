"""What befalls the proxy in a soak: tables that change, origins and workers that die.

What happens next is drawn from a seed, and when is counted in answers rather than in seconds: a short run
holds as many kinds of events as a long one. The order of bytes on the machine is not repeatable.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.soak.ask import GROUP
from bench.soak.judge import Outcome, Tally
from bench.soak.origins import Origin
from bench.soak.table import Stand, flipped, moved, table
from bench.soak.workers import Workers
from strangler.fleet import hold_writes, release_writes
from strangler.workers import apply_table

DOWN_SECONDS = 1.0  # at most, of a killed origin
HOLD_SECONDS = 2.0  # at most
FENCE_SECONDS = 0.3  # at most, from the fence to the table
STILL_SECONDS = 5.0  # without enough answers; then the next event comes anyway


class Event(StrEnum):
    """What happens."""

    FLIP = "reads flipped"
    MOVE = "owner moved"
    ORIGIN = "origin killed"
    WORKER = "worker killed"


WEIGHTS = {Event.FLIP: 4, Event.MOVE: 4, Event.ORIGIN: 3, Event.WORKER: 1}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the table, the workers' control sockets and the fence lie."""

    table: Path
    control: Path
    fence: Path

    def put(self, file: Path, text: str) -> None:
        """Let a file hold another text from one moment to the next."""
        new = file.with_suffix(".new")
        new.write_text(text)
        new.replace(file)


class Events:
    """Lets one thing after another happen while clients ask."""

    def __init__(
        self, place: Place, origins: tuple[Origin, Origin], workers: Workers, tally: Tally, seed: int
    ) -> None:
        self._place = place
        self._origins = origins
        self._workers = workers
        self._tally = tally
        self._chance = random.Random(seed)
        self._stand = Stand()
        self._returning: list[asyncio.Task[None]] = []
        self.counts: Counter[Event] = Counter()

    async def happen(self, *, pace: int, until: float, most: int | None) -> None:
        """Let something happen after every `pace` right answers, until a time or `most` events have come."""
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        while time.monotonic() < until and (most is None or self.counts.total() < most):
            await self._answers(pace, until)
            event = self._chance.choices(kinds, weights)[0]
            self.counts[event] += 1
            await self._let(event)

    async def recover(self) -> None:
        """Return when everything that died lives again."""
        await asyncio.gather(*self._returning)
        await self._workers.complete()

    async def _answers(self, number: int, until: float) -> None:
        outcomes = self._tally.outcomes
        wanted, end = outcomes[Outcome.RIGHT] + number, min(until, time.monotonic() + STILL_SECONDS)
        while outcomes[Outcome.RIGHT] < wanted and time.monotonic() < end:
            await asyncio.sleep(0.01)

    async def _let(self, event: Event) -> None:
        if event is Event.FLIP:
            await self._stand_at(flipped(self._chance, self._stand))
        elif event is Event.MOVE:
            await self._move()
        elif event is Event.ORIGIN:
            self._kill_origin(self._chance.choice(self._origins))
        else:
            pids = await self._workers.complete()
            self._workers.kill(self._chance.choice([pid for pid in pids if pid != self._workers.spared]))

    async def _stand_at(self, stand: Stand) -> None:
        self._stand = stand
        monolith, service = self._origins
        self._place.put(self._place.table, table(monolith.port, service.port, stand))
        await asyncio.to_thread(apply_table, self._place.control)

    async def _move(self) -> None:
        """Give writes to the other side as a cutover does, or as one does that lost its hold on the way."""
        control, stand = self._place.control, moved(self._stand)
        held = self._chance.random() < 0.7
        if held:
            seconds = self._chance.uniform(0.1, HOLD_SECONDS)
            await asyncio.to_thread(hold_writes, control, GROUP, seconds)
        self._place.put(self._place.fence, stand.owner)
        await asyncio.sleep(self._chance.uniform(0, FENCE_SECONDS))
        await self._stand_at(stand)
        if held and self._chance.random() < 0.8:  # else it ends by itself
            await asyncio.to_thread(release_writes, control, GROUP)

    def _kill_origin(self, origin: Origin) -> None:
        pause = self._chance.uniform(0, DOWN_SECONDS)  # drawn anyway: what comes next hangs on the seed alone
        if origin.lives:
            origin.kill()
            self._returning = [task for task in self._returning if not task.done()]
            self._returning.append(asyncio.create_task(_return(origin, pause)))


async def _return(origin: Origin, pause: float) -> None:
    await asyncio.sleep(pause)
    await origin.start()
