"""Kill anything of the whole stack, again and again, while owners change under clients of the proxy.

`python -m tests.e2e.takeover_storm sqlite|postgresql KILLS [SEED]` runs it at length; a test runs it briefly.
Coordinators stop at every numbered step; there, or a moment later, somebody dies: the coordinator, the
follower, the proxy, the monolith or the service (a worker, the master alone, or all of them), and on
PostgreSQL a connection or the whole server of either database. What is left is resumed or cancelled, and must
be sound.
"""

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from proxy.routes import Owner
from strangler.errors import StranglerError
from strangler.supervising import supervisor
from strangler.takeover.cancel import cancel
from strangler.takeover.handover import opened
from strangler.takeover.resume import resume
from strangler.takeover.situation import Situation, State, situation
from strangler.takeover.switch import Step
from tests.e2e.takeover_coordinator import Coordinator
from tests.e2e.takeover_ledger import faults
from tests.e2e.takeover_sampler import Sampler
from tests.e2e.takeover_stack import ONE_ROW, PARTS, Stack, running_stack
from tests.e2e.takeover_staff import Staff
from tests.e2e.takeover_victims import Victims

STEPS = [step for step in Step if step not in {Step.ABORTED, Step.REOPENED}]
MOMENT_SECONDS = 0.1  # within which of a step somebody dies who does not die at it
MOST_A_ROUND = 3
CLIENTS = 3
SOUND_SECONDS = 90.0  # within which everything is up again and the situation sound


Result = TypeVar("Result")


class Unsound(AssertionError):
    """What was interrupted could neither be finished nor given up in time."""


@dataclass
class Tally:
    """What a storm came to."""

    kills: Counter[str] = field(default_factory=Counter)
    at: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    epochs: int = 0
    samples: int = 0
    both_writable: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every promise held, and something was promised."""
        return not self.wrong and not self.both_writable and self.writes["done"] > 0


@dataclass(frozen=True)
class Blow:
    """Who dies, how long after a step: 0 seconds is at it."""

    victim: str
    seconds: float


@dataclass
class Storm:
    """One run: its stack, its victims and what has come of it so far."""

    stack: Stack
    victims: Victims
    chance: random.Random
    tally: Tally = field(default_factory=Tally)

    def round(self) -> None:
        """Change the owner once, while up to three of all there are die; then put it right."""
        verb = "cutover" if situation_of(self.stack).owner is Owner.MONOLITH else "rollback"
        blows = self._blows()
        coordinator = Coordinator(self.stack.place, verb)
        timers = []
        for step in coordinator.steps():
            for blow in blows.get(step, []):
                strike = self._striking(blow, step, coordinator)
                timers.append(threading.Timer(blow.seconds, strike))
                if blow.seconds:
                    timers[-1].start()
                else:
                    timers.pop()
                    strike()
        for timer in timers:
            timer.join()
        self.tally.rounds += 1
        self.mend()

    def _blows(self) -> dict[Step, list[Blow]]:
        blows: dict[Step, list[Blow]] = {}
        for _ in range(self.chance.randint(1, MOST_A_ROUND)):
            seconds = self.chance.choice([0.0, self.chance.uniform(0.001, MOMENT_SECONDS)])
            blow = Blow(self.chance.choice(self.victims.names), seconds)
            blows.setdefault(self.chance.choice(STEPS), []).append(blow)
        return blows

    def _striking(self, blow: Blow, step: Step, coordinator: Coordinator) -> Callable[[], None]:
        def strike() -> None:
            if self.victims.kill(blow.victim, coordinator):
                self.tally.kills[blow.victim] += 1
                self.tally.at[f"{'after' if blow.seconds else 'at'} {step}"] += 1

        return strike

    def mend(self) -> None:
        """Start what is down, then resume or cancel until the situation is sound. Raises Unsound."""
        self.victims.revive()
        found = self.insist(lambda: situation_of(self.stack))
        self.tally.found[str(found.state)] += 1
        if found.state in {State.FENCED, State.ABORTED} and self.chance.random() < 0.5:
            self.insist(lambda: cancel(self.stack.where, execute=True))
        self.insist(lambda: resume(self.stack.where, execute=True))
        self.insist(self._all_up)
        now = self.insist(lambda: situation_of(self.stack))
        if now.state is not State.OWNED or now.owner != self.stack.route_owner():
            raise Unsound(f"{now}, routed to the {self.stack.route_owner()}")

    def insist(self, attempt: Callable[[], Result]) -> Result:
        """Attempt it until it neither is refused nor says no: what else was killed may still be starting."""
        said, deadline = "", time.monotonic() + SOUND_SECONDS
        while time.monotonic() < deadline:
            try:
                if done := attempt():
                    return done
            except StranglerError as error:
                said = f"{error.id} {error.message}"
            time.sleep(0.05)
        raise Unsound(f"{said}; up: {sorted(self.stack.pids())}")

    def _all_up(self) -> bool:
        with supervisor(self.stack.installation) as running:
            assert running is not None
            parts = [part for part in running.parts() if part.name in PARTS]
            for part in parts:
                if part.state == "FATAL":  # it was killed more often than a supervisor tries
                    running.start(part.name)
            return all(part.state == "RUNNING" for part in parts)


def situation_of(stack: Stack) -> Situation:
    """Return where the takeover stands now."""
    with opened(stack.where) as takeover:
        return situation(takeover)


def rage(stack: Stack, kills: int, seed: int) -> Tally:
    """Kill so many under clients; return what came of it."""
    chance = random.Random(seed)
    storm = Storm(stack, Victims(stack, chance), chance)
    tally = storm.tally
    with Staff(stack.place.url, CLIENTS) as staff, Sampler(stack.sides, ONE_ROW) as sampler:
        while tally.kills.total() < kills:
            storm.round()
    storm.mend()
    tally.samples, tally.both_writable = sampler.samples, sampler.both
    tally.writes = staff.ledger.fates()
    _judge(storm, staff)
    return tally


def _judge(storm: Storm, staff: Staff) -> None:
    stack, tally = storm.stack, storm.tally
    with opened(stack.where) as takeover:
        owner = takeover.databases.started().owner
        epochs = [row.epoch for row in takeover.databases.rows()]
    tally.epochs = len(epochs)
    tally.wrong += [f"epoch {epoch} has {n} rows" for epoch, n in Counter(epochs).items() if n > 1]
    tally.wrong += faults(staff.ledger.writes, stack.products(owner), stack.renamed())
    tally.wrong += staff.surprises
    differing, *_ = storm.insist(lambda: [stack.differing()])
    tally.wrong += [f"{rows} rows of {table} differ" for table, rows in differing.items()]


def main() -> None:
    """Run at length and print the tally."""
    engine, kills, seed = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
    with running_stack(engine) as stack:
        tally = rage(stack, kills, seed)
    print(tally)
    sys.exit(not tally.sound)


if __name__ == "__main__":
    main()
