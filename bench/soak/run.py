"""Soak a real proxy: clients ask without pause while origins, workers and tables change under them."""

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.processes import free_port, pinned
from bench.proxy.ours import command
from bench.soak.client import Client
from bench.soak.events import Event, Events, Place
from bench.soak.judge import Held, Promise, Sample, Tally, Writes, judge_held, judge_run, judge_writes
from bench.soak.origins import Origin, two_origins
from bench.soak.table import Stand, table
from bench.soak.workers import Workers

SAMPLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard: until `seconds` have passed or, where given, `events` have happened."""

    seconds: float
    clients: int
    workers: int
    pace: int  # answers from one event to the next
    seed: int
    python: str
    events: int | None = None


@dataclass(frozen=True, slots=True)
class Soaked:
    """All that was seen of one run."""

    seconds: float
    tally: Tally
    events: Counter[Event]
    writes: Writes
    held: Held
    samples: tuple[Sample, ...]
    faults: int

    @property
    def promises(self) -> tuple[Promise, ...]:
        """Every promise, and what was found of it."""
        return judge_run(self.tally, self.writes, self.held, self.faults)


def soak(plan: Plan, folder: Path) -> Soaked:
    """Run it, and stop all that was started."""
    place = Place(folder / "routes.toml", folder / "control", folder / "owner")
    place.control.mkdir()
    place.fence.write_text(Stand().owner)
    log = folder / "proxy.log"
    with two_origins(folder, place.fence) as origins:
        monolith, service = origins
        place.table.write_text(table(monolith.port, service.port, Stand()))
        port = free_port()
        started = command(plan.python, place.table, place.control, port=port, workers=plan.workers)
        cores = sorted(os.sched_getaffinity(0))
        with (
            pinned("ours", started, cores=cores, port=port, log=log) as master,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            workers = Workers(master, place.control, plan.workers)
            return runner.run(_soak(plan, place, origins, workers, port, log))


async def _soak(
    plan: Plan, place: Place, origins: tuple[Origin, Origin], workers: Workers, port: int, log: Path
) -> Soaked:
    for origin in origins:
        await origin.start()
    before = await workers.born()
    tally = Tally()
    events = Events(place, origins, workers, tally, plan.seed)
    began = time.monotonic()
    sampling = asyncio.create_task(_sample(workers))
    clients = [Client(port, tally, f"{plan.seed}-{number}") for number in range(plan.clients)]
    living = [asyncio.create_task(client.live()) for client in clients]
    await events.happen(pace=plan.pace, until=began + plan.seconds, most=plan.events)
    for client in clients:
        client.stop()
    await asyncio.gather(*living)
    sampling.cancel()
    with suppress(asyncio.CancelledError):
        await sampling
    seconds = time.monotonic() - began
    await events.recover()
    for origin in origins:
        origin.kill()  # the proxy's connections to them end
    return Soaked(
        seconds=seconds,
        tally=tally,
        events=events.counts,
        writes=judge_writes(tally.writes, [line for origin in origins for line in origin.record()]),
        held=judge_held(workers.samples, workers.spared, before, await workers.settled(before)),
        samples=tuple(workers.samples),
        faults=log.read_text(errors="replace").count("Traceback"),
    )


async def _sample(workers: Workers) -> None:
    while True:
        workers.sample()
        await asyncio.sleep(SAMPLE_SECONDS)
